//! A life of a request, replayed with a fault at the first, second, … call of the store, of the keyring or of the store of
//! attachments, until it passes without: whatever was lost, who does again what failed ends where nothing failed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use grc_core::{
    Actor, Assignee, Authority, Budget, Clock, Definition, Grc, GrcError, Instruction, Intake,
    InterventionId, List, ManualClock, Moment, Party, RequestId, SeededEntropy, Session, Stores, Submitted,
    Word,
    conformance::{Fault, FaultBlobs, FaultKeyring, FaultStore},
    engine::{RecordingTransport, SiteInstruction},
    insight::Question,
    intervention::{Planning, Work},
    request::{Command, Fire},
    storage::BlobStore,
};
use pollster::block_on;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

fn at(text: &str) -> Moment {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

/// More than one piece of a file.
static PHOTO: &[u8] = &{
    let mut photo = [7; 70_000];
    [photo[0], photo[1], photo[2], photo[3]] = *b"\xff\xd8\xff\xe0";
    photo
};

const FAULTS: [Fault; 3] = [Fault::Before, Fault::AnswerLost, Fault::Dies];

/// At which call what fails; 0 means never.
#[derive(Debug, Clone, Copy, Default)]
struct Calls {
    store: u64,
    keyring: u64,
    blobs: u64,
}

/// A town whose stores and keyring fail once, and whoever works with it.
struct World {
    stores: Stores,
    store: Arc<FaultStore>,
    keyring: Arc<FaultKeyring>,
    blobs: Arc<FaultBlobs>,
    /// What keeps the bytes of files, beneath.
    kept: Arc<dyn BlobStore>,
    clock: Arc<ManualClock>,
    transport: RecordingTransport,
    engine: Option<Grc>,
    seed: u64,
    fault: Fault,
    retried: u64,
}

impl World {
    fn with(fault: Fault, calls: Calls) -> Self {
        let stores = Stores::memory();
        let store = Arc::new(FaultStore::any_call(Arc::clone(&stores.store), fault, calls.store));
        let keyring = Arc::new(FaultKeyring::new(Arc::clone(&stores.keyring), fault, calls.keyring));
        let blobs = Arc::new(FaultBlobs::new(Arc::clone(&stores.blobs), fault, calls.blobs));
        Self {
            kept: stores.blobs,
            stores: Stores {
                store: Arc::<FaultStore>::clone(&store),
                keyring: Arc::<FaultKeyring>::clone(&keyring),
                blobs: Arc::<FaultBlobs>::clone(&blobs),
            },
            store,
            keyring,
            blobs,
            clock: Arc::new(ManualClock::at(at("2026-11-24T09:00:00Z"))),
            transport: RecordingTransport::new(),
            engine: None,
            seed: 0,
            fault,
            retried: 0,
        }
    }

    /// The engine of this process; another one after a death, with chance of its own.
    async fn authority(&mut self) -> Result<Authority, GrcError> {
        if self.engine.is_none() {
            self.seed += 1;
            let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
            let entropy = Arc::new(SeededEntropy::new(self.seed));
            self.engine = Some(Grc::with(self.stores.clone(), clock, entropy).await?);
        }
        self.engine.as_ref().unwrap().authority("ville")
    }

    /// Does something, and does it again if it fails, as who called it would.
    async fn done<T>(&mut self, what: impl AsyncFn(&Self, &Authority) -> Result<T, GrcError>) -> T {
        for _ in 0..4 {
            let done = match self.authority().await {
                Ok(authority) => what(self, &authority).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(done) => return done,
                Err(GrcError::Storage(_) | GrcError::Keyring(_)) => {
                    self.retried += 1;
                    self.revive();
                }
                Err(error) => panic!("a fault below came out as `{error}`"),
            }
        }
        panic!("it fails again and again")
    }

    /// Whether the fault has come.
    fn has_failed(&self) -> bool {
        self.store.has_failed() || self.keyring.has_failed() || self.blobs.has_failed()
    }

    /// Where the process died another one goes on.
    fn revive(&mut self) {
        if self.fault == Fault::Dies && self.has_failed() {
            self.store.heal();
            self.keyring.heal();
            self.blobs.heal();
            self.engine = None;
        }
    }

    async fn act(&mut self, id: RequestId, agent: &str, key: &str, command: fn() -> Instruction) {
        self.done(async |_, authority| {
            authority.session(Actor::agent(agent)).act_on(id, None, command().key(key)).await
        })
        .await;
    }

    async fn on_site(&mut self, id: InterventionId, key: &str, work: Work) {
        self.done(async |_, authority| {
            let instruction = SiteInstruction::from(work.clone()).key(key);
            authority.session(Actor::agent("a-05")).work_on(id, None, instruction).await
        })
        .await;
    }

    /// Works for three hours, looking every twenty minutes: what failed or was left held comes round.
    async fn work(&mut self) {
        for _ in 0..9 {
            self.done(async |world, authority| {
                authority.host("worker").work(Some(&world.transport), Budget::ALL).await
            })
            .await;
            // What a worker meets in a single task it puts back, and tells nobody.
            self.revive();
            self.clock.set(self.clock.now().plus_millis(20 * 60_000));
        }
    }
}

/// What can be seen of the town, without ids and without the moments at which a worker came round.
#[derive(Debug, PartialEq)]
struct Picture {
    state: Vec<String>,
    history: Vec<String>,
    messages: Vec<String>,
    figures: grc_core::insight::Figures,
    listed: usize,
    found: usize,
    problems: Vec<String>,
    events: (u64, u64),
    /// Whether each file is read as it was handed in.
    files: Vec<bool>,
    handed: BTreeMap<String, usize>,
}

async fn picture(world: &mut World, leak: &Submitted, site: InterventionId) -> Picture {
    let handed = world.transport.given();
    // Handed over twice under one key is handed over once.
    let once: BTreeSet<_> = handed.iter().map(|one| (one.key.clone(), one.channel.to_string())).collect();
    let mut channels = BTreeMap::new();
    once.into_iter().for_each(|(_, channel)| *channels.entry(channel).or_default() += 1);
    let mut picture = world.done(async |_, authority| seen(authority, leak, site).await).await;
    picture.handed = channels;
    picture
}

async fn seen(authority: &Authority, leak: &Submitted, site: InterventionId) -> Result<Picture, GrcError> {
    let (id, code) = (leak.id(), leak.tracking_code().to_string());
    let chief: Session = authority.session(Actor::agent("a-02"));
    let host = authority.host("check");
    let (request, on_site) = (chief.open(id).await?, chief.intervention(site).await?);
    let state = vec![
        format!("{:?} {:?} {:?}", request.state(), request.phase(), request.outcome()),
        format!("{:?} {:?} {:?}", request.service(), request.team(), request.agent()),
        format!("{:?} {:?}", request.fields(), request.closed_at()),
        format!("{:?} {:?}", request.parties(), request.anonymised_at().is_some()),
        format!("{:?} {:?} {:?}", on_site.stage(), on_site.minutes(), on_site.cents()),
        format!("{:?}", on_site.served().iter().map(|served| served.cents).collect::<Vec<_>>()),
    ];
    let mut history: Vec<String> = chief
        .history(id)
        .await?
        .into_iter()
        .map(|entry| format!("{} {:?} {:?}", entry.kind, entry.actor.kind, entry.values).replace(&code, "…"))
        .collect();
    // Of what workers do in one round the order is not promised.
    history.sort();
    let told = |message: &grc_core::engine::MessageView| {
        format!("{} {:?} {} {:?}", message.channel, message.template, message.text.len(), message.status)
    };
    let verdicts = (host.verify(id).await?, host.verify_intervention(site).await?);
    let phone = grc_core::definition::Contact::Phone;
    let mut files = Vec::new();
    for file in request.files() {
        files.push(chief.read_file(id, file).await? == PHOTO);
    }
    Ok(Picture {
        state,
        history,
        messages: request.messages().iter().map(told).collect(),
        figures: host.figures(&Question::all()).await?,
        listed: chief.list(&List::new()).await?.requests.len(),
        found: chief.by_contact("espace-public", phone, "06 39 98 12 34").await?.len(),
        problems: [verdicts.0.problems, verdicts.1.problems].concat(),
        events: (verdicts.0.events, verdicts.1.events),
        files,
        handed: BTreeMap::new(),
    })
}

/// From intake to anonymisation: what was seen before the retention, and after it.
async fn life(world: &mut World) -> [Picture; 2] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions/voirie");
    let voirie = Definition::from_dir(path).unwrap();
    world.done(async |_, authority| authority.host("essai").publish(&voirie).await).await;
    // Whoever is not told that it was stored stores it once more; what was stored before is swept one day.
    let photo = world
        .done(async |_, authority| {
            authority.session(Actor::agent("a-01")).store_file(Some("photo"), "a.jpg", PHOTO).await
        })
        .await;
    let submitted = world
        .done(async |_, authority| {
            let party = Party::named("Anne", "Le Gall").phone("06 39 98 12 34").email("anne@example.org");
            let leak = Intake::new("fuite-eau", "telephone").set("description", "l'eau coule");
            let intake = leak.set("gravite", "ecoulement").party(party).file(photo.clone()).key("intake");
            authority.session(Actor::agent("a-01")).submit(intake).await
        })
        .await;
    let id = submitted.id();
    let given: fn() -> Instruction = || Fire::new("affecter").to(Assignee::agent("a-05")).into();
    world.act(id, "a-02", "assign", given).await;
    world.act(id, "a-02", "tell", || Instruction::new(Command::tell("Nous venons demain."))).await;
    world.work().await;
    let (from, until) = (at("2026-11-25T08:00:00Z").to_utc(), at("2026-11-25T11:00:00Z").to_utc());
    let site = world
        .done(async |_, authority| {
            let planning = Planning::new(from, until).serving(id).team("fontainiers").key("plan");
            authority.session(Actor::agent("a-02")).plan(planning).await
        })
        .await
        .id();
    world.on_site(site, "start", Work::Start).await;
    world.on_site(site, "spend", Work::spend(75)).await;
    world.on_site(site, "done", Work::done_with(id, "Collier changé.")).await;
    world.act(id, "a-02", "treat", || Fire::new("traiter").into()).await;
    world.act(id, "a-02", "close", || Fire::new("cloturer").outcome("repare").into()).await;
    world.work().await;
    let before = picture(world, &submitted, site).await;
    world.clock.set(at("2028-01-10T09:00:00Z"));
    world.work().await;
    world.done(async |_, authority| authority.host("worker").sweep().await).await;
    let after = picture(world, &submitted, site).await;
    let blobs = world.kept.list(&Word::new("ville").unwrap(), world.clock.now(), None, 10).await;
    assert!(blobs.is_ok_and(|page| page.blobs.is_empty()), "no bytes of any file are left");
    [before, after]
}

