//! To forget is to destroy a key: against somebody who holds every byte ever written to the store, and the keyring's
//! files as they are afterwards. Each step of an erasure, left out, turns one named assertion red.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

#[path = "erasure/attack.rs"]
mod attack;
#[path = "erasure/spy.rs"]
mod spy;

use attack::{Loot, attack, files_open, windows};
use grc_core::{
    Actor, Budget, Definition, Grc, GrcError, Intake, ManualClock, Moment, Party, Place, RequestId, Session,
    Stores, SystemEntropy, TrackingCode, Value, Word,
    definition::Contact,
    engine::{Delivery, Outgoing, Transport},
    intervention::{Occasion, Planning, Purchase, Work},
    request::{Command, Fire, Request},
    storage::{Fact, Load, Parts, Store, StreamKey},
    vault::{Keyring, Slot},
};
use grc_sqlite::{Options, SqliteKeyring, SqliteStore};
use pollster::block_on;
use spy::{Off, Spy};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

const TOWN: &str = "essai";
const PHONE: &str = "06 39 98 47 11";

fn definition() -> Definition {
    Definition::from_files([("town.toml", include_str!("erasure/town.toml"))])
        .unwrap_or_else(|error| panic!("{error}"))
}

fn at(text: &str) -> Moment {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

/// Refuses one message for ever, by whatever channel, and keeps the others waiting.
#[derive(Debug, Default)]
struct Never;

#[async_trait::async_trait]
impl Transport for Never {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        if outgoing.text.expose().to_string().contains("perdu") {
            Delivery::Refused("no-such-number")
        } else {
            Delivery::Later("busy")
        }
    }
}

/// A town with a request that is to be forgotten and one that lives, before and after.
struct World {
    directory: tempfile::TempDir,
    stores: Arc<Spy<SqliteStore>>,
    blobs: Arc<Spy<SqliteStore>>,
    keyring: Arc<SqliteKeyring>,
    grc: Grc,
    clock: Arc<ManualClock>,
    erased: RequestId,
    erased_code: TrackingCode,
    live: RequestId,
    /// What the slots of the request to be forgotten held, before.
    values: BTreeMap<Slot, Value>,
    /// The slots that must be gone.
    gone: Vec<Slot>,
    /// Copies of the files from before.
    backup: PathBuf,
    /// Every needle: what was typed.
    needles: Vec<String>,
}

impl World {
    fn path(&self) -> PathBuf {
        self.directory.path().join("town.db")
    }

    fn session(&self) -> Session {
        self.grc.authority(TOWN).unwrap().session(Actor::agent("a-01"))
    }

    async fn state(&self, id: RequestId) -> Request {
        let stream = StreamKey::new(Word::new(TOWN).unwrap(), Word::new("request").unwrap(), id.uuid());
        let load = Load {
            authority: Word::new(TOWN).unwrap(),
            streams: vec![stream],
            parts: Parts::None,
            receipt: None,
        };
        let row = self.stores.load(&load).await.unwrap().streams.pop().flatten().unwrap().row;
        serde_json::from_slice(&row.body).unwrap()
    }
}

/// Random text that is not anywhere by chance.
fn needle(needles: &mut Vec<String>, what: &str) -> String {
    let mut bytes = [0_u8; 9];
    grc_core::Entropy::fill(&SystemEntropy, &mut bytes).unwrap();
    let text = format!("{what}-{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    needles.push(text.clone());
    text
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// No typed value is in clear in any file of the directory, in UTF-8 or UTF-16.
fn nothing_in_clear(directory: &Path, needles: &[String]) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            in_clear(&bytes, needles, &path.display().to_string());
        }
    }
}

fn in_clear(bytes: &[u8], needles: &[String], place: &str) {
    for needle in needles {
        let utf16: Vec<u16> = needle.encode_utf16().collect();
        let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for form in [needle.as_bytes(), &little, &big] {
            assert!(
                !bytes.windows(form.len()).any(|window| window == form),
                "a typed value is in clear in {place}"
            );
        }
    }
}

