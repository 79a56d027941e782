//! The main job, cut at every write, flush and cut of a file: the process dies there, the power fails, or the disk does.
//! All or nothing is there, nothing that was acknowledged is lost, and work goes on.
//!
//! A library is put between the child (this program again) and the system. It records each of these calls with its
//! bytes, so that the files can be made again as they were after any of them; or it lets one of them fail. On Linux
//! only: elsewhere there is no such way to put a library in between.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "cut/marked.rs"]
mod marked;
#[path = "cut/record.rs"]
mod record;
mod support;
#[path = "cut/town.rs"]
mod town;

use grc_core::{GrcError, Stores, conformance::Dice, storage::StorageError};
use grc_sqlite::Options;
use marked::Marked;
use pollster::block_on;
use record::{Call, Disk, End};
use rusqlite::{Connection, types::ValueRef};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    hash::{DefaultHasher, Hash, Hasher},
    io::Read,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
};
use support::{another, elapsed, role, say};
use tempfile::TempDir;
use town::{Done, FULL, STEPS, Town};

/// The library that is put in between, compiled once.
fn shim() -> &'static Path {
    static SHIM: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = SHIM.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("cut.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/cut.c");
        let mut compiler = std::process::Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        assert!(compiler.status().expect("a C compiler, as for the bundled SQLite").success());
        (directory, library)
    });
    library
}

/// Runs this program again with the library in between.
fn run(what: &str, directory: &Path, variable: &str, file: &Path) {
    let mut child = another(&[what, &directory.display().to_string()])
        .env("LD_PRELOAD", shim())
        .env(variable, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "the child failed:\n{said}");
    said.lines().filter(|line| line.starts_with("  ")).for_each(say);
}

/// Only what another test starts does anything.
#[test]
fn child() {
    let Some(role) = role() else { return };
    let [what, directory] = <[String; 2]>::try_from(role).unwrap();
    let directory = PathBuf::from(directory);
    match what.as_str() {
        "record" => block_on(recorded(&directory)),
        "fail" => block_on(failing(&directory)),
        other => panic!("no such role: {other}"),
    }
}

fn open(directory: &Path) -> Result<Stores, StorageError> {
    Options::new().create(true).test(true).open(directory.join("town.db")).map(Stores::from)
}

/// Does the main job, and says when each call that writes is answered.
async fn recorded(directory: &Path) {
    let Stores { store, blobs, keyring } = open(directory).unwrap();
    let stores = Stores {
        store: std::sync::Arc::new(Marked::new(store, directory)),
        blobs: std::sync::Arc::new(Marked::new(blobs, directory)),
        keyring: std::sync::Arc::new(Marked::new(keyring, directory)),
    };
    let mut town = Town::open(stores, 7).await.unwrap();
    for n in 0..STEPS {
        let done = town.step(n).await;
        let done = done.unwrap_or_else(|error| panic!("step {n}: {error} {:?}", error.refusal()));
        assert_eq!(done, Done::Whole);
    }
    town.report().await.unwrap();
}

/// All rows of a file, as a number; none if it cannot be a database yet.
fn rows(file: &Path) -> Option<u64> {
    if !file.exists() {
        return None;
    }
    let connection = Connection::open(file).unwrap();
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok", "{}", file.display());
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut sum = 0_u64;
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let mut hasher = DefaultHasher::new();
            table.hash(&mut hasher);
            for n in 0..columns {
                match row.get_ref(n).unwrap() {
                    ValueRef::Null => 0_u8.hash(&mut hasher),
                    ValueRef::Integer(number) => number.hash(&mut hasher),
                    ValueRef::Real(number) => number.to_bits().hash(&mut hasher),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.hash(&mut hasher),
                }
            }
            sum = sum.wrapping_add(hasher.finish());
        }
    }
    Some(sum)
}

/// What the store and the keyring hold.
type State = [Option<u64>; 2];

fn state(disk: &Disk, end: End, dice: &mut Dice) -> (TempDir, State) {
    let directory = tempfile::tempdir().unwrap();
    disk.leave(directory.path(), end, dice);
    let state = ["town.db", "town.keys"].map(|name| rows(&directory.path().join(name)));
    (directory, state)
}

/// The states after each answer, one after the other.
fn states(calls: &[Call]) -> Vec<State> {
    let (mut disk, mut dice, mut out) = (Disk::default(), Dice::new(1), Vec::new());
    for call in calls {
        disk.apply(call);
        if matches!(call, Call::Said(_)) {
            out.push(state(&disk, End::Process, &mut dice).1);
        }
    }
    out
}

