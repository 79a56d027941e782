//! To forget is to destroy a key, with the store and the keyring on two servers: against somebody who holds every file of
//! the store's server as it was at every moment, its logs included, and whatever the keyring answers afterwards.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod common;
#[path = "erasure/eye.rs"]
mod eye;
#[path = "erasure/servers.rs"]
mod servers;
#[path = "../../grc-sqlite/tests/erasure/mod.rs"]
mod shared;

use common::{fresh, options, start};
use eye::{Watch, census};
use grc_core::{
    Grc, GrcError, KeyId, Stores, SystemEntropy,
    request::Measure,
    storage::{Fact, FactValue, Facts, ScrubReport, Step},
    vault::{DataKey, KeyState, Keyring, SlotKey},
};
use grc_mysql::Options;
use pollster::block_on;
use private_server::Server;
use servers::{Servers, busy, flush, restore, setup};
use shared::{
    checks::{checks, dropped, nothing_given_in_clear, only_the_living, red, turns_red},
    play::{World, play},
    scan::{Patterns, Secrets},
    scenes::{a_whole_key, one_value},
    spy::Off,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use uuid::Uuid;

/// It ends with the process.
fn lasting(setup: private_server::Setup) -> &'static Server {
    Box::leak(Box::new(start(setup)))
}

fn durable() -> Options {
    Options::new().create(true)
}

/// The redo log and the binary log were there at the last look from their first byte: whatever was in a page or a row at
/// any moment, also between two looks, was in them.
fn nothing_was_overwritten(server: &Server) -> u64 {
    let written: u64 = common::block_on(async {
        let mut connection = common::connect(server, "grc").await;
        let status = sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'");
        let row = status.fetch_one(&mut connection).await.unwrap();
        sqlx::Row::try_get::<String, _>(&row, 1).unwrap().parse().unwrap()
    });
    assert!(written < 40 << 20, "{written} bytes went to a redo log of 48 MiB");
    written
}

/// Sums a census up by the sort of file.
fn sorts(census: &BTreeMap<String, usize>) -> BTreeMap<&'static str, usize> {
    let mut out = BTreeMap::new();
    for (file, count) in census {
        let sort = match file {
            file if file.contains("-bin.") || file.contains("binlog.") => "binary log",
            file if file.contains("ib_logfile") || file.contains("ib_redo") => "redo log",
            file if file.contains("undo") => "undo",
            file if file.contains("dblwr") => "doublewrite",
            file if file.contains("ibdata") => "system tablespace",
            file if file.ends_with(".ibd") => "tables",
            file if file.contains("general") => "general log",
            _ => "other",
        };
        *out.entry(sort).or_default() += count;
    }
    out
}

/// Wherever something is left, a sentence says so.
#[track_caller]
fn check_said(left: &BTreeMap<&str, usize>, sentence: &str) {
    for sort in left.keys() {
        let said = match *sort {
            "redo log" => "redo",
            "binary log" => "binary log",
            // Undo is in the system tablespace, unless it has files of its own.
            "undo" | "system tablespace" => "undo",
            "doublewrite" => "doublewrite",
            other => panic!("something is left in {other}: {left:?}"),
        };
        assert!(sentence.contains(said), "{sort}: {sentence}");
    }
}

/// What is known of everything that a server's files hold, after a play that was watched.
fn check_files(world: &World<Servers>) -> String {
    let server = world.adapter.server;
    let seen = world.adapter.end_watch();
    let written = nothing_was_overwritten(server);
    // The eye sees: the sealed bytes, which may be there, it finds.
    let sealed = dropped(world);
    let bait = Patterns::of(sealed.iter().map(|(slot, bytes)| (slot.to_string(), bytes.clone())));
    let there = sorts(&census(server.directory(), &bait));
    assert!(world.secrets.len() > 100);
    assert!(seen.looks > 20 && seen.most_files > 20 && seen.scanned > 5 << 20, "{seen:?}");
    for sort in ["redo log", "binary log"] {
        assert!(there.get(sort).is_some_and(|count| *count >= sealed.len() / 2), "{sort}: {there:?}");
    }
    format!(
        "{seen:?}; {} secrets, none in clear; {written} bytes of redo log; sealed bytes ({}) are in: {there:?}",
        world.secrets.len(),
        sealed.len()
    )
}