/// Plays the town up to three months after closure, with a step of erasing left out, and work done.
async fn play(off: Off) -> World {
    let directory = tempfile::tempdir().unwrap();
    let opened = Options::new().create(true).open(directory.path().join("town.db")).unwrap();
    let spied = Arc::new(Spy::new(Arc::clone(&opened.store), off));
    let blobs = Arc::new(Spy::new(Arc::clone(&opened.store), off));
    let keys = Arc::new(Spy::new(Arc::clone(&opened.keyring), off));
    let stores = Stores { store: spied.clone(), blobs: blobs.clone(), keyring: keys };
    let clock = Arc::new(ManualClock::at(at("2026-03-02T09:00:00Z")));
    let grc = Grc::with(stores, clock.clone(), Arc::new(SystemEntropy)).await.unwrap();
    let town = grc.authority(TOWN).unwrap();
    town.host("essai").publish(&definition()).await.unwrap();
    let agent = town.session(Actor::agent("a-01"));
    let mut needles = Vec::new();
    let n = &mut needles;

    let photo =
        agent.store_file(Some("photo"), &needle(n, "photo"), needle(n, "image").as_bytes()).await.unwrap();
    let intake = Intake::new("fuite", "telephone")
        .set("description", needle(n, "description"))
        .set("compteur", needle(n, "compteur"))
        .set("remarque", needle(n, "remarque"))
        .set("materiau", "pvc")
        .at(Place::address(&needle(n, "rue"), "35000", "Rennes").and_position(48.123_456, -1.654_321))
        .party(
            Party::named(needle(n, "prenom"), needle(n, "nom"))
                .phone(PHONE)
                .email(format!("{}@example.org", needle(n, "courriel"))),
        )
        .file(photo)
        .source_key(needle(n, "source"))
        .key("clef-1");
    let leak = agent.submit(intake).await.unwrap();
    let live = Intake::new("fuite", "telephone")
        .set("description", needle(n, "vivante"))
        .party(Party::named("Autre", needle(n, "autre")).phone(PHONE));
    let live = agent.submit(live).await.unwrap();
    nothing_in_clear(directory.path(), n);
    let id = leak.id();
    agent.act_on(id, None, Command::correct("description", needle(n, "corrigee"))).await.unwrap();
    agent.act_on(id, None, Command::note(needle(n, "note"))).await.unwrap();
    agent.act_on(id, None, Command::tell(needle(n, "perdu"))).await.unwrap();
    agent
        .act_on(
            id,
            None,
            Command::Tell { text: needle(n, "attend").into(), channel: Some("courriel".into()) },
        )
        .await
        .unwrap();
    // Work on site for both, with what was typed about each.
    let from = at("2026-03-03T08:00:00Z").to_utc();
    let planning = Planning::new(from, from)
        .serving(id)
        .serving(live.id())
        .team("equipe")
        .instructions(id, needle(n, "consigne"))
        .instructions(live.id(), needle(n, "autre-consigne"));
    let site = agent.plan(planning).await.unwrap().id();
    let picture = [b"\x89PNG\r\n\x1a\n", needle(n, "vue").as_bytes()].concat();
    let file = agent.store_file(None, &format!("{}.png", needle(n, "vue")), &picture[..]).await.unwrap();
    let occasion = Occasion::Before;
    agent.work_on(site, None, Work::Photo { request: Some(id), occasion, file }).await.unwrap();
    let bought = Purchase::net(1_234).item(needle(n, "achat")).invoice(needle(n, "facture"));
    agent.work_on(site, None, Work::Buy(bought)).await.unwrap();
    agent.work_on(site, None, Work::done_with(id, needle(n, "compte-rendu"))).await.unwrap();
    let worker = town.host("worker");
    let transport = Never;
    let report = worker.work(Some(&transport), Budget::ALL).await.unwrap();
    assert_eq!((report.dead, report.later), (1, 1), "a dead and a waiting message: {report:?}");
    nothing_in_clear(directory.path(), n);
    agent.act_on(id, None, Fire::new("terminer").outcome("repare").message(needle(n, "fin"))).await.unwrap();

    let mut world = World {
        backup: directory.path().join("backup"),
        directory,
        stores: spied,
        blobs,
        keyring: Arc::clone(&opened.keyring),
        grc: grc.clone(),
        clock: clock.clone(),
        erased: id,
        erased_code: leak.tracking_code().clone(),
        live: live.id(),
        values: BTreeMap::new(),
        gone: Vec::new(),
        needles,
    };
    // What is there before: all slots, by the attack itself with the keyring as it is.
    let state = world.state(id).await;
    let all: Vec<Slot> = state.book.slots.keys().copied().collect();
    let loot = Loot::of(&world.stores.batches.lock().unwrap(), id.uuid());
    let found =
        attack(&loot, TOWN, id.uuid(), &windows(world.directory.path(), &[".keys"]), &all, &BTreeMap::new());
    assert_eq!(found.opened.len(), all.len(), "with the keyring from before, the attack opens everything");
    assert!(files_open(&world.blobs.pieces.lock().unwrap(), &found), "and the attachment");
    world.gone =
        state.book.slots.iter().filter(|(_, path)| **path != "remarque").map(|(slot, _)| *slot).collect();
    world.values = found.opened;
    copy(world.directory.path(), &world.backup);

    clock.set(at("2026-06-02T09:00:01Z"));
    let report = worker.work(None, Budget::ALL).await.unwrap();
    assert_eq!(report.anonymised, 1, "{report:?}");
    nothing_in_clear(world.directory.path(), &world.needles);
    world
}

