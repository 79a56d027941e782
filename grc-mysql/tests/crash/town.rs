//! People who hand in requests and decide on them, while the server of their engine falls.

use super::again;
use crate::people::{Count, People, TOWN, definition};
use grc_core::{
    Actor, Assignee, Grc, Instruction, Intake, ManualClock, Moment, Party, Place, RequestId, SystemEntropy,
    conformance::Dice,
    request::{Command, Fire},
};
use grc_mysql::{Durability, Options};
use pollster::block_on;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The requests, each with the version that was acknowledged, and whether nobody works on it any more.
type Requests = BTreeMap<RequestId, (u64, bool)>;

/// An engine, whose keys are in another database of the same server.
pub(crate) struct Town {
    grc: Grc,
    pub(crate) people: People<Requests>,
}

impl Town {
    pub(crate) fn open(address: &str, keys: &str) -> Self {
        let options = Options::new().create(true).durability(Durability::Full);
        // The tables are made with more patience than is had with them later.
        drop(block_on(options.open_keyring(keys)).unwrap());
        drop(block_on(options.open_store(address)).unwrap());
        let options = options.patience(Duration::from_millis(300));
        let keyring = again(|| block_on(options.open_keyring(keys)));
        let keyring = Arc::new(keyring);
        let stores = again(|| block_on(options.open(address, Arc::clone(&keyring) as _)));
        let clock = Arc::new(ManualClock::at(Moment::from_micros(1_767_222_000_000_000)));
        let grc = again(|| {
            block_on(Grc::with(stores.clone(), Arc::<ManualClock>::clone(&clock), Arc::new(SystemEntropy)))
        });
        again(|| block_on(grc.authority(TOWN).unwrap().host("set-up").publish(&definition())));
        Self { grc, people: People::default() }
    }

    fn note(&self, id: RequestId, known: (u64, bool), note: impl FnOnce(&mut Count)) {
        self.people.note(|all| {
            all.kept.insert(id, known);
            note(&mut all.count);
        });
    }

    /// Hands in requests, and leads each to its end.
    pub(crate) fn work(&self, number: u64) {
        let _working = self.people.working();
        let town = self.grc.authority(TOWN).unwrap();
        let desk = town.session(Actor::agent("a-09"));
        let mut dice = Dice::new(number);
        for n in 0.. {
            if self.people.lock().ended {
                return;
            }
            let phone = format!("06 39 98 {:02} {:02}", dice.below(100), dice.below(100));
            let intake = Intake::new("fuite-eau", "telephone")
                .set("description", format!("needle-{:016x}", dice.next()))
                .set("gravite", "ecoulement")
                .at(Place::address("12 rue des Lilas", "35000", "Rennes")
                    .and_position(48.117_266, -1.677_793))
                .party(Party::named("Anne", "Le Gall").phone(phone).email("anne@example.org"))
                .key(format!("intake-{number}-{n}"));
            let submitted = self.people.settle(|| block_on(desk.submit(intake.clone())));
            let id = submitted.id();
            self.note(id, (submitted.version(), false), |count| count.submitted += 1);
            let steps = [
                ("a-09", Command::Fire(Fire::new("affecter").to(Assignee::team("fontainiers")))),
                ("a-02", Command::Assess { acceptability: "traitable".to_owned(), reason: None }),
                ("a-02", Command::Fire(Fire::new("traiter"))),
                ("a-02", Command::Fire(Fire::new("cloturer").outcome("repare"))),
            ];
            for (step, (agent, command)) in steps.into_iter().enumerate() {
                let session = town.session(Actor::agent(agent));
                let instruction = Instruction::new(command).key(format!("act-{number}-{n}-{step}"));
                let acted = self.people.settle(|| block_on(session.act_on(id, None, instruction.clone())));
                self.note(id, (acted.version(), step == 3), |count| count.acted += 1);
            }
        }
    }

    /// Some requests are at the version that was acknowledged, and their histories are whole. One that somebody works on
    /// is at a later one perhaps; its history is left, since it is read in parts. Answers how many were verified.
    pub(crate) fn check(&self, dice: &mut Dice, most: usize) -> usize {
        let mut all: Vec<(RequestId, (u64, bool))> =
            self.people.lock().kept.iter().map(|(id, known)| (*id, *known)).collect();
        let host = self.grc.authority(TOWN).unwrap().host("audit");
        let desk = self.grc.authority(TOWN).unwrap().session(Actor::agent("a-09"));
        let mut verified = 0;
        for _ in 0..most.min(all.len()) {
            let (id, (acknowledged, last)) = all.swap_remove(dice.below(all.len()));
            let seen = self.people.settle(|| block_on(desk.open(id))).version();
            assert!(seen == acknowledged || seen > acknowledged && !last, "{id}: {seen}, not {acknowledged}");
            if last {
                let verdict = self.people.settle(|| block_on(host.verify(id)));
                assert_eq!(verdict.problems, Vec::<String>::new(), "{id}");
                assert!(verdict.events == acknowledged && verdict.opened > 0, "{id}: {verdict:?}");
                verified += 1;
            }
        }
        verified
    }
}
