//! What a command costs, in things that do not depend on the machine: pages that are written, and allocations of the
//! caller. Whoever makes one dearer sees it here, and raises the budget in the same change, with the reason.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use allocation_counter::measure;
use grc_core::{
    Actor, Assignee, Definition, Grc, Intake, ManualClock, Moment, Party, Place, RequestId, SeededEntropy,
    Session, request::Fire,
};
use grc_sqlite::Options;
use pollster::block_on;
use std::{path::Path, sync::Arc};

/// A page in the log, with its header.
const FRAME: u64 = 4_096 + 24;
/// Commands that are measured, after as many that are not.
const COUNT: usize = 50;

struct Town {
    log: std::path::PathBuf,
    takes: Session,
    deals: Session,
    _directory: tempfile::TempDir,
}

impl Town {
    fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("town.db");
        let opened = Options::new().create(true).test(true).open(&file).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/town");
        let definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"));
        let clock = Arc::new(ManualClock::at(Moment::from_micros(1_767_222_000_000_000)));
        let town = block_on(async {
            let grc = Grc::with(opened.into(), clock, Arc::new(SeededEntropy::new(1))).await.unwrap();
            let town = grc.authority("town").unwrap();
            town.host("set-up").publish(&definition).await.unwrap();
            town
        });
        Self {
            log: file.with_extension("db-wal"),
            takes: town.session(Actor::agent("a-17")),
            deals: town.session(Actor::agent("a-03")),
            _directory: directory,
        }
    }

    fn submit(&self, n: usize) -> RequestId {
        let intake = Intake::new("fuite-eau", "telephone")
            .set(
                "description",
                "De l'eau coule devant le numéro 12 depuis ce matin, le trottoir est glissant.",
            )
            .set("gravite", "ecoulement")
            .at(Place::address(&format!("{n} rue des Lilas"), "35000", "Saint-Aubin-des-Prés"))
            .party(Party::named("Anne", "Le Gall").phone(format!("06 39 98 {n:02} 34")).answer_by("sms"));
        block_on(self.takes.submit(intake)).unwrap().id()
    }

    fn assign(&self, id: RequestId) {
        let fire = Fire::new("confier").to(Assignee::agent("a-08"));
        block_on(self.deals.act_on(id, None, fire)).unwrap();
    }

    /// Pages and allocations a command, of `COUNT` of them.
    fn cost(&self, mut command: impl FnMut(usize)) -> (f64, f64) {
        let before = std::fs::metadata(&self.log).unwrap().len();
        let allocated = measure(|| (0..COUNT).for_each(&mut command)).count_total;
        let written = std::fs::metadata(&self.log).unwrap().len() - before;
        (written as f64 / FRAME as f64 / COUNT as f64, allocated as f64 / COUNT as f64)
    }
}

/// At most so much, and not so much less that the budget is out of date.
#[track_caller]
fn within(what: &str, found: f64, budget: f64) {
    assert!(found <= budget, "{what}: {found:.1} is more than {budget}");
    assert!(found >= budget * 0.8, "{what}: {found:.1} is far below {budget}: lower the budget");
}

#[test]
fn a_command_stays_within_its_budget() {
    let town = Town::open();
    let known: Vec<RequestId> = (0..COUNT).map(|n| town.submit(n)).collect();
    let mut ids = Vec::new();
    let intake = town.cost(|n| ids.push(town.submit(COUNT + n)));
    known.into_iter().for_each(|id| town.assign(id));
    let mut ids = ids.into_iter();
    let transition = town.cost(|_| town.assign(ids.next().unwrap()));
    println!("pages and allocations, an intake {intake:?}, a transition {transition:?}");
    within("pages an intake", intake.0, 25.0);
    within("allocations an intake", intake.1, 1_250.0);
    within("pages a transition", transition.0, 10.0);
    within("allocations a transition", transition.1, 1_200.0);
}
