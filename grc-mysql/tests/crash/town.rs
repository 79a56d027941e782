//! People who hand in requests and decide on them, while the server of their engine falls.

use super::again;
use grc_core::{
    Actor, Assignee, Definition, Grc, GrcError, Instruction, Intake, ManualClock, Moment, Party, Place,
    RequestId, SystemEntropy,
    conformance::Dice,
    request::{Command, Fire},
    storage::Retry,
};
use grc_mysql::{Durability, Options};
use pollster::block_on;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const TOWN: &str = "saint-aubin";

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) submitted: usize,
    pub(crate) acted: usize,
    /// Commands that were repeated.
    pub(crate) repeated: usize,
}

#[derive(Debug, Default)]
struct Known {
    /// The requests, each with the version that was acknowledged, and whether nobody works on it any more.
    requests: BTreeMap<RequestId, (u64, bool)>,
    count: Count,
    ended: bool,
    /// Somebody failed.
    failed: bool,
}

/// An engine, whose keys are in another database of the same server.
pub(crate) struct Town {
    grc: Grc,
    known: Mutex<Known>,
    news: Condvar,
}

/// Ends those who work, also when the test fails.
pub(crate) struct Ending<'a>(&'a Town);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut known = self.0.lock();
        known.ended = true;
        known.failed |= std::thread::panicking();
    }
}

/// Tells when somebody fails.
struct Working<'a>(&'a Town);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.lock().failed |= std::thread::panicking();
        self.0.news.notify_all();
    }
}

fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Whether the same may be asked again: the store or the keyring is away, or was when it answered.
fn may_repeat(error: &GrcError) -> bool {
    match error {
        GrcError::Storage(error) => error.retry() == Retry::Same,
        GrcError::Keyring(error) => error.is_unavailable(),
        _ => false,
    }
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
        Self { grc, known: Mutex::default(), news: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    pub(crate) fn count(&self) -> Count {
        self.lock().count
    }

    /// Asks for something until it is known what became of it.
    fn settle<T>(&self, mut ask: impl FnMut() -> Result<T, GrcError>) -> T {
        let mut first = true;
        loop {
            match ask() {
                Ok(out) => return out,
                Err(error) => assert!(may_repeat(&error), "{error:?}"),
            }
            let mut known = self.lock();
            assert!(!known.failed, "the test has failed elsewhere");
            known.count.repeated += usize::from(first);
            drop(known);
            self.news.notify_all();
            first = false;
        }
    }

    fn note(&self, id: RequestId, (version, last): (u64, bool), note: impl FnOnce(&mut Count)) {
        let mut known = self.lock();
        known.requests.insert(id, (version, last));
        note(&mut known.count);
        drop(known);
        self.news.notify_all();
    }

    /// Hands in requests, and leads each to its end.
    pub(crate) fn work(&self, number: u64) {
        let _working = Working(self);
        let town = self.grc.authority(TOWN).unwrap();
        let desk = town.session(Actor::agent("a-09"));
        let mut dice = Dice::new(number);
        for n in 0.. {
            if self.lock().ended {
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
            let submitted = self.settle(|| block_on(desk.submit(intake.clone())));
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
                let acted = self.settle(|| block_on(session.act_on(id, None, instruction.clone())));
                self.note(id, (acted.version(), step == 3), |count| count.acted += 1);
            }
        }
    }

    /// Waits until so many more commands were acknowledged.
    #[track_caller]
    pub(crate) fn wait_for(&self, more: usize) {
        let done = |count: &Count| count.submitted + count.acted;
        let until = done(&self.count()) + more;
        // Longer than it takes, also on a busy machine.
        let waits = |known: &mut Known| done(&known.count) < until && !known.failed;
        let (known, late) =
            self.news.wait_timeout_while(self.lock(), Duration::from_secs(120), waits).unwrap();
        assert!(!late.timed_out() && !known.failed, "waited in vain for commands");
    }

    /// Waits until one more command is repeated.
    #[track_caller]
    pub(crate) fn wait_for_repeated(&self) {
        let before = self.count().repeated;
        let waits = |known: &mut Known| known.count.repeated <= before && !known.failed;
        let (known, late) =
            self.news.wait_timeout_while(self.lock(), Duration::from_secs(120), waits).unwrap();
        assert!(!late.timed_out() && !known.failed, "waited in vain for a command to be repeated");
    }

    /// Some requests are at the version that was acknowledged, and their histories are whole. One that somebody works on
    /// is at a later one perhaps; its history is left, since it is read in parts. Answers how many were verified.
    pub(crate) fn check(&self, dice: &mut Dice, most: usize) -> usize {
        let mut all: Vec<(RequestId, (u64, bool))> =
            self.lock().requests.iter().map(|(id, known)| (*id, *known)).collect();
        let host = self.grc.authority(TOWN).unwrap().host("audit");
        let desk = self.grc.authority(TOWN).unwrap().session(Actor::agent("a-09"));
        let mut verified = 0;
        for _ in 0..most.min(all.len()) {
            let (id, (acknowledged, last)) = all.swap_remove(dice.below(all.len()));
            let seen = self.settle(|| block_on(desk.open(id))).version();
            assert!(seen == acknowledged || seen > acknowledged && !last, "{id}: {seen}, not {acknowledged}");
            if last {
                let verdict = self.settle(|| block_on(host.verify(id)));
                assert_eq!(verdict.problems, Vec::<String>::new(), "{id}");
                assert!(verdict.events == acknowledged && verdict.opened > 0, "{id}: {verdict:?}");
                verified += 1;
            }
        }
        verified
    }
}
