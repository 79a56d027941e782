//! The outbox under faults: two workers at once, killed wherever they wait; a transport that refuses, waits, hangs, and
//! accepts and loses the answer; requests that are forgotten meanwhile.
//!
//! All of it runs on one thread from a seed: workers are futures that are polled in turn and dropped to be killed, on a
//! store that lets go at each of its calls.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use async_trait::async_trait;
use grc_core::{
    Actor, Authority, Budget, Clock, Grc, GrcError, Intake, ManualClock, Moment, Party, RequestId,
    SeededEntropy, Stores, Word,
    conformance::{Dice, Over},
    definition::Definition,
    engine::{Delivery, Outgoing, Transport, WorkReport},
    request::{Command, DeliveryReport, Fire},
    storage::{
        Batch, Claim, EventRange, Fact, Load, Loaded, Page, Parts, Query, Receipt, StorageError, Store,
        StoredEvent, StreamKey, Task,
    },
};
use pollster::block_on;
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

const VILLE: &str = include_str!("../definitions/messages.toml");

/// Lets go once.
async fn pause() {
    let mut gone = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gone, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A store that lets go before each call, and after each that writes.
#[derive(Debug)]
struct Pausing(Arc<dyn Store>);

#[async_trait]
impl Over for Pausing {
    fn under(&self) -> &dyn Store {
        &*self.0
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        pause().await;
        let out = self.0.commit(batch).await;
        pause().await;
        out
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        pause().await;
        self.0.load(load).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        pause().await;
        self.0.query(query).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        pause().await;
        self.0.events(range).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        pause().await;
        let out = self.0.claim(claim).await;
        pause().await;
        out
    }
}

/// What the world outside saw: one line a hand-over.
#[derive(Debug, Clone)]
struct Handed {
    key: String,
    request: RequestId,
    message: u64,
    round: u64,
    channel: String,
    /// The life of the worker that handed it over.
    life: u64,
    /// Whether it arrived there.
    accepted: bool,
    /// Whether the worker was told so.
    told: bool,
}

#[derive(Debug, Default)]
struct World {
    handed: Vec<Handed>,
    /// Lives that ended before their time, or lasted past a lease.
    cut: BTreeSet<u64>,
    forgotten: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

impl World {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// The way out of one life of a worker.
#[derive(Debug)]
struct Post {
    world: Arc<Mutex<World>>,
    store: Arc<dyn Store>,
    seed: AtomicU64,
    life: u64,
    calm: bool,
}

#[async_trait]
impl Transport for Post {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let mut parts = outgoing.key.split('/');
        let request = RequestId::from_uuid(parts.next().unwrap().parse().unwrap());
        let mut number = || parts.next().map_or(0, |part| part.parse().unwrap());
        let (message, round) = (number(), number());
        if is_forgotten(&*self.store, request).await {
            self.world.lock().unwrap().forgotten.push(outgoing.key.clone());
        }
        let seed = self.seed.fetch_add(1, Ordering::Relaxed) + 1;
        let roll = if self.calm { 99 } else { Dice::new(seed ^ (self.life << 20)).below(100) };
        let (accepted, told, what) = match roll {
            0..12 => (true, false, "answer lost"),
            12..18 => (true, false, "hangs after taking"),
            18..24 => (false, false, "hangs"),
            24..34 => (false, false, "refuses"),
            34..50 => (false, false, "later"),
            _ => (true, true, "takes"),
        };
        {
            let mut world = self.world.lock().unwrap();
            world.count(what);
            world.handed.push(Handed {
                key: outgoing.key.clone(),
                request,
                message,
                round,
                channel: outgoing.channel.to_string(),
                life: self.life,
                accepted,
                told,
            });
        }
        pause().await;
        match what {
            "takes" => Delivery::Sent,
            "refuses" => Delivery::Refused("refused"),
            "later" => Delivery::LaterIn(60 + u32::try_from(seed % 600).unwrap(), "busy"),
            "answer lost" => Delivery::Later("timeout"),
            _ => std::future::pending().await,
        }
    }
}

async fn is_forgotten(store: &dyn Store, request: RequestId) -> bool {
    let authority = Word::new("ville").unwrap();
    let stream = StreamKey::new(authority.clone(), Word::new("request").unwrap(), request.uuid());
    let load = Load { authority, streams: vec![stream], parts: Parts::None, receipt: None };
    let row = store.load(&load).await.unwrap().streams.pop().flatten().unwrap().row;
    row.facts.integer(Fact::Anonymised).is_some()
}

type Working = Pin<Box<dyn Future<Output = Result<WorkReport, GrcError>> + Send>>;

/// One of the two places where a worker may be.
#[derive(Default)]
struct Place(Option<(u64, Moment, Working)>);

struct Scene {
    clock: Arc<ManualClock>,
    /// Where people work, on the store as it is.
    desk: Authority,
    /// Where workers work, on one that lets go.
    work: Authority,
    store: Arc<dyn Store>,
    world: Arc<Mutex<World>>,
    dice: Dice,
    lives: u64,
    places: [Place; 2],
    requests: Vec<RequestId>,
}

impl Scene {
    async fn open(seed: u64) -> Self {
        let now: chrono::DateTime<chrono::Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now.into()));
        let stores = Stores::memory();
        let engine = async |stores: Stores, seed| {
            let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
            Grc::with(stores, shown, Arc::new(SeededEntropy::new(seed)))
                .await
                .unwrap()
                .authority("ville")
                .unwrap()
        };
        let desk = engine(stores.clone(), seed).await;
        let store = Arc::clone(&stores.store);
        let pausing = Stores { store: Arc::new(Pausing(Arc::clone(&store))), ..stores };
        desk.host("essai").publish(&Definition::from_files([("ville.toml", VILLE)]).unwrap()).await.unwrap();
        let work = engine(pausing, seed + 1_000_000).await;
        let dice = Dice::new(seed);
        let (world, places) = (Arc::default(), [Place::default(), Place::default()]);
        Self { clock, desk, work, store, world, dice, lives: 0, places, requests: Vec::new() }
    }

    fn post(&self, life: u64, calm: bool) -> Post {
        let (world, store) = (Arc::clone(&self.world), Arc::clone(&self.store));
        Post { world, store, seed: AtomicU64::new(life * 1_000), life, calm }
    }

    /// A person does something.
    async fn person(&mut self) {
        let desk = self.desk.session(Actor::agent("a-1"));
        let known = self.dice.pick(&self.requests).copied();
        match (self.dice.below(10), known) {
            (0..4, _) | (_, None) => {
                let party = Party::named("Anne", "Le Gall").email("anne@example.org");
                let party = match self.dice.below(3) {
                    0 => party.phone("06 39 98 12 34").answer_by("sms"),
                    1 => party.address("12 rue des Lilas", "35000", "Rennes"),
                    _ => party,
                };
                let id = desk.submit(Intake::new("signalement", "web").party(party)).await.unwrap().id();
                self.requests.push(id);
            }
            (4..8, Some(id)) => {
                let _ = desk.act_on(id, None, Command::tell("On s'en occupe.")).await;
            }
            (_, Some(id)) => {
                let _ = desk.act_on(id, None, Fire::new("finir").outcome("fait").message("Merci.")).await;
            }
        }
    }

    /// A provider reports something of what it took.
    async fn provider(&mut self) {
        let taken: Vec<String> = {
            let world = self.world.lock().unwrap();
            world.handed.iter().filter(|handed| handed.accepted).map(|handed| handed.key.clone()).collect()
        };
        let Some(key) = self.dice.pick(&taken).cloned() else { return };
        let report = match self.dice.below(4) {
            0 => DeliveryReport::Bounced("expired".to_owned()),
            1 => DeliveryReport::Read,
            _ => DeliveryReport::Delivered,
        };
        self.world.lock().unwrap().count("reports");
        self.desk.host("passerelle").report(&key, report).await.unwrap();
    }

    /// A worker goes on, or comes.
    fn worker(&mut self) {
        let n = self.dice.below(2);
        let place = self.places.get_mut(n).unwrap();
        if place.0.is_none() {
            self.lives += 1;
            let (life, authority) = (self.lives, self.work.clone());
            let post = self.post(life, false);
            let working: Working =
                Box::pin(async move { authority.host("facteur").work(Some(&post), Budget::ALL).await });
            self.places.get_mut(n).unwrap().0 = Some((life, self.clock.now(), working));
        }
        let polls = 1 + self.dice.below(25);
        let place = self.places.get_mut(n).unwrap();
        let Some((life, since, working)) = &mut place.0 else { return };
        // Whoever lasted longer than a lease may find that another went on.
        if self.clock.now() > since.plus_millis(4 * 60_000) {
            self.world.lock().unwrap().cut.insert(*life);
        }
        for _ in 0..polls {
            if let Poll::Ready(report) = working.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                report.unwrap();
                place.0 = None;
                break;
            }
        }
    }

    fn kill(&mut self) {
        let n = self.dice.below(2);
        if let Some((life, ..)) = self.places.get_mut(n).unwrap().0.take() {
            let mut world = self.world.lock().unwrap();
            world.cut.insert(life);
            world.count("kills");
        }
    }

    fn advance(&mut self, millis: i64) {
        self.clock.set(self.clock.now().plus_millis(millis));
    }

    async fn play(&mut self, steps: u32) {
        for _ in 0..steps {
            match self.dice.below(100) {
                0..12 => self.person().await,
                12..16 => self.provider().await,
                16..22 => self.kill(),
                22..34 => {
                    let millis = i64::try_from(self.dice.below(120_000)).unwrap();
                    self.advance(millis);
                }
                34..36 => self.advance(7 * 60_000),
                36 if self.dice.below(12) == 0 => {
                    // The retention of what was closed is over, with whatever waits.
                    self.world.lock().unwrap().count("retention");
                    self.advance(31 * 86_400_000);
                }
                _ => self.worker(),
            }
        }
        for place in &mut self.places {
            if let Some((life, ..)) = place.0.take() {
                self.world.lock().unwrap().cut.insert(life);
            }
        }
    }

    /// A calm worker and time enough: nothing may be left.
    async fn settle(&mut self) {
        self.lives += 1;
        let post = self.post(self.lives, true);
        for _ in 0..40 {
            self.advance(13 * 3_600_000);
            self.desk.host("facteur").work(Some(&post), Budget::ALL).await.unwrap();
        }
        let report = self.desk.host("facteur").work(Some(&post), Budget::ALL).await.unwrap();
        assert_eq!(report, WorkReport::default());
    }

    /// What must hold, whatever happened.
    async fn check(&mut self) {
        let world = self.world.lock().unwrap().handed.clone();
        let cut = self.world.lock().unwrap().cut.clone();
        assert_eq!(self.world.lock().unwrap().forgotten, Vec::<String>::new(), "handed over when forgotten");
        let desk = self.desk.session(Actor::agent("a-1"));
        for id in &self.requests {
            let seen = desk.open(*id).await.unwrap();
            self.world.lock().unwrap().count(if seen.anonymised_at().is_some() {
                "forgotten"
            } else {
                "kept"
            });
            for message in seen.messages() {
                let status = message.status.as_ref().map_or("none", Word::as_str);
                let arrived =
                    world.iter().any(|h| h.request == *id && h.message == message.seq && h.accepted);
                match status {
                    "sent" | "delivered" | "read" => assert!(arrived, "{id}/{} never left", message.seq),
                    "dead" => self.world.lock().unwrap().count("dead"),
                    "said" => {}
                    other => panic!("{id}/{}: stuck as {other}", message.seq),
                }
                self.world.lock().unwrap().count("messages");
            }
            let verdict = self.desk.host("essai").verify(*id).await.unwrap();
            assert_eq!(verdict.problems, Vec::<String>::new());
        }
        // In order in each queue, as each first arrived.
        let mut last: BTreeMap<(RequestId, &str), u64> = BTreeMap::new();
        let mut seen: BTreeMap<&str, &Handed> = BTreeMap::new();
        for handed in world.iter().filter(|handed| handed.accepted) {
            if let Some(before) = seen.insert(&handed.key, handed) {
                self.world.lock().unwrap().count("duplicates");
                let known = before.told && !cut.contains(&before.life);
                assert!(!known, "handed over again although its answer was written: {before:?} {handed:?}");
                continue;
            }
            if handed.round == 0 {
                let last = last.entry((handed.request, handed.channel.as_str())).or_default();
                assert!(*last < handed.message, "out of order: {handed:?} after {last}");
                *last = handed.message;
            }
        }
    }
}

