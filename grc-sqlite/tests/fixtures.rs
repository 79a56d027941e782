//! The files that a version of this library has left are opened by every later one, and say the same.
//!
//! `fixtures/N` holds a store and its keyring as a random walk on the definition `voirie` left them, and what was said of
//! them then. They are never made again: who changes what is stored adds the next one, which
//! `cargo test -p grc-sqlite --test fixtures -- --ignored` makes in `fixtures/new`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../../grc-core/tests/common/said.rs"]
mod said;

use grc_core::{
    Actor, Budget, Clock, Definition, Grc, GrcError, Instruction, ManualClock, Moment, SeededEntropy,
    conformance::Walk,
    request::{Command, Fire},
};
use grc_sqlite::Options;
use pollster::block_on;
use rusqlite::Connection;
use said::{AGENT, requests, said, summary};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// The fixtures that there are, oldest first.
const FIXTURES: [&str; 1] = ["1"];
const FILES: [&str; 2] = ["town.db", "town.keys"];

fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A copy of a fixture, to be opened and written.
fn copy(name: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in FILES {
        std::fs::copy(folder(name).join(file), directory.path().join(file)).unwrap();
    }
    directory
}

async fn open(directory: &Path) -> Grc {
    open_with(directory).await.0
}

async fn open_with(directory: &Path) -> (Grc, Arc<ManualClock>) {
    let opened = Options::new().open(directory.join("town.db")).unwrap();
    // Long after all that is in it.
    let clock = Arc::new(ManualClock::at(Moment::from_micros(1_956_528_000_000_000)));
    let grc = Grc::with(opened.into(), clock.clone(), Arc::new(SeededEntropy::new(77))).await.unwrap();
    (grc, clock)
}

fn expected(name: &str) -> String {
    std::fs::read_to_string(folder(name).join("said.txt")).unwrap()
}

#[test]
#[ignore = "makes the next fixture"]
fn make() {
    let directory = folder("new");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("town.db");
    let opened = Options::new().create(true).test(true).open(&file).unwrap();
    let coverage = block_on(async {
        let mut walk = Walk::begin(opened.clone().into(), &definition(), 5).await.unwrap();
        for _ in 0..300 {
            walk.step().await.unwrap();
        }
        walk.deal(0, 6).await.unwrap();
        for _ in 0..60 {
            walk.step().await.unwrap();
        }
        walk.check().await.unwrap();
        walk.trace.summary()
    });
    opened.store.close();
    drop(opened);
    let said = block_on(async { said(&open(copy("new").path()).await).await });
    std::fs::write(directory.join("said.txt"), summary(&said)).unwrap();
    std::fs::write(directory.join("walked.txt"), coverage + "\n").unwrap();
}

#[test]
fn what_every_version_left_says_the_same() {
    for name in FIXTURES {
        let directory = copy(name);
        let said = block_on(async { said(&open(directory.path()).await).await });
        assert_eq!(summary(&said), expected(name), "fixture {name} says:\n{said}");
    }
}

#[test]
fn work_goes_on_in_what_every_version_left() {
    for name in FIXTURES {
        let directory = copy(name);
        block_on(async {
            let (grc, clock) = open_with(directory.path()).await;
            let town = grc.authority(Walk::TOWN).unwrap();
            town.host("set-up").publish(&definition()).await.unwrap();
            let (mut noted, mut closed) = (0, 0);
            for id in requests(&grc).await {
                let note = Instruction::new(Command::note("vu"));
                // One is anonymised, and not changed any more.
                noted += u64::from(town.session(Actor::agent(AGENT)).act_on(id, None, note).await.is_ok());
                // By whoever may.
                for agent in ["a-02", "a-03", "a-04"] {
                    let close = Fire::new("cloturer").outcome("repare");
                    match town.session(Actor::agent(agent)).act_on(id, None, close).await {
                        Ok(_) => closed += 1,
                        Err(GrcError::Refused(_) | GrcError::NotPermitted(_) | GrcError::NotFound) => {}
                        Err(error) => panic!("{id}: {error:?}"),
                    }
                }
            }
            clock.set(clock.now().plus_days(400));
            let report = town.host("worker").work(None, Budget::ALL).await.unwrap();
            println!("fixture {name}: {noted} notes, {closed} closed, {report:?}");
            assert!(noted > 10 && closed > 0 && report.anonymised == closed && report.later == 0);
            for id in requests(&grc).await {
                let verdict = town.host("checks").verify(id).await.unwrap();
                assert!(verdict.problems.is_empty(), "{id}: {verdict:?}");
            }
        });
    }
}

/// A version whose fold is another one has left the rows: their bodies mean nothing here, and the events are folded again.
#[test]
fn states_of_another_fold_are_folded_again() {
    for name in FIXTURES {
        let directory = copy(name);
        let connection = Connection::open(directory.path().join("town.db")).unwrap();
        let other = "UPDATE stream SET fold = fold - 1, body = CAST('{\"of\":\"another fold\"}' AS BLOB)";
        assert!(connection.execute(other, []).unwrap() > 20);
        drop(connection);
        block_on(async {
            let grc = open(directory.path()).await;
            let said = said(&grc).await;
            assert_eq!(summary(&said), expected(name), "fixture {name} says:\n{said}");
            // What is written is of the present fold.
            let session = grc.authority(Walk::TOWN).unwrap().session(Actor::agent(AGENT));
            let mut noted = 0;
            for id in requests(&grc).await {
                let note = Instruction::new(Command::note("vu"));
                noted += usize::from(session.act_on(id, None, note).await.is_ok());
            }
            assert!(noted > 5, "{noted}");
        });
    }
}