type Check = (&'static str, bool);

/// Every assertion, by name.
#[expect(clippy::future_not_send, reason = "a database connection of the test's own is held")]
async fn checks(world: &World) -> Vec<Check> {
    let agent = world.session();
    let town = world.grc.authority(TOWN).unwrap();
    let candidates = windows(world.directory.path(), &[".keys"]);
    let batches = world.stores.batches.lock().unwrap().clone();
    let loot = Loot::of(&batches, world.erased.uuid());
    let found = attack(&loot, TOWN, world.erased.uuid(), &candidates, &world.gone, &world.values);
    let authority = Word::new(TOWN).unwrap();
    let stream = StreamKey::new(authority.clone(), Word::new("request").unwrap(), world.erased.uuid());
    let load = Load { authority, streams: vec![stream], parts: Parts::All, receipt: None };
    let record = world.stores.load(&load).await.unwrap().streams.pop().flatten().unwrap();
    let rows: Vec<Slot> = record
        .vault
        .values()
        .flat_map(|bytes| grc_core::vault::VaultRow::from_bytes(bytes).unwrap().0)
        .map(|sealed| sealed.slot)
        .collect();
    let holder = town.session(Actor::holder(world.erased_code.clone()));
    let found_by_phone = agent.by_contact("fuite", Contact::Phone, PHONE).await.unwrap();
    let again = Intake::new("fuite", "telephone")
        .set("description", "encore")
        .source_key(world.needles.iter().find(|needle| needle.starts_with("source")).unwrap().as_str())
        .occurred_at(at("2026-03-02T09:00:00Z").to_utc());
    let source_is_free = agent.submit(again).await.is_ok();
    let state = world.state(world.erased).await;
    let coarse =
        [Fact::Lat, Fact::Lon].iter().all(|f| record.row.facts.integer(*f).is_some_and(|v| v % 10_000 == 0));
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    let count = |sql: &str| -> i64 {
        let id = world.erased.uuid();
        connection.query_row(sql, [id.as_bytes().as_slice()], |row| row.get(0)).unwrap()
    };
    let file_opens = files_open(&world.blobs.pieces.lock().unwrap(), &found);
    let pieces = count("SELECT count(*) FROM blob WHERE ?1 IS NOT NULL");
    let seen = agent.open(world.erased).await.unwrap();
    vec![
        ("no sealed slot opens", found.opened.is_empty()),
        ("no commitment can be tried", found.guessed.is_empty()),
        ("no attachment opens", !file_opens),
        ("the vault rows are gone", rows.iter().all(|slot| !world.gone.contains(slot))),
        ("the tracking code leads nowhere", matches!(holder.follow().await, Err(GrcError::NotFound))),
        ("the contact leads to the live request only", found_by_phone == [world.live]),
        ("the source key is free again", source_is_free),
        (
            "nothing waits to be sent, dead or alive",
            count("SELECT count(*) FROM task WHERE stream=?1 AND what='deliver'") == 0,
        ),
        (
            "the tokens of personal fields are gone",
            count("SELECT count(*) FROM link WHERE id=?1 AND link LIKE 'index.%'") == 0,
        ),
        (
            "the tokens of contacts are gone",
            count("SELECT count(*) FROM link WHERE id=?1 AND link LIKE 'contact.%'") == 0,
        ),
        ("the bytes of the attachment are gone", pieces == 0),
        ("the place is coarse", coarse),
        ("the state names no erased slot", state.book.slots.keys().all(|slot| !world.gone.contains(slot))),
        (
            "the field that is not personal stays",
            seen.field("remarque").is_some() && seen.field("materiau").is_some(),
        ),
        ("the history verifies", town.host("audit").verify(world.erased).await.unwrap().problems.is_empty()),
        (
            "the work is shared as before, and the other request's part stays",
            matches!(seen.interventions(), [on_site] if on_site.cents == Some(617) && on_site.texts.is_empty())
                && matches!(agent.open(world.live).await.unwrap().interventions(), [on_site] if on_site.texts.len() == 1),
        ),
    ]
}

fn red(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|(_, holds)| !holds).map(|(name, _)| *name).collect()
}

