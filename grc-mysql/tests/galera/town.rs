//! People who hand in requests and decide on them, workers who send the messages, and one who follows the feed, each at
//! a node of a cluster and with the others to go to.

use crate::nodes::NODES;
use async_trait::async_trait;
use grc_core::{
    Actor, Assignee, Budget, Clock, Definition, Grc, GrcError, Instruction, Intake, ManualClock, Moment,
    Party, Place, RequestId, SystemEntropy, Word,
    conformance::Dice,
    engine::{Delivery, Outgoing, Transport},
    request::{Command, Fire},
    storage::{Change, Cursor, Retry, StorageErrorKind, Store},
};
use grc_mysql::{Durability, MysqlStore, Options};
use pollster::block_on;
use private_server::Cluster;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) const TOWN: &str = "saint-aubin";
/// Where it is.
pub(crate) const DATABASE: &str = "town";
const KEYS: &str = "keyring";
/// How long a node is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much faster the town's clock goes: a lease of five minutes is over in three seconds.
const HASTE: i64 = 100;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) submitted: usize,
    pub(crate) acted: usize,
    /// Commands and works that were repeated.
    pub(crate) repeated: usize,
    /// Works that were repeated.
    pub(crate) works: usize,
}

#[derive(Debug, Default)]
struct Known {
    /// The requests, each with its tracking code and the version that was acknowledged last.
    requests: BTreeMap<RequestId, (String, u64)>,
    /// The messages, in the order in which they were handed over.
    handed: Vec<String>,
    changes: Vec<Change>,
    /// Where the one who follows goes on.
    after: Option<Cursor>,
    count: Count,
    /// When something was acknowledged last, and the longest time between two of them.
    last: Duration,
    longest: Duration,
    /// Those who write and are not done yet.
    writers: usize,
    ended: bool,
    failed: bool,
}

/// An engine for each node, over one store.
pub(crate) struct Town {
    engines: Vec<Grc>,
    follows: MysqlStore,
    clock: Arc<ManualClock>,
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

/// Takes every message, and remembers which.
#[derive(Debug)]
struct Post<'a>(&'a Town);

impl std::fmt::Debug for Town {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Town").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Post<'_> {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        self.0.lock().handed.push(outgoing.key.clone());
        Delivery::Sent
    }
}

/// Time that passed since the first call.
#[expect(clippy::disallowed_methods, reason = "how long others stand still is measured")]
pub(crate) fn elapsed() -> Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(std::time::Instant::now).elapsed()
}

fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Whether the same may be asked again.
fn may_repeat(error: &GrcError) -> bool {
    match error {
        GrcError::Storage(error) => error.retry() == Retry::Same,
        GrcError::Keyring(error) => error.is_unavailable(),
        _ => false,
    }
}

/// What a request has been through at the end, and how often.
pub(crate) const WHOLE: [(&str, usize); 6] =
    [("assessed", 1), ("assigned", 1), ("delivered", 4), ("messaged", 4), ("moved", 3), ("submitted", 1)];

impl Town {
    /// In databases that are there.
    pub(crate) fn open(cluster: &Cluster) -> Self {
        let options = Options::new().create(true).durability(Durability::Full);
        let clock = Arc::new(ManualClock::at(Moment::from_micros(1_767_222_000_000_000)));
        let engine = |first: usize| {
            let options = options.clone().patience(PATIENCE);
            let keyring = Arc::new(block_on(options.open_keyring(&cluster.url(KEYS, first))).unwrap());
            let address = cluster.url(DATABASE, first);
            let stores = block_on(options.open(&address, keyring)).unwrap();
            let clock = Arc::<ManualClock>::clone(&clock);
            block_on(Grc::with(stores, clock, Arc::new(SystemEntropy))).unwrap()
        };
        let engines: Vec<Grc> = (0..NODES).map(engine).collect();
        block_on(engines[0].authority(TOWN).unwrap().host("set-up").publish(&definition())).unwrap();
        let follows = block_on(options.patience(PATIENCE).open_store(&cluster.url(DATABASE, 1))).unwrap();
        Self { engines, follows, clock, known: Mutex::default(), news: Condvar::new() }
    }