#[test]
fn every_message_arrives_or_is_known_to_be_given_up() {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 1..=24 {
        block_on(async {
            let mut scene = Scene::open(seed).await;
            scene.play(1_500).await;
            scene.settle().await;
            scene.check().await;
            for (what, count) in &scene.world.lock().unwrap().counts {
                *counts.entry(what).or_default() += count;
            }
        });
    }
    println!("{counts:#?}");
    for (what, least) in [
        ("messages", 800),
        ("kills", 1_000),
        ("duplicates", 100),
        ("takes", 800),
        ("refuses", 150),
        ("later", 150),
        ("hangs", 60),
        ("hangs after taking", 60),
        ("answer lost", 150),
        ("reports", 300),
        ("forgotten", 100),
        ("kept", 500),
        ("dead", 10),
    ] {
        assert!(counts.get(what).copied().unwrap_or_default() >= least, "{what}: {counts:?}");
    }
}

/// At each place where a worker can wait in turn, its request is forgotten; then it goes on.
#[test]
fn nothing_is_handed_over_once_its_request_is_forgotten_wherever_the_worker_was() {
    let (mut before, mut kept) = (0, 0);
    for polls in 1..60 {
        block_on(async {
            let mut scene = Scene::open(polls).await;
            let desk = scene.desk.session(Actor::agent("a-1"));
            let party = Party::requester().email("anne@example.org");
            let id = desk.submit(Intake::new("signalement", "web").party(party)).await.unwrap().id();
            desk.act_on(id, None, Fire::new("finir").outcome("fait")).await.unwrap();
            let (post, authority) = (scene.post(1, true), scene.work.clone());
            let mut working: Working =
                Box::pin(async move { authority.host("facteur").work(Some(&post), Budget::ALL).await });
            let mut poll = || working.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            let done = (0..polls).any(|_| poll());
            scene.advance(31 * 86_400_000);
            let report = scene.desk.host("oubli").work(None, Budget::ALL).await.unwrap();
            assert_eq!(report.anonymised, 1);
            let handed = scene.world.lock().unwrap().handed.len();
            if handed == 0 {
                before += 1;
            }
            assert!(done || (0..500).any(|_| poll()), "it goes on to its end");
            let world = scene.world.lock().unwrap();
            assert_eq!(world.forgotten, Vec::<String>::new(), "after {polls} polls");
            if world.handed.len() == handed {
                kept += 1;
            }
        });
    }
    println!("forgotten before the first hand-over: {before}; nothing handed over after: {kept}");
    assert!(before >= 5 && kept == 59, "{before}, {kept}");
}