#[test]
fn the_eye_sees_what_is_in_clear() {
    let (server, secrets) = (busy(), Secrets::default());
    let watch = Watch::start(server.directory(), server.pid().unwrap(), &secrets);
    watch.look();
    let database = fresh(server);
    let database = database.rsplit('/').next().unwrap();
    common::run(server, &format!("CREATE TABLE {database}.told (text TEXT)"));
    secrets.text("un secret bien garde");
    common::run(server, &format!("INSERT INTO {database}.told VALUES ('un secret bien garde')"));
    let found = watch.found();
    assert!(
        found
            .iter()
            .any(|found| found.contains("UTF-8") && (found.contains("-bin.") || found.contains("binlog."))),
        "{found:?}"
    );
    secrets.text("deux secrets");
    common::run(server, &format!("CREATE TABLE {database}.wide (text TEXT CHARACTER SET utf16)"));
    common::run(server, &format!("INSERT INTO {database}.wide VALUES (CONCAT('deux', ' ', 'secrets'))"));
    let found = watch.found();
    assert!(found.iter().any(|found| found.contains("UTF-16BE")), "{found:?}");
    println!("planted, and found {} times", found.len());
}

#[test]
fn what_is_erased_cannot_be_had_again() {
    let server = lasting(setup());
    block_on(async {
        let world = play(Servers::new(server, durable()).watched(), Off::Nothing).await;
        println!("{}", check_files(&world));
        let checks = checks(&world).await;
        assert_eq!(red(&checks), Vec::<&str>::new());
        println!("{} assertions hold; {} slots were erased", checks.len(), world.gone.len());
        nothing_given_in_clear(&world);
        // What was typed has never been near the keyring's server.
        let typed = census(common::shared().directory(), &world.secrets.texts());
        assert_eq!(typed, BTreeMap::new());

        // The keys in a file: the attacker has its bytes too.
        let world = play(Servers::new(server, durable()).with_a_file_of_keys(), Off::Nothing).await;
        let candidates = world.candidates().len();
        assert_eq!(red(&shared::checks::checks(&world).await), Vec::<&str>::new());
        assert!(candidates > 1_000, "{candidates}");
        println!("with the keys in a file: {candidates} runs of 32 bytes were tried");
    });
}

