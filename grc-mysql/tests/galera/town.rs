//! People who hand in requests and decide on them, workers who send the messages, and one who follows the feed, each at
//! a node of a cluster and with the others to go to.

use crate::{
    nodes::NODES,
    people::{Known, People, TOWN, definition, may_repeat},
};
use async_trait::async_trait;
use grc_core::{
    Actor, Assignee, Budget, Clock, Grc, Instruction, Intake, ManualClock, Moment, Party, Place, RequestId,
    SystemEntropy, Word,
    conformance::Dice,
    engine::{Delivery, Outgoing, Transport},
    request::{Command, Fire},
    storage::{Change, Cursor, Retry, StorageErrorKind, Store},
};
use grc_mysql::{Durability, MysqlStore, Options};
use pollster::block_on;
use private_server::Cluster;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Where it is.
pub(crate) const DATABASE: &str = "town";
const KEYS: &str = "keyring";
/// How long a node is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much faster the town's clock goes: a lease of five minutes is over in three seconds.
const HASTE: i64 = 100;

/// What they keep.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The requests, each with its tracking code and the version that was acknowledged last.
    requests: BTreeMap<RequestId, (String, u64)>,
    /// The messages, in the order in which they were handed over.
    handed: Vec<String>,
    changes: Vec<Change>,
    /// Where the one who follows goes on.
    after: Option<Cursor>,
    /// When something was acknowledged last, and the longest time between two of them.
    last: Duration,
    longest: Duration,
    /// Those who write and are not done yet.
    writers: usize,
}

/// An engine for each node, over one store.
pub(crate) struct Town {
    engines: Vec<Grc>,
    follows: MysqlStore,
    clock: Arc<ManualClock>,
    pub(crate) people: People<Kept>,
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
        self.0.people.lock().kept.handed.push(outgoing.key.clone());
        Delivery::Sent
    }
}

/// Time that passed since the first call.
#[expect(clippy::disallowed_methods, reason = "how long others stand still is measured")]
pub(crate) fn elapsed() -> Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(std::time::Instant::now).elapsed()
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
        Self { engines, follows, clock, people: People::default() }
    }

    /// The names of its databases.
    pub(crate) const fn databases() -> [&'static str; 2] {
        [DATABASE, KEYS]
    }

    pub(crate) fn requests(&self) -> BTreeMap<RequestId, (String, u64)> {
        self.people.lock().kept.requests.clone()
    }

    pub(crate) fn handed(&self) -> Vec<String> {
        self.people.lock().kept.handed.clone()
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        self.people.lock().kept.changes.clone()
    }

    /// Begins to measure anew how long nothing is acknowledged.
    pub(crate) fn reset_longest(&self) {
        let mut known = self.people.lock();
        known.kept.last = elapsed();
        known.kept.longest = Duration::ZERO;
    }

    pub(crate) fn longest(&self) -> Duration {
        self.people.lock().kept.longest
    }

    fn note(&self, note: impl FnOnce(&mut Known<Kept>)) {
        self.people.note(|known| {
            let now = elapsed();
            known.kept.longest = known.kept.longest.max(now.saturating_sub(known.kept.last));
            known.kept.last = now;
            note(known);
        });
    }

    /// Starts the writers, the workers, who follows, and the clock.
    pub(crate) fn start<'s>(
        &'s self,
        scope: &'s std::thread::Scope<'s, '_>,
        (writers, workers): (usize, usize),
        seed: u64,
    ) {
        self.people.lock().kept.writers = writers;
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
        let known = self.people.lock();
        known.failed || known.ended && known.kept.writers == 0
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
        let _working = self.people.working();
        let town = self.engines[number % NODES].authority(TOWN).unwrap();
        let mut dice = Dice::new(seed << 8 | number as u64);
        for n in 0.. {
            if self.people.lock().ended {
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
            let submitted = self.people.settle(|| block_on(desk.submit(intake.clone())));
            let id = submitted.id();
            let code = submitted.tracking_code().to_string();
            self.note(|known| {
                known.count.submitted += 1;
                known.kept.requests.insert(id, (code, submitted.version()));
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
                let acted = self.people.settle(|| block_on(session.act_on(id, None, instruction.clone())));
                self.note(|known| {
                    known.count.acted += 1;
                    if let Some((_, version)) = known.kept.requests.get_mut(&id) {
                        *version = acted.version();
                    }
                });
            }
        }
        self.people.lock().kept.writers -= 1;
    }

    /// Sends messages, and does what else is due.
    fn work(&self, number: usize) {
        let _working = self.people.working();
        let host = self.engines[(number + 1) % NODES].authority(TOWN).unwrap().host("worker");
        let post = Post(self);
        while !self.ended() {
            match block_on(host.work(Some(&post), Budget::tasks(20))) {
                Ok(_) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => {
                    assert!(may_repeat(&error), "{error:?}");
                    self.people.lock().count.works += 1;
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
            self.people.settle(|| block_on(host.work(Some(&post), Budget::ALL)));
        }
    }

    /// Reads the feed all the time.
    fn follow(&self) {
        let _working = self.people.working();
        let mut dice = Dice::new(5);
        while !self.ended() {
            if self.read_on(1 + dice.below(50)) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Reads a page of the feed, where the last one ended. Answers how many changes it had.
    fn read_on(&self, limit: usize) -> usize {
        let after = self.people.lock().kept.after.clone();
        let store: &dyn Store = &self.follows;
        let limit = u32::try_from(limit).unwrap();
        match block_on(store.changes(&Word::new(TOWN).unwrap(), after.as_ref(), limit)) {
            Ok(page) => {
                let count = page.changes.len();
                let mut known = self.people.lock();
                known.kept.changes.extend(page.changes);
                known.kept.after = Some(page.next);
                count
            }
            Err(error) => {
                assert_ne!(error.kind(), StorageErrorKind::Unsupported, "the feed lost something: {error:?}");
                assert_eq!(error.retry(), Retry::Same, "{error:?}");
                assert!(!self.people.lock().failed, "the test has failed elsewhere");
                0
            }
        }
    }

    /// Reads the feed to its end.
    pub(crate) fn catch_up(&self) {
        while self.read_on(100) > 0 {}
    }

    /// A request as a node has it: its version, what it has been through, and whether its history is whole.
    pub(crate) fn seen_at(&self, node: &Grc, id: RequestId) -> (u64, BTreeMap<String, usize>) {
        let town = node.authority(TOWN).unwrap();
        let desk = town.session(Actor::agent("a-09"));
        let version = self.people.settle(|| block_on(desk.open(id))).version();
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for entry in self.people.settle(|| block_on(desk.history(id))) {
            *kinds.entry(entry.kind.to_string()).or_default() += 1;
        }
        let verdict = self.people.settle(|| block_on(town.host("audit").verify(id)));
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
