//! The files that a version of this library has left are opened by every later one, and say the same.
//!
//! `fixtures/N` holds a store and its keyring as a walk or a script left them (`grc-core/tests/common/left.rs`), and what
//! was said of them then. They are never made again: who changes what is stored adds the next one, which
//! `cargo test -p grc-sqlite --test fixtures -- --ignored --nocapture` makes in `fixtures/new`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../grc-core/tests/common/left.rs"]
mod left;

use grc_core::{
    Actor, Clock, Grc, GrcError, Instruction, ManualClock, Moment, SeededEntropy, Stores, Word,
    conformance::{Walk, kinds},
    request::Command,
};
use grc_sqlite::Options;
use left::{
    AGENT, FIXTURES, Fixture, besides, engine, requests, said, script, summary, walk_goes_on, wanted,
    work_goes_on,
};
use pollster::block_on;
use rusqlite::Connection;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

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

fn stores(directory: &Path) -> Stores {
    Options::new().open(directory.join("town.db")).unwrap().into()
}

async fn open(directory: &Path) -> (Grc, Arc<ManualClock>) {
    engine(stores(directory)).await
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
    block_on(script::play(opened.clone().into()));
    opened.store.close();
    drop(opened);
    for file in FILES {
        Connection::open(directory.join(file)).unwrap().execute("VACUUM", []).unwrap();
    }
    block_on(async {
        let said = said(&open(copy("new").path()).await.0).await;
        std::fs::write(directory.join("said.txt"), summary(&said)).unwrap();
        println!("besides: {}", summary(&besides(&open(copy("new").path()).await.0).await));
        println!("answers: {}", script::answers(stores(copy("new").path())).await);
    });
}

#[test]
fn what_every_version_left_says_the_same() {
    for Fixture { name, besides: also, answers } in FIXTURES {
        block_on(async {
            let directory = copy(name);
            // What is said besides first: to look at a request is noted.
            let besides = besides(&open(directory.path()).await.0).await;
            assert_eq!(summary(&besides).trim_end(), also, "fixture {name} says besides:\n{besides}");
            let said = said(&open(directory.path()).await.0).await;
            assert_eq!(summary(&said), expected(name), "fixture {name} says:\n{said}");
            if !answers.is_empty() {
                let answered = script::answers(stores(directory.path())).await;
                assert_eq!(answered.trim_end(), answers, "fixture {name}");
            }
        });
    }
}

#[test]
fn of_each_kind_of_thing_that_is_stored_some_is_kept() {
    let mut held = BTreeSet::new();
    for Fixture { name, .. } in FIXTURES {
        let directory = copy(name);
        let stores = stores(directory.path());
        let town = Word::new(Walk::TOWN).unwrap();
        held.extend(block_on(kinds::held(&*stores.store, &town)).unwrap());
    }
    let missing: Vec<_> = wanted().into_iter().filter(|kind| !held.contains(kind)).collect();
    assert!(missing.is_empty(), "of these no fixture holds any: {missing:?}");
}

#[test]
fn work_goes_on_in_what_every_version_left() {
    for Fixture { name, .. } in FIXTURES {
        block_on(work_goes_on(name, stores(copy(name).path())));
    }
}

/// A version whose fold is another one has left the rows: their bodies mean nothing here, and the events are folded again.
#[test]
fn states_of_another_fold_are_folded_again() {
    for Fixture { name, besides: also, .. } in FIXTURES {
        let directory = copy(name);
        let connection = Connection::open(directory.path().join("town.db")).unwrap();
        let other = "UPDATE stream SET fold = fold - 1, body = CAST('{\"of\":\"another fold\"}' AS BLOB)";
        assert!(connection.execute(other, []).unwrap() > 8);
        drop(connection);
        block_on(async {
            let (grc, _) = open(directory.path()).await;
            let besides = besides(&grc).await;
            assert_eq!(summary(&besides).trim_end(), also, "fixture {name} says besides:\n{besides}");
            let said = said(&grc).await;
            assert_eq!(summary(&said), expected(name), "fixture {name} says:\n{said}");
            // What is written is of the present fold.
            let session = grc.authority(Walk::TOWN).unwrap().session(Actor::agent(AGENT));
            let mut noted = 0;
            for id in requests(&grc).await {
                let note = Instruction::new(Command::note("vu"));
                noted += usize::from(session.act_on(id, None, note).await.is_ok());
            }
            assert!(noted > 2, "{noted}");
        });
    }
}

/// A copy of a file, made as docs/SECURITY.md says, while others work with it.
fn back_up(from: &Path, to: &Path) {
    Connection::open(from).unwrap().execute("VACUUM INTO ?1", [to.display().to_string()]).unwrap();
}

/// An engine on copies, which draws other ids than the one that they were made of.
async fn restored(directory: &Path, at: Moment) -> Result<Grc, GrcError> {
    let opened = Options::new().open(directory.join(FILES[0])).unwrap();
    Grc::with(opened.into(), Arc::new(ManualClock::at(at)), Arc::new(SeededEntropy::new(78))).await
}

/// Copies of a store and of its keyring, each made of the files in a directory.
fn backup(store: &Path, keyring: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::copy(store, directory.path().join(FILES[0])).unwrap();
    std::fs::copy(keyring, directory.path().join(FILES[1])).unwrap();
    directory
}

#[test]
fn copies_of_a_store_at_work_are_what_is_said_of_backups() {
    let (town, copies) = (copy("1"), tempfile::tempdir().unwrap());
    let [store, keyring] = FILES.map(|file| town.path().join(file));
    let to = |name: &str| copies.path().join(name);
    block_on(async {
        let (grc, clock) = open(town.path()).await;
        let session = grc.authority(Walk::TOWN).unwrap().session(Actor::agent(AGENT));
        let mut noted = 0;
        for id in requests(&grc).await {
            let note = Instruction::new(Command::note("avant la copie"));
            noted += usize::from(session.act_on(id, None, note).await.is_ok());
        }
        assert!(
            noted > 5 && town.path().join("town.db-wal").metadata().unwrap().len() > 0,
            "it is in the log"
        );
        let before = said(&grc).await;
        back_up(&store, &to("before.db"));
        back_up(&keyring, &to("before.keys"));
        walk_goes_on("1", &grc, &clock).await;
        back_up(&store, &to("after.db"));
        back_up(&keyring, &to("after.keys"));
        drop((grc, session));

        let now = clock.now();
        let whole = backup(&to("before.db"), &to("before.keys"));
        assert_eq!(said(&restored(whole.path(), now).await.unwrap()).await, before);
        // What was forgotten since is not there again; the rest is.
        let forgotten = backup(&to("before.db"), &to("after.keys"));
        let left = said(&restored(forgotten.path(), now).await.unwrap()).await;
        assert_eq!(left.lines().count(), before.lines().count());
        assert!(left.len() < before.len(), "{left}");
        // A keyring from before the store would bring it back.
        let older = backup(&to("after.db"), &to("before.keys"));
        let refused = restored(older.path(), now).await.unwrap_err();
        assert!(matches!(refused, GrcError::KeyringOlder), "{refused:?}");
    });
}