#[test]
fn a_general_log_has_nothing_in_clear_and_a_backup_brings_back_the_living_only() {
    let server = lasting(setup().option("general-log=1").option("general-log-file=general.log"));
    block_on(async {
        let adapter = Servers::new(server, durable()).watched().with_backups();
        let world = play(adapter, Off::Nothing).await;
        println!("{}", check_files(&world));
        // Statements are in it with their values.
        let log = std::fs::read(server.data_dir().join("general.log")).unwrap();
        let bait = Patterns::of(
            ["INSERT INTO grc_vault", "Remarque technique"]
                .map(|text| (text.to_owned(), text.as_bytes().to_vec())),
        );
        assert_eq!(bait.numbers(&log).len(), 2, "the log of {} bytes", log.len());
        println!("the general log has {} bytes", log.len());
        assert_eq!(red(&checks(&world).await), Vec::<&str>::new());

        let open = |keyring: Arc<dyn Keyring>| {
            let store = Arc::new(world.adapter.store());
            let stores = Stores { store: store.clone(), blobs: store, keyring };
            Grc::with(stores, world.clock.clone(), Arc::new(SystemEntropy))
        };
        let keyring = |address: &str| -> Arc<dyn Keyring> {
            Arc::new(block_on(options().open_keyring(address)).unwrap())
        };
        // Old keys with newest rows would bring back what was forgotten; others open nothing.
        let older = open(keyring(&world.adapter.older_keys())).await;
        assert!(matches!(older, Err(GrcError::KeyringOlder)), "{older:?}");
        let foreign = open(keyring(&fresh(common::shared()))).await;
        assert!(matches!(foreign, Err(GrcError::KeyringForeign)), "{foreign:?}");
        drop(open(world.adapter.keyring()).await.unwrap());

        // Old rows, newest keys.
        let rows = |what: &str| world.count("task", what, world.erased.uuid());
        assert_eq!(rows("stream=? AND what='deliver'"), 0);
        restore(server, &world.adapter.backup());
        assert_ne!(rows("stream=? AND what='deliver'"), 0, "the old rows are back");
        only_the_living(&open(world.adapter.keyring()).await.unwrap(), &world).await;
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
        let checks = block_on(async { checks(&play(Servers::quick(), off).await).await });
        println!("{}", turns_red(off, expected, &checks));
    }
}

#[test]
fn a_request_without_a_lasting_field_loses_its_whole_key() {
    for (off, expected) in [(Off::Nothing, true), (Off::DestroyedKeys, false)] {
        assert_eq!(block_on(a_whole_key(Servers::quick(), off)), expected, "{off:?}");
    }
}

#[test]
fn one_value_can_be_erased_before_its_time() {
    block_on(one_value(Servers::quick()));
}

/// The tables whose rows are dropped, or that have exact places.
const DROPPED: [&str; 8] = [
    "grc_vault",
    "grc_blob",
    "grc_link",
    "grc_index",
    "grc_task",
    "grc_receipt",
    "grc_stream",
    "grc_measure",
];

/// The exact place as measures have it.
fn place_in_measure(world: &World<Servers>) -> Vec<u8> {
    let mut facts = Facts::new();
    for (fact, degrees) in [(Fact::Lat, 48_123_456), (Fact::Lon, -1_654_321)] {
        facts.set(fact, Some(FactValue::Integer(degrees)));
    }
    let alone = Measure { facts, spans: Vec::new() }.to_bytes();
    // Between the version and the ends of both lists.
    let place = alone[1..alone.len() - 2].to_vec();
    let pattern = Patterns::of([("it".to_owned(), place.clone())]);
    let batches = world.stores.batches.lock().unwrap();
    let mut measures = batches.iter().flat_map(|batch| batch.steps()).filter_map(|step| match step {
        Step::PutMeasure { bytes, .. } => Some(bytes),
        _ => None,
    });
    assert!(measures.any(|bytes| !pattern.numbers(bytes).is_empty()), "a measure has the exact place");
    place
}

#[test]
fn dropped_bytes_are_not_in_the_tables_after_a_scrub() {
    block_on(async {
        let options = options().lock_wait(Duration::from_secs(1));
        let adapter = Servers::new(busy(), options).with_a_reader("grc_vault");
        let world = play(adapter, Off::Nothing).await;
        let (server, database) = (world.adapter.server, world.adapter.database());
        let mut gone: Vec<(String, Vec<u8>)> =
            dropped(&world).into_iter().map(|(slot, bytes)| (format!("slot {slot}"), bytes)).collect();
        let pieces = world.blobs.pieces.lock().unwrap().clone();
        gone.extend(pieces.into_iter().map(|(_, n, bytes)| (format!("piece {n}"), bytes)));
        // The exact place, which is not sealed: latitude and longitude as the tables have them.
        for degrees in [48_123_456_i64, -1_654_321] {
            let bytes = (degrees as u64 ^ 1 << 63).to_be_bytes();
            gone.push((format!("a coordinate {degrees}"), bytes.to_vec()));
        }
        gone.push(("a place in a measure".to_owned(), place_in_measure(&world)));
        let patterns = Patterns::of(gone.clone());
        let tables = || {
            flush(server, database, &DROPPED);
            flush(server, database, &["grc_event", "grc_change", "grc_document"]);
            census(&server.data_dir().join(database), &patterns)
        };
        let before = tables();
        println!("before: {before:?}");
        assert!(before.contains_key("grc_vault.ibd") && before.contains_key("grc_blob.ibd"), "{before:?}");
        let scrub = async || world.town().host("entretien").scrub().await.unwrap();
        let done = |report: &ScrubReport| -> Vec<&str> {
            let done = |table: &&str| report.done.iter().any(|done| done.contains(table));
            DROPPED.into_iter().filter(done).collect()
        };
        // A table that somebody reads is left as it is, and the others are done.
        let report = scrub().await;
        println!("{report:?}");
        assert_eq!(done(&report), DROPPED[1..]);
        let [vault, _] = &report.could_not[..] else { panic!("{report:?}") };
        assert!(vault.contains("grc_vault"), "{vault}");
        assert_eq!(tables().into_keys().collect::<Vec<_>>(), ["grc_vault.ibd"]);
        world.adapter.end_reading();
        let report = scrub().await;
        assert_eq!(done(&report), DROPPED);
        let after = tables();
        let left = census(server.directory(), &patterns);
        println!("after: {after:?}; of {} in all files: {:?}", gone.len(), sorts(&left));
        assert_eq!(after, BTreeMap::new(), "what was dropped is in no table any more");
        // The report says what it could not.
        let [logs] = &report.could_not[..] else { panic!("{report:?}") };
        check_said(&sorts(&left), logs);
        let place = Patterns::of(gone.drain(gone.len() - 3..));
        assert!(logs.contains("place") || census(server.directory(), &place).is_empty(), "{logs}");
        assert!(sorts(&left).contains_key("binary log"));
    });
}

#[test]
fn what_is_left_of_a_destroyed_key_is_where_the_keyring_says() {
    // What is left is the same whether commits are flushed or not.
    let server = start(setup().option("innodb-flush-log-at-trx-commit=2").option("sync-binlog=0"));
    let address = fresh(&server);
    let keyring = block_on(options().open_keyring(&address)).unwrap();
    let fill = || -> [u8; 32] {
        let mut bytes = [0; 32];
        grc_core::Entropy::fill(&SystemEntropy, &mut bytes).unwrap();
        bytes
    };
    let key = || (KeyId::from_uuid(Uuid::from_slice(&fill()[..16]).unwrap()), DataKey::from_bytes(fill()));
    // Of four keys one is destroyed, one gives way to the keys of two slots, of which one is dropped again, and two live.
    // They fill several pages of their tables.
    let (mut keys, mut living, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    block_on(async {
        for _ in 0..75 {
            let some: Vec<(KeyId, DataKey)> = (0..16).map(|_| key()).collect();
            keyring.issue(&some).await.unwrap();
            keys.extend(some);
        }
        for (n, (id, key)) in keys.iter().enumerate() {
            let key = (format!("key {n}"), key.expose().to_vec());
            match n % 4 {
                0 => {
                    keyring.destroy(&[*id]).await.unwrap();
                    gone.push(key);
                }
                1 => {
                    let slots = BTreeMap::from([1, 2].map(|slot| (slot, SlotKey::from_bytes(fill()))));
                    keyring.keep(*id, &slots).await.unwrap();
                    gone.push(key);
                    let slot = |slot| (format!("key {n}, slot {slot}"), slots[&slot].expose().to_vec());
                    living.push(slot(1));
                    gone.push(slot(2));
                    keyring.keep(*id, &BTreeMap::from([(1, slots[&1].clone())])).await.unwrap();
                }
                _ => living.push(key),
            }
        }
        let ids: Vec<KeyId> = keys.iter().map(|(id, _)| *id).collect();
        let states = keyring.open(&ids).await.unwrap();
        assert_eq!(states.iter().filter(|state| **state == KeyState::Destroyed).count(), 300);
    });
    // All pages are written.
    server.stop().unwrap();
    let (living, gone) = (Patterns::of(living), Patterns::of(gone));
    let (there, left) =
        (sorts(&census(server.directory(), &living)), sorts(&census(server.directory(), &gone)));
    println!("of 900 keys that live: {there:?}; of 900 that were destroyed: {left:?}");
    assert_eq!(there.get("tables"), Some(&900));
    assert_eq!(left.get("tables"), None, "what is overwritten in its row is nowhere else in the tables");
    let erasure = keyring.info().erasure;
    check_said(&left, erasure);
    assert!(left.contains_key("redo log") && left.contains_key("binary log"), "{left:?}");
}
