//! Each acknowledgement comes after its flush, and a full disk is a clear error after which the process goes on.
//!
//! A kill does not prove flushing: what a process wrote survives it in the system's memory. So a library is put between
//! the child (this program again) and the system, which logs each write and each flush, and what the child acknowledges,
//! in one order. The parent checks the log. On Linux only: elsewhere there is no such way to put a library in between.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "flush/log.rs"]
mod log;
mod support;

use grc_core::{
    Actor, BatchId, Budget, Grc, GrcError, Instruction, Intake, KeyId, ManualClock, Moment, Party, RequestId,
    SystemEntropy,
    request::Command,
    storage::{Batch, Document, Expect, Step, StorageErrorKind, Store},
    vault::{DataKey, Keyring},
};
use grc_sqlite::{Durability, Options, SqliteKeyring};
use log::{Findings, engine_findings, keyring_findings, store_findings};
use pollster::block_on;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, OnceLock},
};
use support::{another, definition, elapsed, role, say};
use tempfile::TempDir;
use uuid::Uuid;

const TOWN: &str = "saint-aubin";

/// The library that is put in between, compiled once.
fn shim() -> &'static Path {
    static SHIM: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = SHIM.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("flush.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/flush.c");
        let compiled = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(source)
            .status()
            .expect("a C compiler, as for the bundled SQLite");
        assert!(compiled.success());
        (directory, library)
    });
    library
}

/// Runs this program again with the library in between. Answers the log.
fn run(directory: &Path, role: &[&str]) -> Vec<String> {
    let log = directory.join("calls.log");
    let budget = directory.join("budget");
    std::fs::write(&budget, (-1_i64).to_ne_bytes()).unwrap();
    let mut child = another(role)
        .env("LD_PRELOAD", shim())
        .env("FLUSH_LOG", &log)
        .env("FLUSH_BUDGET", &budget)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "the child failed:\n{said}");
    for line in said.lines().filter(|line| line.starts_with("  ")) {
        say(line);
    }
    std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect()
}

// ---- The child ----

/// Only what another test starts does anything.
#[test]
fn child() {
    let Some(role) = role() else { return };
    let [what, directory, threads, durability] = <[String; 4]>::try_from(role).unwrap();
    let directory = PathBuf::from(directory);
    let threads = threads.parse().unwrap();
    let durability = if durability == "relaxed" { Durability::Relaxed } else { Durability::Full };
    let options = Options::new().create(true).durability(durability);
    match what.as_str() {
        "store" => commits(&directory, &options, threads),
        "keyring" => keys(&directory, &options, threads),
        "engine" => block_on(commands(&directory, &options)),
        "full" => block_on(full(&directory, &options)),
        "unflushed" => block_on(unflushed(&directory, &options)),
        other => panic!("no such role: {other}"),
    }
}

/// A file to which each acknowledgement is written, in one call.
fn said(directory: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(directory.join("acknowledged.said")).unwrap()
}