#[test]
fn what_is_erased_cannot_be_had_again() {
    block_on(async {
        let world = play(Off::Nothing).await;
        let checks = checks(&world).await;
        assert_eq!(red(&checks), Vec::<&str>::new());
        println!(
            "{} assertions hold; {} slots were erased, tried with every run of 32 bytes",
            checks.len(),
            world.gone.len()
        );
        // Nor is any typed value in clear in any byte that the store was given.
        for batch in world.stores.batches.lock().unwrap().iter() {
            in_clear(format!("{batch:?}").as_bytes(), &world.needles, "a batch");
            for step in batch.steps() {
                if let grc_core::storage::Step::Append { events, .. } = step {
                    events.iter().for_each(|event| in_clear(&event.body, &world.needles, "an event"));
                }
                if let grc_core::storage::Step::PutStream { row, .. } = step {
                    in_clear(&row.body, &world.needles, "a stream row");
                }
            }
        }
    });
}

#[test]
fn each_step_left_out_turns_its_assertion_red() {
    for (off, expected) in [
        (Off::VaultRows, "the vault rows are gone"),
        (Off::ContactLinks, "the tokens of contacts are gone"),
        (Off::SourceLinks, "the source key is free again"),
        (Off::TrackingLink, "the tracking code leads nowhere"),
        (Off::IndexLinks, "the tokens of personal fields are gone"),
        (Off::Tasks, "nothing waits to be sent, dead or alive"),
        (Off::CoarseFacts, "the place is coarse"),
        (Off::Attachments, "the bytes of the attachment are gone"),
        (Off::KeptKeys, "no sealed slot opens"),
    ] {
        let red = block_on(async { red(&checks(&play(off).await).await) });
        println!("{off:?} left out: {red:?}");
        assert!(red.contains(&expected), "{off:?} left out does not turn `{expected}` red: {red:?}");
    }
}

