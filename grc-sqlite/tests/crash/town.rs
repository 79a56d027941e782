//! A town whose processes are killed, and what must be there after it.

use crate::{
    TOWN,
    child::picture,
    ledger::Ledger,
    raw::{Raw, said},
    rules,
    support::{another, elapsed},
    watched::{Ear, engine},
};
use grc_core::{
    Actor, Budget, Clock, Grc, GrcError, KeyId, ManualClock, Moment, RequestId, Value, Word,
    insight::Question,
    request::{Event, Request},
    storage::{EventRange, Load, Log, Parts, StreamKey},
    vault::{KeyState, Slot, StreamContext, VaultRow},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use uuid::Uuid;

/// A town whose processes are killed.
pub(crate) struct Town {
    pub(crate) directory: TempDir,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

pub(crate) struct InProcess(Arc<Mutex<Ledger>>);

impl Ear for InProcess {
    fn hear(&self, line: &str) {
        self.0.lock().unwrap().note(line);
    }
}

impl Town {
    pub(crate) fn new() -> Self {
        let ledger = Ledger { clock: 1_767_222_000_000_000, ..Ledger::default() };
        Self { directory: tempfile::tempdir().unwrap(), ledger: Arc::new(Mutex::new(ledger)) }
    }

    pub(crate) fn stop(&self) -> PathBuf {
        self.directory.path().join("stop")
    }

    /// Starts a process that favours a window.
    pub(crate) fn start(&self, favour: &str, seed: u64, output: Stdio) -> Child {
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
    pub(crate) fn kill(&self, child: &mut Child, window: &str, nth: u32, delay: Duration) -> Option<String> {
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
    pub(crate) async fn check(&self) -> Result<(), String> {
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
    pub(crate) async fn feed(&self, grc: &Grc) -> Result<(), String> {
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
    pub(crate) async fn keys(&self, grc: &Grc) -> Result<(), String> {
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
    pub(crate) async fn acknowledged(&self, grc: &Grc, requests: &BTreeSet<Uuid>) -> Result<(), String> {
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
pub(crate) async fn whole(grc: &Grc, id: RequestId, finished: bool) -> Result<(), String> {
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
