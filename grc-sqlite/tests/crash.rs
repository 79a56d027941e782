//! A writing process is killed with SIGKILL, at chosen moments; what it had acknowledged is there, nothing is half
//! there, and the engine finishes by itself what was interrupted.
//!
//! The child (this program again) runs the engine and says on its output which window it enters, which it leaves, and
//! what was acknowledged to it. The parent kills it a moment after it has entered a window, counts the kill for that
//! window only if the child had not left it, and looks at the files with an engine of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use async_trait::async_trait;
use grc_core::{
    Actor, Assignee, Budget, Clock, Definition, Grc, GrcError, Instruction, Intake, KeyId, ManualClock,
    Moment, Party, Place, RequestId, Stores, SystemEntropy, TrackingCode, Value, Word,
    conformance::Dice,
    definition::{Retention, Then},
    insight::Question,
    request::{Command, Event, Fire, Request},
    storage::{
        Batch, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load, Loaded, Log,
        MeasurePage, Page, Parts, Query, Receipt, ScrubReport, Step, StorageError, Store, StoreInfo,
        StoredEvent, StreamKey, Task,
    },
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey, StreamContext, VaultRow},
};
use grc_sqlite::Options;
use pollster::block_on;
use rusqlite::{Connection, OpenFlags};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{another, definition, elapsed, role, say};
use tempfile::TempDir;
use uuid::Uuid;

const TOWN: &str = "saint-aubin";
/// The windows that kills are aimed at: new keys; a commit; one that erases; keys destroyed, or replaced by those of the
/// slots that stay; and the commit that forgets the name of a month's key that is destroyed already.
const WINDOWS: [&str; 5] = ["issue", "commit", "erase", "destroy", "month"];
/// Kills in each.
const KILLS: u32 = 20;
/// Kills of one of two processes.
const PAIRS: u32 = 10;
/// Steps of a process that is not killed before.
const STEPS: u32 = 300;
/// Longer than the retention period, and than any month.
const DAYS: i64 = 40;

/// A short retention period, so that the clock of a long run does not leave the years that can be stored.
fn rules() -> Definition {
    let mut definition = definition();
    definition.procedures.get_mut("fuite-eau").unwrap().retention =
        Retention { months: 0, days: 30, then: Then::Anonymise };
    definition
}

// ---- What the child says, and who hears it ----

/// Hears what happens: the parent's ledger, or the child's output.
trait Ear: Send + Sync + 'static {
    fn hear(&self, line: &str);
}

/// The child's output. A line is written at once: what was written before the kill arrives.
struct Output;

impl Ear for Output {
    fn hear(&self, line: &str) {
        say(line);
    }
}