#[test]
fn what_is_cut_anywhere_is_all_there_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let record = directory.path().join("record");
    run("record", directory.path(), "CUT_LOG", &record);
    let calls = record::read(&record);
    let states = states(&calls);
    let (mut disk, mut dice, mut answered) = (Disk::default(), Dice::new(7), 0);
    let (mut cuts, mut answers) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    let mut went_on = 0;
    for (n, call) in calls.iter().enumerate() {
        disk.apply(call);
        let (kind, ends): (_, &[End]) = match call {
            Call::Write { .. } => ("writes", &[End::Process, End::Torn]),
            Call::Flush { .. } => ("flushes", &[End::Process, End::Power]),
            Call::Cut { .. } | Call::Remove { .. } => ("cuts", &[End::Process, End::Power, End::Torn]),
            Call::Said(what) => {
                *answers.entry(what.as_str()).or_default() += 1;
                answered += 1;
                continue;
            }
        };
        *cuts.entry(kind).or_default() += 1;
        for end in ends {
            let (directory, found) = state(&disk, *end, &mut dice);
            // Before the first answer the files are being made.
            if answered > 0 {
                for (place, file) in ["store", "keyring"].into_iter().enumerate() {
                    let allowed: Vec<_> =
                        states[answered - 1..].iter().take(2).map(|state| state[place]).collect();
                    assert!(
                        allowed.contains(&found[place]),
                        "{end:?} after call {n} ({kind}, {answered} answers): the {file} is neither as it was answered last nor as it would be next"
                    );
                }
            }
            if n % 11 == 0 || answered == 0 {
                let go_on = async { Town::open(open(directory.path())?.clone(), 99).await?.goes_on().await };
                block_on(go_on).unwrap_or_else(|error| {
                    panic!("{end:?} after call {n}: {error} {:?}", error.refusal());
                });
                went_on += 1;
            }
        }
    }
    let mut different = states.clone();
    different.dedup();
    say(&format!("  {cuts:?}, answers {answers:?}, states {}, went on {went_on}", different.len()));
    assert!(cuts["writes"] > 300 && cuts["flushes"] > 60 && cuts["cuts"] > 5 && answered > 30, "{cuts:?}");
    assert!(different.len() > 25 && went_on > 60);
}

/// Lets calls fail from the nth on, so many of them.
fn fail(file: &Path, from: i64, count: i64) {
    let numbers = [0, from, from.saturating_add(count)];
    let bytes: Vec<u8> = numbers.iter().flat_map(|number: &i64| number.to_ne_bytes()).collect();
    OpenOptions::new().write(true).open(file).unwrap().write_all_at(&bytes, 0).unwrap();
}

fn calls(file: &Path) -> i64 {
    i64::from_ne_bytes(std::fs::read(file).unwrap()[..8].try_into().unwrap())
}

/// Does the main job while calls fail; once the caller is told of a failure the disk is well again. Answers what is said
/// of the town when all is there and in the end, and how many failures the caller was told of.
async fn job(directory: &Path, disk: &Path, from: i64, count: i64) -> (String, usize) {
    let mut told = 0;
    let mut again = |error: GrcError| {
        assert!(matches!(error, GrcError::Storage(_) | GrcError::Keyring(_)), "call {from}: {error:?}");
        fail(disk, i64::MAX, 0);
        told += 1;
        assert!(told < 9, "call {from}: it does not become well again: {error}");
    };
    fail(disk, from, count);
    let mut town = loop {
        let opening = async { Town::open(open(directory)?, 7).await };
        match opening.await {
            Ok(town) => break town,
            Err(error) => again(error),
        }
    };
    let mut said = String::new();
    for n in 0..STEPS {
        loop {
            match town.step(n).await {
                Ok(Done::Whole) => break,
                Ok(Done::Later) => fail(disk, i64::MAX, 0),
                Err(error) => again(error),
            }
        }
        if n == FULL || n + 1 == STEPS {
            said += &loop {
                match town.report().await {
                    Ok(report) => break report,
                    Err(error) => again(error),
                }
            };
        }
    }
    (said, told)
}

async fn failing(directory: &Path) {
    let disk = directory.join("disk.state");
    elapsed();
    let one = |name: String| {
        let directory = directory.join(name);
        std::fs::create_dir(&directory).unwrap();
        directory
    };
    let (well, _) = job(&one("well".to_owned()), &disk, i64::MAX, 0).await;
    // What was typed is said as long as it may be read.
    for (typed, often) in
        [("fuite 0", 1), ("fuite 1", 1), ("anne@example.org", 2), ("06 39 98 12 34", 1), ("vu", 1)]
    {
        assert_eq!(well.matches(typed).count(), often, "{typed}: {well}");
    }
    let all = calls(&disk);
    let (mut told, mut unnoticed) = (0, 0);
    for n in 1..=all {
        for (count, every) in [(1, 1), (i64::MAX, 5)] {
            if n % every > 0 {
                continue;
            }
            let place = one(format!("{n}-{count}"));
            let (report, failures) = job(&place, &disk, n, count).await;
            assert_eq!(report, well, "call {n}, of which {count} fail");
            assert!(rows(&place.join("town.db")).is_some() && rows(&place.join("town.keys")).is_some());
            told += failures;
            unnoticed += usize::from(failures == 0);
            std::fs::remove_dir_all(place).unwrap();
        }
    }
    say(&format!("\n  calls {all}, failures told {told}, unnoticed {unnoticed}, in {:.0?}", elapsed()));
    assert!(all > 300 && told > 300, "calls {all}, told {told}");
}

#[test]
fn a_disk_that_fails_anywhere_is_told_and_the_job_is_done_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk.state");
    std::fs::write(&disk, [0; 24]).unwrap();
    run("fail", directory.path(), "CUT_STATE", &disk);
}