/// Runs something for each number below a bound, on so many threads, and says when it is acknowledged.
fn spread(directory: &Path, threads: u32, count: u32, work: impl Fn(u32) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let mut said = said(directory);
            let work = &work;
            scope.spawn(move || {
                for n in (0..count).filter(|n| n % threads == thread) {
                    work(n);
                    said.write_all(format!("{n:09}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

const COMMITS: u32 = 400;

/// Commits documents whose names are in clear in the pages. Some are large, so that the log is moved into the file now
/// and then.
fn commits(directory: &Path, options: &Options, threads: u32) {
    let store = options.open(directory.join("town.db")).unwrap().store;
    spread(directory, threads, COMMITS, |n| {
        let body = vec![b'x'; if n % 8 == 0 { 400_000 } else { 500 }];
        let name = format!("needle-{n:09}").parse().unwrap();
        let document = Document { kind: "note".parse().unwrap(), name, version: 1, body };
        let id = BatchId::from_uuid(Uuid::from_u128(u128::from(n) + 1));
        let batch = Batch::new(id, TOWN.parse().unwrap(), Moment::EPOCH)
            .with(Step::PutDocument { document, expect: Expect::Absent });
        block_on(store.commit(batch)).unwrap();
    });
}

const KEYS: u32 = 120;

fn key(n: u32) -> KeyId {
    KeyId::from_uuid(Uuid::from_bytes(format!("needle-{n:09}").into_bytes().try_into().unwrap()))
}

/// Issues keys, destroys keys that were never there (which leaves a tombstone with their id), and, alone, keeps slots of
/// keys and destroys them.
fn keys(directory: &Path, options: &Options, threads: u32) {
    let keyring = SqliteKeyring::open(directory.join("town.keys"), options).unwrap();
    // What was written while the file was made is not counted.
    said(directory).write_all(b"begin\n").unwrap();
    spread(directory, threads, KEYS, |n| {
        let fresh = DataKey::from_bytes([7; 32]);
        block_on(async {
            if n % 2 == 0 {
                keyring.issue(&[(key(n), fresh)]).await.unwrap();
            } else {
                keyring.destroy(&[key(n)]).await.unwrap();
            }
        });
    });
    if threads == 1 {
        for n in (0..KEYS).step_by(2) {
            let slots = BTreeMap::from([(1, grc_core::vault::SlotKey::from_bytes([1; 32]))]);
            let none = BTreeMap::new();
            block_on(keyring.keep(key(n), &slots)).unwrap();
            said(directory).write_all(b"kept\n").unwrap();
            if n % 4 == 0 {
                block_on(keyring.keep(key(n), &none)).unwrap();
                said(directory).write_all(b"kept less\n").unwrap();
            }
            block_on(keyring.destroy(&[key(n)])).unwrap();
            said(directory).write_all(b"destroyed\n").unwrap();
        }
    }
}

fn intake(n: usize) -> Intake {
    Intake::new("fuite-eau", "telephone")
        .set("description", format!("fuite {n}"))
        .set("gravite", "ecoulement")
        .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34"))
}

async fn engine(directory: &Path, options: &Options) -> Result<Grc, GrcError> {
    let clock = Arc::new(ManualClock::at(Moment::from_micros(1_767_222_000_000_000)));
    Grc::with(options.open(directory.join("town.db"))?.into(), clock, Arc::new(SystemEntropy)).await
}

fn erase() -> Instruction {
    let command = Command::Erase {
        paths: vec!["requester.phone".to_owned()],
        reason: "droit-a-l-effacement".to_owned(),
    };
    Instruction::new(command)
}

/// One caller, and one command after the other.
async fn commands(directory: &Path, options: &Options) {
    let grc = engine(directory, options).await.unwrap();
    let town = grc.authority(TOWN).unwrap();
    town.host("set-up").publish(&definition()).await.unwrap();
    let session = town.session(Actor::agent("a-09"));
    let mut out = said(directory);
    let mut acknowledge = || out.write_all(b"done\n").unwrap();
    for n in 0..30 {
        let photo =
            session.store_file(Some("photo"), "fuite.jpg", &b"\xff\xd8\xff\xe0 jpeg"[..]).await.unwrap();
        acknowledge();
        let id = session.submit(intake(n).file(photo)).await.unwrap().id();
        acknowledge();
        session.act_on(id, None, Instruction::new(Command::note("vu"))).await.unwrap();
        acknowledge();
        session.act_on(id, None, erase()).await.unwrap();
        acknowledge();
        let report = town.host("worker").work(None, Budget::ALL).await.unwrap();
        assert_eq!(report.destroyed, 1);
        acknowledge();
    }
}

/// How much room there is from now on.
fn room(directory: &Path, bytes: i64) {
    use std::os::unix::fs::FileExt;
    let file = OpenOptions::new().write(true).open(directory.join("budget")).unwrap();
    file.write_all_at(&bytes.to_ne_bytes(), 0).unwrap();
}

/// Whether an error says that the disk is full, and that it may pass.
fn is_full(error: &GrcError) -> bool {
    let passes = match error {
        GrcError::Storage(error) => error.kind() == StorageErrorKind::Unavailable,
        GrcError::Keyring(error) => error.is_unavailable(),
        _ => false,
    };
    passes && error.to_string().contains("the disk is full")
}

/// The disk is full after so many bytes, at each of many places; then it is not.
async fn full(directory: &Path, options: &Options) {
    let (mut known, mut kinds, mut failed) = (BTreeSet::<RequestId>::new(), BTreeMap::new(), 0);
    drop(engine(directory, options).await.unwrap());
    room(directory, 0);
    match engine(directory, options).await {
        // It was opened without a write.
        Ok(_) => {}
        Err(error) => assert!(is_full(&error), "opening: {error}"),
    }
    room(directory, -1);
    let grc = engine(directory, options).await.unwrap();
    grc.authority(TOWN).unwrap().host("set-up").publish(&definition()).await.unwrap();
    let first =
        grc.authority(TOWN).unwrap().session(Actor::agent("a-09")).submit(intake(0)).await.unwrap().id();
    known.insert(first);
    drop(grc);
    let places = (0..24).map(|n| n * 1_500).chain([50_000, 70_000, 100_000, 150_000, 300_000, 600_000]);
    for bytes in places {
        // No keys are issued yet: the keyring meets the full disk as well.
        let grc = engine(directory, options).await.unwrap();
        let town = grc.authority(TOWN).unwrap();
        let session = town.session(Actor::agent("a-09"));
        if bytes % 1_000 != 0 {
            // Here they are: it is the store that meets it.
            known.insert(session.submit(intake(0)).await.unwrap().id());
        }
        let mut error = |kind: &'static str, error: GrcError| {
            assert!(is_full(&error), "{kind} after {bytes} bytes: {error} ({error:?})");
            let which = if matches!(error, GrcError::Keyring(_)) { "the keys" } else { "the store" };
            *kinds.entry((kind, which)).or_insert(0) += 1;
            failed += 1;
        };
        room(directory, bytes);
        let mut met = 0;
        for n in 0..200 {
            match session
                .store_file(
                    Some("photo"),
                    "fuite.jpg",
                    &[&b"\xff\xd8\xff\xe0"[..], &[0; 70_000]].concat()[..],
                )
                .await
            {
                Ok(_) => {}
                Err(found) => error("file", found),
            }
            match session.submit(intake(n)).await {
                Ok(submitted) => drop(known.insert(submitted.id())),
                Err(found) => {
                    error("submit", found);
                    met += 1;
                }
            }
            match session.act_on(first, None, Instruction::new(Command::note("vu"))).await {
                Ok(_) => {}
                Err(found) => error("note", found),
            }
            match town.host("worker").work(None, Budget::ALL).await {
                Ok(_) => {}
                Err(found) => error("work", found),
            }
            if met == 2 {
                break;
            }
        }
        assert!(met == 2, "{bytes} bytes were enough");
        room(directory, -1);
        // The same process goes on.
        known.insert(session.submit(intake(0)).await.unwrap().id());
        session.act_on(first, None, Instruction::new(Command::note("vu"))).await.unwrap();
        for id in &known {
            let verdict = town.host("audit").verify(*id).await.unwrap();
            assert_eq!(verdict.problems, Vec::<String>::new(), "after {bytes} bytes");
        }
        let figures = town.host("audit").figures(&grc_core::insight::Question::all()).await.unwrap();
        assert_eq!(figures.total, known.len() as u64, "what failed left nothing, after {bytes} bytes");
    }
    // An erasure too: the command, then the keys.
    let grc = engine(directory, options).await.unwrap();
    let town = grc.authority(TOWN).unwrap();
    let session = town.session(Actor::agent("a-09"));
    room(directory, 1_000);
    assert!(is_full(&session.act_on(first, None, erase()).await.unwrap_err()));
    room(directory, -1);
    let seen = session.open(first).await.unwrap();
    assert!(seen.parties()[0].details.contains_key("phone"), "the erasure that failed erased nothing");
    session.act_on(first, None, erase()).await.unwrap();
    room(directory, 0);
    let worked = town.host("worker").work(None, Budget::ALL).await;
    assert!(worked.as_ref().is_err_and(is_full), "{worked:?}");
    room(directory, -1);
    let report = town.host("worker").work(None, Budget::ALL).await.unwrap();
    assert_eq!(report.destroyed, 1, "the key goes when there is room: {report:?}");
    assert_eq!(town.host("audit").verify(first).await.unwrap().problems, Vec::<String>::new());
    say(&format!("\n  a full disk: {failed} errors, each clear: {kinds:?}; {} requests stand", known.len()));
}

/// Flushes fail for a while: what was to be acknowledged meanwhile is not, and is there whole or not at all.
async fn unflushed(directory: &Path, options: &Options) {
    let grc = engine(directory, options).await.unwrap();
    let town = grc.authority(TOWN).unwrap();
    town.host("set-up").publish(&definition()).await.unwrap();
    let session = town.session(Actor::agent("a-09"));
    let (mut known, mut failed) = (BTreeSet::new(), 0);
    for n in 0..40 {
        // Sometimes the keys meet it, sometimes the store.
        known.insert(session.submit(intake(n)).await.unwrap().id());
        room(directory, -2);
        for _ in 0..1 + n % 3 {
            let error = session.submit(intake(n)).await.unwrap_err();
            let doubtful = match &error {
                GrcError::Storage(error) => {
                    matches!(error.kind(), StorageErrorKind::Unavailable | StorageErrorKind::OutcomeUnknown)
                }
                GrcError::Keyring(error) => error.is_unavailable(),
                _ => false,
            };
            assert!(doubtful, "{error} ({error:?})");
            failed += 1;
        }
        room(directory, -1);
        let next = session.submit(intake(n)).await.unwrap().id();
        session.act_on(next, None, erase()).await.unwrap();
        assert_eq!(town.host("worker").work(None, Budget::ALL).await.unwrap().destroyed, 1);
        known.insert(next);
    }
    let mut found = BTreeSet::new();
    let listed = session.list(&grc_core::List::new().limit(1_000)).await.unwrap();
    for request in listed.requests {
        found.insert(request.id);
        assert_eq!(town.host("audit").verify(request.id).await.unwrap().problems, Vec::<String>::new());
    }
    assert!(found.is_superset(&known), "what was acknowledged is there");
    say(&format!(
        "\n  failing flushes: {failed} errors, {} acknowledged requests stand, and {} that were in doubt",
        known.len(),
        found.len() - known.len()
    ));
}

// ---- The parent ----

#[test]
fn commits_are_flushed_before_they_are_acknowledged() {
    let began = elapsed();
    for (threads, durability) in [("1", "full"), ("8", "full"), ("1", "relaxed"), ("8", "relaxed")] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        let found = store_findings(&run(directory.path(), &["store", &path, threads, durability]));
        let Findings { acknowledged, flushes, checkpoints, violations } = found;
        assert_eq!(acknowledged, COMMITS);
        assert!(checkpoints > 1, "the log is moved into the file now and then");
        say(&format!(
            "{threads} callers, {durability}: {acknowledged} commits, {flushes} flushes of the log, {checkpoints} of the \
             file, {} acknowledged too early; {:.1} s",
            violations.len(),
            (elapsed() - began).as_secs_f64()
        ));
        if durability == "full" {
            assert_eq!(violations, Vec::<String>::new());
        } else {
            // The check can fail: without flushes, it does.
            assert!(violations.len() as u32 > acknowledged / 2, "only {} found", violations.len());
        }
    }
}

#[test]
fn keys_are_flushed_before_they_are_acknowledged() {
    for threads in ["1", "8"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        let mut lines = run(directory.path(), &["keyring", &path, threads, "full"]);
        let Findings { acknowledged, flushes, violations, .. } = keyring_findings(&lines);
        assert_eq!(violations, Vec::<String>::new());
        assert!(acknowledged >= KEYS);
        // The check can fail: a flush is taken out of the log, of each file in turn.
        for file in ["town.keys", "town.keys-journal"] {
            let flush = format!("s {file}");
            let last = lines.iter().rposition(|line| *line == flush).unwrap();
            let line = lines.remove(last);
            assert_ne!(keyring_findings(&lines).violations, Vec::<String>::new(), "{file}");
            lines.insert(last, line);
        }
        say(&format!(
            "keyring, {threads} callers: {acknowledged} changes, {flushes} flushes, none too early"
        ));
    }
}

#[test]
fn commands_are_flushed_before_they_are_acknowledged() {
    for durability in ["full", "relaxed"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().display().to_string();
        let found = engine_findings(&run(directory.path(), &["engine", &path, "1", durability]));
        let Findings { acknowledged, flushes, violations, .. } = found;
        assert_eq!(acknowledged, 150);
        say(&format!(
            "engine, {durability}: {acknowledged} commands, {flushes} flushes, {} acknowledged too early",
            violations.len()
        ));
        assert_eq!(violations.is_empty(), durability == "full", "{violations:?}");
    }
}

/// Runs a role, and opens what it left.
fn run_and_open(role: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display().to_string();
    run(directory.path(), &[role, &path, "1", "full"]);
    let opened = Options::new().open(directory.path().join("town.db")).unwrap();
    let page = block_on(opened.store.changes(&TOWN.parse().unwrap(), None, 1_000)).unwrap();
    assert!(!page.changes.is_empty());
    for name in ["town.db", "town.keys"] {
        let connection = rusqlite::Connection::open(directory.path().join(name)).unwrap();
        let text: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(text, "ok", "{name}");
    }
}

#[test]
fn a_full_disk_is_a_clear_error_and_the_process_goes_on() {
    run_and_open("full");
}

#[test]
fn what_cannot_be_flushed_is_not_acknowledged_and_the_process_goes_on() {
    run_and_open("unflushed");
}