/// Whether the fault came.
#[track_caller]
fn replayed(sound: &[Picture; 2], fault: Fault, at: Calls, retried: &mut u64) -> bool {
    let mut world = World::with(fault, at);
    let pictures = block_on(life(&mut world));
    assert_eq!(&pictures, sound, "{fault:?} at {at:?}");
    *retried += world.retried;
    world.has_failed()
}

fn sound() -> [Picture; 2] {
    let mut world = World::with(Fault::Before, Calls::default());
    let pictures = block_on(life(&mut world));
    let [before, after] = &pictures;
    assert_eq!((before.problems.len(), after.problems.len()), (0, 0), "{before:?} {after:?}");
    assert!(before.handed.values().sum::<usize>() >= 2, "messages left: {:?}", before.handed);
    assert_eq!((before.found, after.found), (1, 0), "found by telephone until it is forgotten");
    assert!(after.state.iter().any(|line| line.ends_with("true")), "it was anonymised: {:?}", after.state);
    assert_eq!((before.files.as_slice(), after.files.len()), (&[true][..], 0), "the file, and that it goes");
    assert_eq!(world.retried, 0, "nothing fails by itself");
    pictures
}

#[test]
fn a_fault_at_every_call_of_the_store_changes_nothing_in_the_end() {
    let sound = sound();
    for fault in FAULTS {
        let (mut at, mut retried) = (1, 0);
        while replayed(&sound, fault, Calls { store: at, ..Calls::default() }, &mut retried) {
            at += 1;
        }
        println!("{fault:?}: {} calls of the store failed, {retried} were told", at - 1);
        assert!(at > 150, "only {at} calls");
        // Lost answers of commits are asked for again below; other failures are told, unless a worker meets them.
        assert!(retried > 50, "only {retried} calls were done again");
    }
}

#[test]
fn a_fault_at_every_call_of_the_keyring_changes_nothing_in_the_end() {
    let sound = sound();
    for fault in FAULTS {
        let (mut at, mut retried) = (1, 0);
        while replayed(&sound, fault, Calls { keyring: at, ..Calls::default() }, &mut retried) {
            at += 1;
        }
        println!("{fault:?}: {} calls of the keyring failed, {retried} were told", at - 1);
        assert!(at > 30, "only {at} calls");
        assert!(retried > 10, "only {retried} calls were done again");
    }
}

#[test]
fn a_fault_at_every_call_for_attachments_changes_nothing_in_the_end() {
    let sound = sound();
    for fault in FAULTS {
        let (mut at, mut retried) = (1, 0);
        while replayed(&sound, fault, Calls { blobs: at, ..Calls::default() }, &mut retried) {
            at += 1;
        }
        println!("{fault:?}: {} calls for attachments failed, {retried} were told", at - 1);
        // Two pieces are put and read; what a worker meets when it removes them it does again.
        assert!(at > 6, "only {at} calls");
        assert!(retried > 3, "only {retried} calls were done again");
    }
}