    /// The names of its databases.
    pub(crate) const fn databases() -> [&'static str; 2] {
        [DATABASE, KEYS]
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

    pub(crate) fn requests(&self) -> BTreeMap<RequestId, (String, u64)> {
        self.lock().requests.clone()
    }

    pub(crate) fn handed(&self) -> Vec<String> {
        self.lock().handed.clone()
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        self.lock().changes.clone()
    }

    /// Begins to measure anew how long nothing is acknowledged.
    pub(crate) fn reset_longest(&self) {
        let mut known = self.lock();
        known.last = elapsed();
        known.longest = Duration::ZERO;
    }

    pub(crate) fn longest(&self) -> Duration {
        self.lock().longest
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
            first = false;
        }
    }

    fn note(&self, note: impl FnOnce(&mut Known)) {
        let mut known = self.lock();
        let now = elapsed();
        known.longest = known.longest.max(now.saturating_sub(known.last));
        known.last = now;
        note(&mut known);
        drop(known);
        self.news.notify_all();
    }

    /// Starts the writers, the workers, who follows, and the clock.
    pub(crate) fn start<'s>(
        &'s self,
        scope: &'s std::thread::Scope<'s, '_>,
        (writers, workers): (usize, usize),
        seed: u64,
    ) {
        self.lock().writers = writers;
        for number in 0..writers {
            scope.spawn(move || self.write(number, seed));
        }
        for number in 0..workers {
            scope.spawn(move || self.work(number));
        }
        scope.spawn(|| self.follow());
        scope.spawn(|| self.tick());
    }

    fn ended(&self) -> bool {
        let known = self.lock();
        known.failed || known.ended && known.writers == 0
    }

    fn tick(&self) {
        while !self.ended() {
            let step = Duration::from_millis(10);
            std::thread::sleep(step);
            let millis = i64::try_from(step.as_millis()).unwrap() * HASTE;
            self.clock.set(self.clock.now().plus_millis(millis));
        }
    }

    /// Hands in requests, and leads each to its end.
    fn write(&self, number: usize, seed: u64) {
        let _working = Working(self);
        let town = self.engines[number % NODES].authority(TOWN).unwrap();
        let mut dice = Dice::new(seed << 8 | number as u64);
        for n in 0.. {
            if self.lock().ended {
                break;
            }
            let desk = town.session(Actor::agent("a-09"));
            let mail = format!("anne.{number}.{n}@example.org");
            let intake = Intake::new("nid-de-poule", "telephone")
                .set("description", format!("needle-{:016x}", dice.next()))
                .set("danger", dice.once_in(2))
                .at(Place::address("12 rue des Lilas", "35000", "Rennes")
                    .and_position(48.117_266, -1.677_793))
                .party(Party::named("Anne", "Le Gall").email(mail))
                .key(format!("intake-{number}-{n}"));
            let submitted = self.settle(|| block_on(desk.submit(intake.clone())));
            let id = submitted.id();
            let code = submitted.tracking_code().to_string();
            self.note(|known| {
                known.count.submitted += 1;
                known.requests.insert(id, (code, submitted.version()));
            });
            let tell = |text: &str| Command::Tell { text: text.into(), channel: None };
            let steps = [
                ("a-09", tell("Un agent passe demain.")),
                ("a-09", Command::Fire(Fire::new("affecter").to(Assignee::team("chaussee")))),
                ("a-03", Command::Assess { acceptability: "traitable".to_owned(), reason: None }),
                ("a-03", Command::Fire(Fire::new("traiter"))),
                ("a-09", tell("C'est fait.")),
                ("a-03", Command::Fire(Fire::new("cloturer").outcome("repare"))),
            ];
            for (step, (agent, command)) in steps.into_iter().enumerate() {
                let session = town.session(Actor::agent(agent));
                let instruction = Instruction::new(command).key(format!("act-{number}-{n}-{step}"));
                let acted = self.settle(|| block_on(session.act_on(id, None, instruction.clone())));
                self.note(|known| {
                    known.count.acted += 1;
                    if let Some((_, version)) = known.requests.get_mut(&id) {
                        *version = acted.version();
                    }
                });
            }
        }
        self.lock().writers -= 1;
    }

    /// Sends messages, and does what else is due.
    fn work(&self, number: usize) {
        let _working = Working(self);
        let host = self.engines[(number + 1) % NODES].authority(TOWN).unwrap().host("worker");
        let post = Post(self);
        while !self.ended() {
            match block_on(host.work(Some(&post), Budget::tasks(20))) {
                Ok(_) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => {
                    assert!(may_repeat(&error), "{error:?}");
                    self.lock().count.works += 1;
                }
            }
        }
    }

    /// Does all that is due, until nothing is left; an hour passes each time.
    pub(crate) fn finish(&self) {
        let host = self.engines[0].authority(TOWN).unwrap().host("worker");
        let post = Post(self);
        for _ in 0..3 {
            self.clock.set(self.clock.now().plus_millis(3_600_000));
            self.settle(|| block_on(host.work(Some(&post), Budget::ALL)));
        }
    }

    /// Reads the feed all the time.
    fn follow(&self) {
        let _working = Working(self);
        let mut dice = Dice::new(5);
        while !self.ended() {
            if self.read_on(1 + dice.below(50)) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Reads a page of the feed, where the last one ended. Answers how many changes it had.
    fn read_on(&self, limit: usize) -> usize {
        let after = self.lock().after.clone();
        let store: &dyn Store = &self.follows;
        let limit = u32::try_from(limit).unwrap();
        match block_on(store.changes(&Word::new(TOWN).unwrap(), after.as_ref(), limit)) {
            Ok(page) => {
                let count = page.changes.len();
                let mut known = self.lock();
                known.changes.extend(page.changes);
                known.after = Some(page.next);
                count
            }
            Err(error) => {
                assert_ne!(error.kind(), StorageErrorKind::Unsupported, "the feed lost something: {error:?}");
                assert_eq!(error.retry(), Retry::Same, "{error:?}");
                assert!(!self.lock().failed, "the test has failed elsewhere");
                0
            }
        }
    }

    /// Reads the feed to its end.
    pub(crate) fn catch_up(&self) {
        while self.read_on(100) > 0 {}
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
        assert!(!late.timed_out() && !known.failed, "waited in vain for commands: {:?}", known.count);
    }

    /// A request as a node has it: its version, what it has been through, and whether its history is whole.
    pub(crate) fn seen_at(&self, node: &Grc, id: RequestId) -> (u64, BTreeMap<String, usize>) {
        let town = node.authority(TOWN).unwrap();
        let desk = town.session(Actor::agent("a-09"));
        let version = self.settle(|| block_on(desk.open(id))).version();
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for entry in self.settle(|| block_on(desk.history(id))) {
            *kinds.entry(entry.kind.to_string()).or_default() += 1;
        }
        let verdict = self.settle(|| block_on(town.host("audit").verify(id)));
        assert_eq!(verdict.problems, Vec::<String>::new(), "{id}");
        assert_eq!(verdict.events, version, "{id}");
        (version, kinds)
    }

    /// An engine on one node alone.
    pub(crate) fn engine_at(&self, cluster: &Cluster, node: usize) -> Grc {
        let node = &cluster.nodes()[node];
        let options = Options::new().durability(Durability::Full);
        let keyring = Arc::new(block_on(options.open_keyring(&node.url(KEYS))).unwrap());
        let stores = block_on(options.open(&node.url(DATABASE), keyring)).unwrap();
        let clock = Arc::<ManualClock>::clone(&self.clock);
        block_on(Grc::with(stores, clock, Arc::new(SystemEntropy))).unwrap()
    }
}
