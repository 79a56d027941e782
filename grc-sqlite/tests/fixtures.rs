//! The files that a version of this library has left are opened by every later one, and say the same.
//!
//! `fixtures/N` holds a store and its keyring as a random walk on the definition `voirie` left them, and what was said of
//! them then. They are never made again: who changes what is stored adds the next one, which
//! `cargo test -p grc-sqlite --test fixtures -- --ignored` makes in `fixtures/new`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../grc-core/tests/common/left.rs"]
mod left;

use grc_core::{Actor, Grc, Instruction, ManualClock, conformance::Walk, request::Command};
use grc_sqlite::Options;
use left::{AGENT, definition, engine, requests, said, summary, work_goes_on};
use pollster::block_on;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// The fixtures that there are, oldest first.
const FIXTURES: [&str; 1] = ["1"];
const FILES: [&str; 2] = ["town.db", "town.keys"];

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

async fn open(directory: &Path) -> (Grc, Arc<ManualClock>) {
    engine(Options::new().open(directory.join("town.db")).unwrap().into()).await
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
    let said = block_on(async { said(&open(copy("new").path()).await.0).await });
    std::fs::write(directory.join("said.txt"), summary(&said)).unwrap();
    std::fs::write(directory.join("walked.txt"), coverage + "\n").unwrap();
}

#[test]
fn what_every_version_left_says_the_same() {
    for name in FIXTURES {
        let directory = copy(name);
        let said = block_on(async { said(&open(directory.path()).await.0).await });
        assert_eq!(summary(&said), expected(name), "fixture {name} says:\n{said}");
    }
}

#[test]
fn work_goes_on_in_what_every_version_left() {
    for name in FIXTURES {
        let directory = copy(name);
        block_on(async {
            let (grc, clock) = open(directory.path()).await;
            work_goes_on(name, &grc, &clock).await;
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
            let (grc, _) = open(directory.path()).await;
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