#[test]
fn a_request_without_a_lasting_field_loses_its_whole_key() {
    block_on(async {
        for (off, expected) in [(Off::Nothing, true), (Off::DestroyedKeys, false)] {
            let directory = tempfile::tempdir().unwrap();
            let opened = Options::new().create(true).open(directory.path().join("town.db")).unwrap();
            let spied = Arc::new(Spy::new(Arc::clone(&opened.store), off));
            let keys = Arc::new(Spy::new(Arc::clone(&opened.keyring), off));
            let stores = Stores { store: spied.clone(), blobs: opened.store.clone(), keyring: keys };
            let clock = Arc::new(ManualClock::at(at("2026-03-02T09:00:00Z")));
            let grc = Grc::with(stores, clock.clone(), Arc::new(SystemEntropy)).await.unwrap();
            let town = grc.authority(TOWN).unwrap();
            town.host("essai").publish(&definition()).await.unwrap();
            let agent = town.session(Actor::agent("a-01"));
            let id = agent
                .submit(Intake::new("fuite", "telephone").set("description", "au secret"))
                .await
                .unwrap()
                .id();
            agent.act_on(id, None, Fire::new("terminer").outcome("repare")).await.unwrap();
            clock.set(at("2026-07-02T09:00:00Z"));
            let report = town.host("worker").work(None, Budget::ALL).await.unwrap();
            assert_eq!((report.anonymised, report.destroyed), (1, 1));
            let loot = Loot::of(&spied.batches.lock().unwrap(), id.uuid());
            let found = attack(
                &loot,
                TOWN,
                id.uuid(),
                &windows(directory.path(), &[".keys"]),
                &[1, 2],
                &BTreeMap::new(),
            );
            assert_eq!(found.opened.is_empty(), expected, "{off:?}");
        }
    });
}

#[test]
fn one_value_can_be_erased_before_its_time() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let opened = Options::new().create(true).open(directory.path().join("town.db")).unwrap();
        let spied = Arc::new(Spy::new(Arc::clone(&opened.store), Off::Nothing));
        let stores =
            Stores { store: spied.clone(), blobs: opened.store.clone(), keyring: opened.keyring.clone() };
        let clock = Arc::new(ManualClock::at(at("2026-03-02T09:00:00Z")));
        let grc = Grc::with(stores, clock, Arc::new(SystemEntropy)).await.unwrap();
        let town = grc.authority(TOWN).unwrap();
        town.host("essai").publish(&definition()).await.unwrap();
        let agent = town.session(Actor::agent("a-01"));
        let intake = Intake::new("fuite", "telephone")
            .set("description", "reste")
            .party(Party::named("Anne", "Reste").phone(PHONE).email("anne@example.org"));
        let id = agent.submit(intake).await.unwrap().id();
        let erase =
            Command::Erase { paths: vec!["requester.phone".into()], reason: "droit-a-l-effacement".into() };
        agent.act_on(id, None, erase).await.unwrap();
        town.host("worker").work(None, Budget::ALL).await.unwrap();
        // What is written afterwards is under a fresh key.
        agent.act_on(id, None, Command::note("après")).await.unwrap();
        let seen = agent.open(id).await.unwrap();
        let details: Vec<&str> = seen.parties()[0].details.keys().map(|key| key.as_str()).collect();
        assert_eq!(details, ["email", "given", "name"]);
        assert_eq!(
            (seen.field("description").unwrap(), seen.notes()[0].text.as_str()),
            (&Value::from("reste"), "après")
        );
        assert!(agent.by_contact("fuite", Contact::Phone, PHONE).await.unwrap().is_empty());
        assert_eq!(agent.by_contact("fuite", Contact::Email, "anne@example.org").await.unwrap(), [id]);
        let candidates = windows(directory.path(), &[".keys"]);
        let loot = Loot::of(&spied.batches.lock().unwrap(), id.uuid());
        let slots: Vec<Slot> = loot.commitments.keys().copied().collect();
        let found = attack(&loot, TOWN, id.uuid(), &candidates, &slots, &BTreeMap::new());
        let lost: Vec<Slot> = slots.into_iter().filter(|slot| !found.opened.contains_key(slot)).collect();
        assert_eq!(lost.len(), 1, "one slot cannot be opened any more, the others can");
        assert_eq!(town.host("audit").verify(id).await.unwrap().problems, Vec::<String>::new());
    });
}