fn words(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

/// Says what goes through a store or a keyring, before and after.
#[derive(Clone)]
struct Watched<T: ?Sized>(Arc<T>, Arc<dyn Ear>);

impl<T: ?Sized> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl<T: ?Sized + Send + Sync> Watched<T> {
    /// What happens while a window is open is told in a line of its own after it was left.
    async fn window<R: Send, E: Send>(
        &self,
        window: &str,
        about: &str,
        doing: impl Future<Output = Result<R, E>> + Send,
    ) -> Result<R, E> {
        let thread = std::thread::current().name().unwrap_or("main").to_owned();
        self.1.hear(&format!("enter\t{thread}\t{window}\t{about}"));
        let out = doing.await;
        let done = if out.is_ok() { "done" } else { "failed" };
        self.1.hear(&format!("leave\t{thread}\t{window}\t{done}\t{about}"));
        out
    }
}

/// The window of a batch; the stream that it writes, its version after it, and the kinds of its events.
fn about(batch: &Batch) -> (&'static str, String) {
    let mut stream = String::new();
    let mut kinds = Vec::new();
    for step in batch.steps() {
        if let Step::Append { stream: key, after, events } = step {
            stream = format!("{}\t{}", key.id, after + events.len() as u64);
            for event in events {
                let body: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
                kinds.push(body["kind"].as_str().unwrap().to_owned());
            }
        }
    }
    let window = if kinds.iter().any(|kind| kind == "erased" || kind == "anonymised") {
        "erase"
    } else if batch.steps().iter().any(|step| matches!(step, Step::DropDocument { .. })) {
        "month"
    } else {
        "commit"
    };
    (window, format!("{}\t{}\t{stream}\t{}", batch.authority(), batch.id(), kinds.join(",")))
}

#[async_trait]
impl Store for Watched<dyn Store> {
    fn info(&self) -> StoreInfo {
        self.0.info()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let (window, about) = about(&batch);
        self.window(window, &about, self.0.commit(batch)).await
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.0.load(load).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.0.query(query).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.0.events(range).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.0.measures(authority, after, limit).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.0.changes(authority, after, limit).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.0.claim(claim).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.0.documents(range).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.0.scrub().await
    }
}

#[async_trait]
impl Keyring for Watched<dyn Keyring> {
    fn info(&self) -> KeyringInfo {
        self.0.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.0.epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.window("issue", &words(keys.iter().map(|(id, _)| id)), self.0.issue(keys)).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.0.open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        let about = format!("kept\t{id}\t{}", words(slots.keys()));
        self.window("destroy", &about, self.0.keep(id, slots)).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        let about = format!("gone\t{}", words(ids));
        self.window("destroy", &about, self.0.destroy(ids)).await
    }
}

/// An engine on the files of a directory.
async fn engine(directory: &Path, clock: &Arc<ManualClock>, ear: Arc<dyn Ear>) -> Result<Grc, GrcError> {
    let opened: Stores = Options::new().create(true).open(directory.join("town.db"))?.into();
    let stores = Stores {
        store: Arc::new(Watched(opened.store, Arc::clone(&ear))),
        blobs: opened.blobs,
        keyring: Arc::new(Watched(opened.keyring, ear)),
    };
    Grc::with(stores, Arc::<ManualClock>::clone(clock), Arc::new(SystemEntropy)).await
}

// ---- The child ----

/// A request that a child works on.
#[derive(Clone)]
struct Item {
    id: RequestId,
    stage: u8,
    erased: Vec<&'static str>,
    photo: bool,
}

struct Worker {
    grc: Grc,
    clock: Arc<ManualClock>,
    dice: Dice,
    favour: String,
    items: Arc<Mutex<Vec<Item>>>,
}

/// A picture of so many bytes.
fn picture(bytes: usize) -> Vec<u8> {
    let mut picture = b"\xff\xd8\xff\xe0".to_vec();
    picture.extend((picture.len()..bytes).map(|n| (n % 251) as u8));
    picture
}

/// Whether an error is only somebody else's having been faster.
fn is_race(error: &GrcError) -> bool {
    matches!(error, GrcError::Conflict(_) | GrcError::Refused(_))
}

impl Worker {
    fn run(mut self, until: &Path) {
        for _ in 0..STEPS {
            if until.exists() {
                break;
            }
            if let Err(error) = block_on(self.step()) {
                say(&format!("bad\t{error} ({error:?})"));
                return;
            }
        }
        say("end");
    }

    async fn step(&mut self) -> Result<(), GrcError> {
        self.clock.set(self.clock.now().plus_millis(1_000));
        let count = self.items.lock().unwrap().len();
        let (submit, act, erase) = match self.favour.as_str() {
            "issue" => (80, 90, 95),
            "commit" => (40, 90, 95),
            "erase" => (25, 60, 92),
            "month" => return self.month().await,
            _ => (25, 60, 80),
        };
        match self.dice.below(100) {
            n if n < submit || count == 0 => {
                // Some are letters that lay about, perhaps of a month that is over, its key destroyed.
                let days = if self.dice.once_in(4) { self.dice.below(300) } else { 0 };
                self.submit(days as i64).await.map(|_| ())
            }
            n if n < act => {
                let index = self.dice.below(count);
                self.advance(index).await
            }
            n if n < erase => self.erase().await,
            _ => self.work().await,
        }
    }

    /// The only request of a month that is over comes in, is closed and forgotten; the month's key goes with it.
    async fn month(&mut self) -> Result<(), GrcError> {
        let days = 400 + 31 * self.dice.below(400) as i64;
        let index = self.submit(days).await?;
        for _ in 0..4 {
            self.advance(index).await?;
        }
        self.work().await?;
        self.work().await
    }

    async fn submit(&mut self, days_ago: i64) -> Result<usize, GrcError> {
        let session = self.grc.authority(TOWN)?.session(Actor::agent("a-09"));
        let needle = format!("needle-{:016x}", self.dice.next());
        let phone = format!("06 39 98 {:02} {:02}", self.dice.below(100), self.dice.below(100));
        let mut intake = Intake::new("fuite-eau", "telephone")
            .set("description", needle.as_str())
            .set("gravite", "ecoulement")
            .at(Place::address("12 rue des Lilas", "35000", "Rennes").and_position(48.117_266, -1.677_793))
            .party(Party::named("Anne", "Le Gall").phone(phone).email("anne@example.org"));
        let size = match self.dice.below(4) {
            0 => 1_000 + self.dice.below(1_000),
            1 => 100_000,
            _ => 0,
        };
        if size > 0 {
            let photo = session.store_file(Some("photo"), "fuite.jpg", &*picture(size)).await?;
            intake = intake.file(photo);
        }
        if days_ago > 0 {
            intake = intake.occurred_at(self.clock.now().plus_days(-days_ago).to_utc());
        }
        let submitted = match session.submit(intake).await {
            // The other thread moved the clock by a month in between: the file counts as left behind.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.has("file.expired")) => {
                return Box::pin(self.submit(days_ago)).await;
            }
            submitted => submitted?,
        };
        let (id, code) = (submitted.id(), submitted.tracking_code().to_string());
        say(&format!("submitted\t{id}\t{}\t{code}\t{needle}\t{size}", submitted.version()));
        let mut items = self.items.lock().unwrap();
        items.push(Item { id, stage: 0, erased: Vec::new(), photo: size > 0 });
        Ok(items.len() - 1)
    }

    /// Leads a request a step further: assigned, done, closed; or notes something.
    async fn advance(&mut self, index: usize) -> Result<(), GrcError> {
        let item = self.items.lock().unwrap()[index].clone();
        let town = self.grc.authority(TOWN)?;
        let (agent, command, note) = match item.stage {
            0 => ("a-09", Command::Fire(Fire::new("affecter").to(Assignee::team("fontainiers"))), None),
            1 => ("a-02", Command::Assess { acceptability: "traitable".to_owned(), reason: None }, None),
            2 => ("a-02", Command::Fire(Fire::new("traiter")), None),
            3 => ("a-02", Command::Fire(Fire::new("cloturer").outcome("repare")), None),
            _ => {
                let note = format!("note-{:016x}", self.dice.next());
                ("a-09", Command::note(note.as_str()), Some(note))
            }
        };
        match town.session(Actor::agent(agent)).act_on(item.id, None, Instruction::new(command)).await {
            Ok(acted) => {
                say(&format!("acted\t{}\t{}\t{}", item.id, acted.version(), note.unwrap_or_default()));
                self.items.lock().unwrap()[index].stage = 4.min(item.stage + 1);
                Ok(())
            }
            Err(error) if is_race(&error) => {
                self.items.lock().unwrap()[index].stage = 4.min(item.stage + 1);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn erase(&mut self) -> Result<(), GrcError> {
        let (index, item) = {
            let items = self.items.lock().unwrap();
            let index = self.dice.below(items.len());
            (index, items[index].clone())
        };
        let mut paths = vec!["requester.phone", "place.address", "description"];
        if item.photo {
            paths.push("photo");
        }
        paths.retain(|path| !item.erased.contains(path));
        let Some(path) = self.dice.pick(&paths).copied() else { return Ok(()) };
        say(&format!("erasing\t{}\t{path}", item.id));
        let command =
            Command::Erase { paths: vec![path.to_owned()], reason: "droit-a-l-effacement".to_owned() };
        let session = self.grc.authority(TOWN)?.session(Actor::agent("a-09"));
        let outcome = session.act_on(item.id, None, Instruction::new(command)).await;
        self.items.lock().unwrap()[index].erased.push(path);
        match outcome {
            Ok(acted) => {
                say(&format!("erased\t{}\t{}\t{path}", item.id, acted.version()));
                // Often the key goes at once.
                if self.dice.once_in(2) { self.due().await } else { Ok(()) }
            }
            Err(error) if is_race(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets the retention of all that is closed pass, and does what is due.
    async fn work(&mut self) -> Result<(), GrcError> {
        self.clock.set(self.clock.now().plus_days(DAYS));
        say(&format!("clock\t{}", self.clock.now().micros()));
        self.due().await
    }

    async fn due(&mut self) -> Result<(), GrcError> {
        let report = self.grc.authority(TOWN)?.host("worker").work(None, Budget::ALL).await?;
        say(&format!("worked\t{report:?}"));
        Ok(())
    }
}

/// Only what another test starts does anything.
#[test]
fn child() {
    let Some(role) = role() else { return };
    let [directory, start, seed, favour, stop] = <[String; 5]>::try_from(role).unwrap();
    let directory = PathBuf::from(directory);
    let clock = Arc::new(ManualClock::at(Moment::from_micros(start.parse().unwrap())));
    let seed: u64 = seed.parse().unwrap();
    say("\nbegin");
    let grc = block_on(async {
        let grc = engine(&directory, &clock, Arc::new(Output)).await.unwrap();
        grc.authority(TOWN).unwrap().host("set-up").publish(&rules()).await.unwrap();
        let session = grc.authority(TOWN).unwrap().session(Actor::agent("a-09"));
        let listed = session.list(&grc_core::List::new().limit(12)).await.unwrap();
        let items = listed.requests.iter().map(|request| Item {
            id: request.id,
            stage: match request.state.as_str() {
                "recue" => 0,
                "affectee" => 1,
                "traitee" => 3,
                _ => 4,
            },
            erased: Vec::new(),
            photo: false,
        });
        (grc, Arc::new(Mutex::new(items.collect::<Vec<_>>())))
    });
    let (grc, items) = grc;
    let workers: Vec<_> = (0..2_u64)
        .map(|n| {
            let worker = Worker {
                grc: grc.clone(),
                clock: Arc::clone(&clock),
                dice: Dice::new(seed ^ (n << 32)),
                favour: favour.clone(),
                items: Arc::clone(&items),
            };
            let stop = PathBuf::from(&stop);
            std::thread::Builder::new().name(n.to_string()).spawn(move || worker.run(&stop)).unwrap()
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

// ---- The parent ----

/// What was acknowledged of a request, and what may have been done to it besides.
#[derive(Debug, Default, Clone)]
struct Known {
    version: u64,
    /// What the intake said, if it was acknowledged.
    intake: Option<(TrackingCode, String, usize)>,
    notes: Vec<String>,
    /// Erasures that were begun, and those that were acknowledged.
    erasing: BTreeSet<String>,
    erased: BTreeSet<String>,
    /// Anonymising was begun; it was acknowledged.
    forgetting: bool,
    forgotten: bool,
}

#[derive(Debug, Default)]
struct Ledger {
    requests: BTreeMap<RequestId, Known>,
    batches: BTreeMap<String, BTreeSet<String>>,
    issued: BTreeSet<KeyId>,
    gone: BTreeSet<KeyId>,
    kept: BTreeMap<KeyId, BTreeSet<Slot>>,
    clock: i64,
    /// The windows that each thread is in.
    open: HashMap<String, String>,
    bad: Vec<String>,
    acknowledged: u64,
    /// Something was acknowledged: the files are made, and must be there.
    made: bool,
}

fn list<T: FromStr + Ord>(text: &str) -> BTreeSet<T> {
    text.split(',').filter_map(|item| item.parse().ok()).collect()
}

impl Ledger {
    fn request(&mut self, id: &str) -> &mut Known {
        self.requests.entry(id.parse().unwrap()).or_default()
    }

    fn note(&mut self, line: &str) {
        let parts: Vec<&str> = line.split('\t').collect();
        match parts[..] {
            ["enter", thread, window, ..] => {
                self.open.insert(thread.to_owned(), window.to_owned());
                if let ["enter", _, "erase", _, _, id, _, kinds] = parts[..]
                    && kinds.contains("anonymised")
                {
                    self.request(id).forgetting = true;
                }
            }
            ["leave", thread, window, done, ..] => {
                self.open.remove(thread);
                if done == "done" {
                    self.acknowledged += 1;
                    self.made = true;
                    self.done(window, &parts[4..]);
                }
            }
            ["submitted", id, version, code, needle, size] => {
                let known = self.request(id);
                known.version = known.version.max(version.parse().unwrap());
                known.intake = Some((code.parse().unwrap(), needle.to_owned(), size.parse().unwrap()));
            }
            ["acted", id, version, note] => {
                let known = self.request(id);
                known.version = known.version.max(version.parse().unwrap());
                known.notes.extend((!note.is_empty()).then(|| note.to_owned()));
            }
            ["erasing", id, path] => drop(self.request(id).erasing.insert(path.to_owned())),
            ["erased", id, version, path] => {
                let known = self.request(id);
                known.version = known.version.max(version.parse().unwrap());
                known.erased.insert(path.to_owned());
            }
            ["clock", micros] => self.clock = self.clock.max(micros.parse().unwrap()),
            ["bad", ..] => self.bad.push(line.to_owned()),
            _ => {}
        }
    }

    fn done(&mut self, window: &str, about: &[&str]) {
        match (window, about) {
            ("commit" | "erase" | "month", [authority, batch, rest @ ..]) => {
                self.batches.entry((*authority).to_owned()).or_default().insert((*batch).to_owned());
                if let [id, version, kinds] = rest
                    && !kinds.is_empty()
                    && !kinds.contains("published")
                {
                    let known = self.request(id);
                    known.version = known.version.max(version.parse().unwrap());
                    known.forgotten |= kinds.contains("anonymised");
                }
            }
            ("issue", [ids]) => self.issued.extend(list::<KeyId>(ids)),
            ("destroy", ["gone", ids]) => self.gone.extend(list::<KeyId>(ids)),
            ("destroy", ["kept", id, slots]) => {
                let slots = list(slots);
                let kept = self.kept.entry(id.parse().unwrap()).or_insert_with(|| slots.clone());
                kept.retain(|slot| slots.contains(slot));
            }
            other => panic!("not understood: {other:?}"),
        }
    }
}

/// A town whose processes are killed.
struct Town {
    directory: TempDir,
    ledger: Arc<Mutex<Ledger>>,
}

struct InProcess(Arc<Mutex<Ledger>>);

impl Ear for InProcess {
    fn hear(&self, line: &str) {
        self.0.lock().unwrap().note(line);
    }
}

macro_rules! must {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

impl Town {
    fn new() -> Self {
        let ledger = Ledger { clock: 1_767_222_000_000_000, ..Ledger::default() };
        Self { directory: tempfile::tempdir().unwrap(), ledger: Arc::new(Mutex::new(ledger)) }
    }

    fn stop(&self) -> PathBuf {
        self.directory.path().join("stop")
    }

    /// Starts a process that favours a window.
    fn start(&self, favour: &str, seed: u64, output: Stdio) -> Child {
        let clock = self.ledger.lock().unwrap().clock;
        let (directory, stop) =
            (self.directory.path().display().to_string(), self.stop().display().to_string());
        another(&[&directory, &clock.to_string(), &seed.to_string(), favour, &stop])
            .stdout(output)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap()
    }

    /// Lets a process run until it enters a window for the `nth` time, and kills it a moment later. Answers the window
    /// that it was in: none if it was faster.
    fn kill(&self, child: &mut Child, window: &str, nth: u32, delay: Duration) -> Option<String> {
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut seen = 0;
        let mut aimed = None;
        let mut line = String::new();
        loop {
            line.clear();
            // The last line may have been cut by the kill.
            if lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                break;
            }
            let text = line.trim_end();
            self.ledger.lock().unwrap().note(text);
            let parts: Vec<&str> = text.split('\t').collect();
            if let ["enter", thread, entered, ..] = parts[..]
                && entered == window
                && aimed.is_none()
            {
                seen += 1;
                if seen == nth {
                    aimed = Some(thread.to_owned());
                    let until = elapsed() + delay;
                    while elapsed() < until {
                        std::hint::spin_loop();
                    }
                    child.kill().unwrap();
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut ledger = self.ledger.lock().unwrap();
        let hit = aimed.and_then(|thread| ledger.open.get(&thread).cloned());
        ledger.open.clear();
        assert!(ledger.bad.is_empty(), "the child failed: {:#?}", ledger.bad);
        hit
    }

    /// Opens the files, and checks what must hold. Lets the engine finish what was interrupted, and checks that it did.
    async fn check(&self) -> Result<(), String> {
        let now = {
            let mut ledger = self.ledger.lock().unwrap();
            // Past every lease of the process that was killed.
            ledger.clock = Moment::from_micros(ledger.clock).plus_days(1).micros();
            Moment::from_micros(ledger.clock)
        };
        let clock = Arc::new(ManualClock::at(now));
        let ear: Arc<dyn Ear> = Arc::new(InProcess(Arc::clone(&self.ledger)));
        let grc = engine(self.directory.path(), &clock, ear).await.map_err(said)?;
        let town = grc.authority(TOWN).map_err(said)?;
        if self.ledger.lock().unwrap().requests.is_empty() {
            // Killed before anything was published, perhaps.
            town.host("set-up").publish(&rules()).await.map_err(said)?;
        }
        let raw = Raw::open(self.directory.path())?;
        raw.is_sound()?;
        self.feed(&grc).await?;
        self.keys(&grc).await?;
        let requests = raw.ids("SELECT id FROM stream WHERE kind = 'request'")?;
        for id in &requests {
            whole(&grc, RequestId::from_uuid(*id), false).await.map_err(|error| format!("{id}: {error}"))?;
        }
        raw.links()?;
        raw.blobs(false)?;
        self.acknowledged(&grc, &requests).await?;
        // What was interrupted is finished.
        for _ in 0..3 {
            let report = town.host("worker").work(None, Budget::ALL).await.map_err(said)?;
            must!(report.later == 0 && report.dead == 0, "tasks fail after the kill: {report:?}");
        }
        let pending = raw.count("SELECT count(*) FROM task WHERE what = 'destroy'")?;
        must!(pending == 0, "{pending} keys wait to be destroyed");
        let keyring = &grc.stores().keyring;
        for (name, id) in raw.named_keys()? {
            let state = keyring.open(&[id]).await.map_err(said)?.pop();
            must!(
                matches!(state, Some(KeyState::Whole(_))),
                "the key `{name}` is {state:?}, and its name lives"
            );
        }
        for id in &requests {
            whole(&grc, RequestId::from_uuid(*id), true).await.map_err(|error| format!("{id}: {error}"))?;
        }
        self.acknowledged(&grc, &requests).await?;
        let figures = town.host("audit").figures(&Question::all()).await.map_err(said)?;
        must!(
            figures.total == requests.len() as u64,
            "{} requests, figures say {}",
            requests.len(),
            figures.total
        );
        clock.set(now.plus_millis(2 * 3_600_000));
        town.host("worker").sweep().await.map_err(said)?;
        raw.blobs(true)?;
        raw.links()?;
        let mut ledger = self.ledger.lock().unwrap();
        ledger.clock = clock.now().micros();
        ledger.open.clear();
        Ok(())
    }

    /// Every acknowledged batch is in the feed, and none is in it twice.
    async fn feed(&self, grc: &Grc) -> Result<(), String> {
        for authority in [TOWN, "store"] {
            let word: Word = authority.parse().unwrap();
            let mut found = BTreeSet::new();
            let mut after = None;
            loop {
                let page = grc.stores().store.changes(&word, after.as_ref(), 1_000).await.map_err(said)?;
                if page.changes.is_empty() {
                    break;
                }
                for change in page.changes {
                    must!(
                        found.insert(change.batch.to_string()),
                        "batch {} is in the feed twice",
                        change.batch
                    );
                }
                after = Some(page.next);
            }
            for batch in self.ledger.lock().unwrap().batches.get(authority).into_iter().flatten() {
                must!(found.contains(batch), "batch {batch} was acknowledged, and is not in the feed");
            }
        }
        Ok(())
    }

    /// What the keyring acknowledged is so.
    async fn keys(&self, grc: &Grc) -> Result<(), String> {
        let (issued, gone, kept) = {
            let ledger = self.ledger.lock().unwrap();
            (ledger.issued.clone(), ledger.gone.clone(), ledger.kept.clone())
        };
        let ids: Vec<KeyId> = issued.iter().chain(&gone).chain(kept.keys()).copied().collect();
        let states = grc.stores().keyring.open(&ids).await.map_err(said)?;
        for (id, state) in ids.iter().zip(states) {
            must!(state != KeyState::Unknown, "key {id} was issued, and is not in the keyring");
            must!(
                !gone.contains(id) || state == KeyState::Destroyed,
                "key {id} was destroyed, and is {state:?}"
            );
            if let Some(slots) = kept.get(id) {
                match state {
                    KeyState::Kept(found) => {
                        let more = found.keys().any(|slot| !slots.contains(slot));
                        must!(!more, "key {id} kept slots {slots:?}, and has {:?}", found.keys());
                    }
                    KeyState::Destroyed => {}
                    other => return Err(format!("key {id} was replaced by its slots', and is {other:?}")),
                }
            }
        }
        Ok(())
    }

    /// What was acknowledged of requests is there, and what was erased is not.
    async fn acknowledged(&self, grc: &Grc, requests: &BTreeSet<Uuid>) -> Result<(), String> {
        let known = self.ledger.lock().unwrap().requests.clone();
        let town = grc.authority(TOWN).map_err(said)?;
        let session = town.session(Actor::agent("a-09"));
        for (id, known) in known {
            if known.version == 0 {
                continue;
            }
            must!(requests.contains(&id.uuid()), "request {id} was acknowledged, and is not there");
            let seen = session.open(id).await.map_err(|error| format!("{id}: {error}"))?;
            let (version, acknowledged) = (seen.version(), known.version);
            must!(version >= acknowledged, "{id} is at {version}, acknowledged at {acknowledged}");
            let forgotten = seen.anonymised_at().is_some();
            must!(forgotten || !known.forgotten, "{id} was anonymised, and is not");
            must!(!forgotten || known.forgetting, "{id} is anonymised, and nobody did it");
            let phone = seen.parties().first().and_then(|party| party.details.get("phone"));
            let address = seen.place().and_then(|place| place.address.as_ref());
            let there = |path: &str| match path {
                "requester.phone" => phone.is_some(),
                "place.address" => address.is_some(),
                "description" => seen.field("description").is_some(),
                _ => !seen.files().is_empty(),
            };
            for path in &known.erased {
                must!(!there(path), "{id}: `{path}` was erased, and can be read");
            }
            let Some((code, needle, size)) = &known.intake else { continue };
            let followed = town.session(Actor::holder(code.clone())).follow().await;
            if forgotten {
                must!(
                    matches!(followed, Err(GrcError::NotFound)),
                    "{id} is anonymised, and its code leads on"
                );
                for path in ["requester.phone", "place.address", "description", "photo"] {
                    must!(!there(path), "{id} is anonymised, and `{path}` can be read");
                }
                must!(seen.notes().is_empty(), "{id} is anonymised, and has notes");
                continue;
            }
            must!(followed.is_ok_and(|seen| seen.id() == id), "{id}: its code does not lead to it");
            for path in ["requester.phone", "place.address", "description", "photo"] {
                let given = path != "photo" || *size > 0;
                must!(
                    there(path) || !given || known.erasing.contains(path),
                    "{id}: `{path}` was acknowledged, and cannot be read"
                );
            }
            if let Some(found) = seen.field("description") {
                must!(*found == Value::from(needle.as_str()), "{id}: the description is another");
            }
            for note in &known.notes {
                must!(seen.notes().iter().any(|found| found.text == *note), "{id}: a note is not there");
            }
            if let Some(file) = seen.files().first() {
                let bytes = session.read_file(id, file).await.map_err(|error| format!("{id}: {error}"))?;
                must!(bytes == picture(*size), "{id}: the photo is another");
            }
        }
        Ok(())
    }
}

/// A request's rows belong together: its history verifies, the vault holds exactly the slots that live, and the
/// keyring opens each. If nothing is pending any more, it opens none that was erased.
async fn whole(grc: &Grc, id: RequestId, finished: bool) -> Result<(), String> {
    let authority: Word = TOWN.parse().unwrap();
    let verdict = grc.authority(TOWN).map_err(said)?.host("audit").verify(id).await.map_err(said)?;
    must!(verdict.problems.is_empty(), "{}", verdict.problems.join("; "));
    let stream = StreamKey::new(authority.clone(), RequestId::KIND.parse().unwrap(), id.uuid());
    let load = Load {
        authority: authority.clone(),
        streams: vec![stream.clone()],
        parts: Parts::All,
        receipt: None,
    };
    let (store, keyring) = (&grc.stores().store, &grc.stores().keyring);
    let record = store.load(&load).await.map_err(said)?.streams.pop().flatten().ok_or("it has no row")?;
    let request: Request = serde_json::from_slice(&record.row.body).map_err(said)?;
    must!(verdict.events == request.version, "{} events, version {}", verdict.events, request.version);
    let context = StreamContext::new(&record.row.birth, &stream.kind, stream.id);
    let mut sealed = BTreeMap::new();
    for bytes in record.vault.values() {
        for slot in VaultRow::from_bytes(bytes).map_err(said)?.0 {
            must!(sealed.insert(slot.slot, slot.key).is_none(), "slot {} is there twice", slot.slot);
        }
    }
    let living: BTreeSet<Slot> = request.book.slots.keys().copied().collect();
    let found: BTreeSet<Slot> = sealed.keys().copied().collect();
    must!(living == found, "the state has the slots {living:?}, the vault {found:?}");
    for (slot, key) in &sealed {
        must!(
            request.book.key_of(*slot) == Some(*key),
            "slot {slot} is sealed under another key than its own"
        );
        let state = keyring.open(&[*key]).await.map_err(said)?.pop().ok_or("no answer")?;
        must!(state.slot(&context, *slot).is_some(), "slot {slot} lives, and its key {key} is {state:?}");
    }
    if finished {
        let range = EventRange { stream, log: Log::History, after: 0, limit: 1_000 };
        for stored in store.events(&range).await.map_err(said)? {
            let event: Event = Event::from_bytes(&stored.body).map_err(said)?;
            let Some(key) = event.key else { continue };
            let state = keyring.open(&[key]).await.map_err(said)?.pop().ok_or("no answer")?;
            for slot in event.slots.keys().filter(|slot| !living.contains(slot)) {
                must!(
                    state.slot(&context, *slot).is_none(),
                    "slot {slot} was erased, and its key {key} opens it"
                );
            }
        }
    }
    Ok(())
}

/// The tables themselves.
struct Raw {
    store: Connection,
    keys: Connection,
}

impl Raw {
    fn open(directory: &Path) -> Result<Self, String> {
        let open = |name: &str| {
            Connection::open_with_flags(directory.join(name), OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(said)
        };
        Ok(Self { store: open("town.db")?, keys: open("town.keys")? })
    }

    fn is_sound(&self) -> Result<(), String> {
        for connection in [&self.store, &self.keys] {
            let text: String =
                connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(said)?;
            must!(text == "ok", "a file is damaged: {text}");
        }
        Ok(())
    }

    fn count(&self, sql: &str) -> Result<i64, String> {
        self.store.query_row(sql, [], |row| row.get(0)).map_err(said)
    }

    fn ids(&self, sql: &str) -> Result<BTreeSet<Uuid>, String> {
        let mut statement = self.store.prepare(sql).map_err(said)?;
        let rows = statement.query_map([], |row| row.get(0).map(Uuid::from_bytes)).map_err(said)?;
        rows.collect::<Result<_, _>>().map_err(said)
    }

    /// No link leads nowhere, and exactly what is not anonymised has a tracking code, and one.
    fn links(&self) -> Result<(), String> {
        let nowhere = self.count(
            "SELECT count(*) FROM link l WHERE NOT EXISTS
             (SELECT 1 FROM stream s WHERE s.authority = l.authority AND s.kind = l.kind AND s.id = l.id)",
        )?;
        must!(nowhere == 0, "{nowhere} links lead to no request");
        let linked = self.ids("SELECT id FROM link WHERE link = 'tracking'")?;
        let codes = self.count("SELECT count(*) FROM link WHERE link = 'tracking'")?;
        must!(codes == linked.len() as i64, "a request has two tracking codes");
        let living = self.ids(
            "SELECT id FROM stream WHERE kind = 'request' AND json_extract(CAST(body AS TEXT), '$.code') IS NOT NULL",
        )?;
        must!(linked == living, "tracking codes lead to {linked:?}, and {living:?} have one");
        Ok(())
    }

    /// Each linked blob is there; if all was swept, no other.
    fn blobs(&self, swept: bool) -> Result<(), String> {
        let there = self.ids("SELECT DISTINCT id FROM blob")?;
        let linked = self.ids("SELECT key FROM link WHERE link = 'blob'")?;
        must!(linked.is_subset(&there), "blobs are missing");
        must!(!swept || linked == there, "{} blobs that nobody names were left", there.len() - linked.len());
        Ok(())
    }

    fn named_keys(&self) -> Result<Vec<(String, KeyId)>, String> {
        let mut statement = self
            .store
            .prepare(
                "SELECT name, body FROM document d WHERE kind = 'key' AND version =
                 (SELECT max(version) FROM document e WHERE e.kind = d.kind AND e.name = d.name)",
            )
            .map_err(said)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .map_err(said)?;
        let mut out = Vec::new();
        for row in rows {
            let (name, body) = row.map_err(said)?;
            let body: serde_json::Value = serde_json::from_slice(&body).map_err(said)?;
            out.push((name, body["id"].as_str().ok_or("no id")?.parse().map_err(said)?));
        }
        Ok(out)
    }
}

#[test]
fn what_was_acknowledged_survives_kills_and_nothing_is_half_there() {
    let began = elapsed();
    let mut dice = Dice::new(20_261_124);
    let mut kills: BTreeMap<&str, u32> = WINDOWS.iter().map(|window| (*window, 0)).collect();
    let mut longest: BTreeMap<&str, u32> = WINDOWS.iter().map(|window| (*window, 2_000)).collect();
    let mut elsewhere = 0;
    let mut tries = 0;
    let mut town = Town::new();
    let mut totals = Totals::default();
    while kills.values().any(|count| *count < KILLS) {
        tries += 1;
        assert!(tries < 12 * KILLS, "most kills miss: {kills:?}");
        let window = *WINDOWS.iter().min_by_key(|window| kills[*window]).unwrap();
        let nth = 1 + dice.below(if window == "issue" || window == "month" { 2 } else { 8 }) as u32;
        let delay = longest[window] as usize;
        let delay = Duration::from_micros(dice.below(delay.max(1)) as u64);
        let mut child = town.start(window, dice.next(), Stdio::piped());
        let hit = town.kill(&mut child, window, nth, delay);
        match hit {
            Some(hit) if hit == window => *kills.get_mut(window).unwrap() += 1,
            _ => {
                elsewhere += 1;
                // It was out again already: less patience.
                let longest = longest.get_mut(window).unwrap();
                *longest = (*longest * 3 / 4).max(50);
            }
        }
        block_on(town.check())
            .unwrap_or_else(|problem| panic!("after kill {tries}, aimed at {window}: {problem}"));
        if tries % 12 == 0 {
            totals.add(&town);
            town = Town::new();
        }
    }
    totals.add(&town);
    say(&format!(
        "kills within each window: {kills:?}; between windows: {elsewhere}; delays at most {longest:?} µs; {totals:?}; \
         {:.1} s",
        (elapsed() - began).as_secs_f64()
    ));
    totals.are_not_empty();
}

/// What the processes had acknowledged in all, so that nobody takes a run for a proof in which nothing happened.
#[derive(Debug, Default)]
struct Totals {
    towns: usize,
    requests: usize,
    writes: u64,
    erased: usize,
    anonymised: usize,
    keys_destroyed: usize,
    keys_replaced: usize,
}

impl Totals {
    fn add(&mut self, town: &Town) {
        let ledger = town.ledger.lock().unwrap();
        self.towns += 1;
        self.requests += ledger.requests.len();
        self.writes += ledger.acknowledged;
        self.erased += ledger.requests.values().map(|known| known.erased.len()).sum::<usize>();
        self.anonymised += ledger.requests.values().filter(|known| known.forgotten).count();
        self.keys_destroyed += ledger.gone.len();
        self.keys_replaced += ledger.kept.len();
    }

    fn are_not_empty(&self) {
        let all = [self.requests, self.erased, self.anonymised, self.keys_destroyed, self.keys_replaced];
        assert!(all.iter().all(|count| *count > 10), "too little happened: {self:?}");
    }
}

#[test]
fn of_two_processes_one_is_killed_and_the_other_goes_on() {
    let began = elapsed();
    let mut dice = Dice::new(7);
    let (mut hits, mut after_kill) = (0, Vec::new());
    let mut town = Town::new();
    for round in 0..PAIRS {
        if round % 5 == 0 {
            town = Town::new();
        }
        let window = WINDOWS[round as usize % WINDOWS.len()];
        let log = town.directory.path().join("survivor");
        let mut survivor = town.start("erase", dice.next(), File::create(&log).unwrap().into());
        let mut victim = town.start(window, dice.next(), Stdio::piped());
        let delay = Duration::from_micros(dice.below(500) as u64);
        let nth = 1 + dice.below(if window == "issue" || window == "month" { 1 } else { 6 }) as u32;
        if town.kill(&mut victim, window, nth, delay).is_some() {
            hits += 1;
        }
        let until_kill = std::fs::read_to_string(&log).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        File::create(town.stop()).unwrap();
        assert!(survivor.wait().unwrap().success());
        std::fs::remove_file(town.stop()).unwrap();
        let all = std::fs::read_to_string(&log).unwrap();
        let mut ledger = town.ledger.lock().unwrap();
        all.lines().for_each(|line| ledger.note(line));
        assert!(ledger.bad.is_empty(), "the survivor failed: {:#?}", ledger.bad);
        drop(ledger);
        let done = |text: &str| {
            text.lines().filter(|line| line.starts_with("leave") && line.contains("\tdone\t")).count()
        };
        after_kill.push(done(&all) - done(&until_kill));
        block_on(town.check()).unwrap_or_else(|problem| panic!("round {round}, {window}: {problem}"));
    }
    assert!(after_kill.iter().all(|count| *count > 0), "the survivor goes on: {after_kill:?}");
    say(&format!(
        "two processes: {PAIRS} kills, {hits} of them within a window; what the survivor wrote after each: {after_kill:?}; {:.1} s",
        (elapsed() - began).as_secs_f64()
    ));
}