#[test]
fn a_backup_from_before_brings_back_the_living_only() {
    block_on(async {
        let world = play(Off::Nothing).await;
        // Old rows, newest keys.
        let restored = world.directory.path().join("restored");
        copy(&world.backup, &restored);
        world.keyring.close();
        for entry in std::fs::read_dir(&restored).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().contains(".keys") {
                std::fs::remove_file(path).unwrap();
            }
        }
        for entry in std::fs::read_dir(world.directory.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().contains(".keys") {
                std::fs::copy(entry.path(), restored.join(entry.file_name())).unwrap();
            }
        }
        let opened = Options::new().open(restored.join("town.db")).unwrap();
        let grc = Grc::with(opened.into(), world.clock.clone(), Arc::new(SystemEntropy)).await.unwrap();
        let town = grc.authority(TOWN).unwrap();
        let agent = town.session(Actor::agent("a-01"));
        let live = agent.open(world.live).await.unwrap();
        assert!(
            live.field("description").is_some() && live.parties()[0].details.len() == 3,
            "what lives opens"
        );
        let seen = agent.open(world.erased).await.unwrap();
        assert!(
            seen.parties()[0].details.is_empty() && seen.messages().is_empty() && seen.notes().is_empty()
        );
        assert_eq!(
            seen.fields().keys().map(|key| key.as_str()).collect::<Vec<_>>(),
            ["materiau", "remarque"]
        );
        assert!(seen.anonymised_at().is_some(), "the erasure was finished by the reader");
        assert_eq!(town.host("audit").verify(world.erased).await.unwrap().problems, Vec::<String>::new());
        assert!(matches!(
            town.session(Actor::holder(world.erased_code.clone())).follow().await,
            Err(GrcError::NotFound)
        ));

        // The other way round, old keys with newest rows would bring back what was forgotten: refused.
        let mixed = world.directory.path().join("mixed");
        copy(world.directory.path(), &mixed);
        for entry in std::fs::read_dir(&world.backup).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().contains(".keys") {
                std::fs::copy(entry.path(), mixed.join(entry.file_name())).unwrap();
            }
        }
        let opened = Options::new().open(mixed.join("town.db")).unwrap();
        let refused = Grc::with(opened.into(), world.clock.clone(), Arc::new(SystemEntropy)).await;
        assert!(matches!(refused, Err(GrcError::KeyringOlder)), "{refused:?}");
    });
}

#[test]
fn dropped_bytes_are_not_in_the_files_after_a_scrub() {
    block_on(async {
        let world = play(Off::Nothing).await;
        let loot = Loot::of(&world.stores.batches.lock().unwrap(), world.erased.uuid());
        let gone: Vec<Vec<u8>> = loot
            .sealed
            .iter()
            .filter(|sealed| world.gone.contains(&sealed.slot))
            .map(|sealed| sealed.sealed.clone())
            .collect();
        let there = || {
            let mut count = 0;
            for name in ["town.db", "town.db-wal"] {
                let bytes = std::fs::read(world.directory.path().join(name)).unwrap_or_default();
                count += gone
                    .iter()
                    .filter(|g| bytes.windows(g.len()).any(|window| window == g.as_slice()))
                    .count();
            }
            count
        };
        assert!(there() > 0, "before the scrub the log still has them");
        let report = world.grc.authority(TOWN).unwrap().host("entretien").scrub().await.unwrap();
        println!("{report:?}");
        assert_eq!(there(), 0, "after the scrub none of {} is left", gone.len());
        let _ = world.keyring.epoch().await;
    });
}
