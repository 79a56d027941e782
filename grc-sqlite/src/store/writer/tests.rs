//! What happens when a COMMIT fails, before and after it reached the disk.

use super::*;
use crate::{Durability, schema};
use grc_core::storage::{Document, Expect, Step};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

fn batch(n: u128) -> Batch {
    let document =
        Document { kind: word("note"), name: word(&format!("n{n}")), version: 1, body: vec![1; 10] };
    Batch::new(grc_core::BatchId::from_uuid(Uuid::from_u128(n)), word("town"), Moment::EPOCH)
        .with(Step::PutDocument { document, expect: Expect::Absent })
}

fn thread(commit: fn(&Connection) -> rusqlite::Result<()>) -> (TempDir, Thread) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("town.db");
    let options = Options::new().create(true).durability(Durability::Relaxed);
    crate::files::prepare(&file, true, "store").unwrap();
    let connection = connection::store_writer(&file, &options).unwrap();
    schema::STORE
        .migrate(&connection, &file, |connection| super::super::meta::begin(connection, true))
        .unwrap();
    let store = super::super::meta::incarnation(&connection).unwrap();
    (directory, Thread { connection: Some(connection), file, options, store, commit })
}

/// Writes these as one group. What came of each: replayed or not, or the kind of error.
fn group(thread: &mut Thread, batches: &[u128]) -> Vec<Result<bool, StorageErrorKind>> {
    let (jobs, answers): (Vec<_>, Vec<_>) = batches
        .iter()
        .map(|n| {
            let (reply, answer) = oneshot::channel();
            (Job { work: Work::Commit(batch(*n)), reply }, answer)
        })
        .unzip();
    thread.group(jobs, true);
    answers
        .into_iter()
        .map(|answer| match answer.recv().unwrap() {
            Ok(Answer::Receipt(receipt)) => Ok(receipt.replayed),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.kind()),
        })
        .collect()
}

fn failure(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}

const SYNC: i32 = rusqlite::ffi::SQLITE_IOERR_FSYNC;

fn written(thread: &mut Thread, n: u128) -> bool {
    thread.look_up(&Work::Commit(batch(n))).unwrap()
}

#[test]
fn a_commit_that_failed_after_it_was_written_is_found() {
    let (_directory, mut thread) = thread(|connection| {
        commit(connection)?;
        Err(failure(SYNC))
    });
    assert_eq!(group(&mut thread, &[1, 2, 3]), [Ok(false), Ok(false), Ok(false)]);
    assert_eq!(group(&mut thread, &[4]), [Ok(false)]);
    thread.commit = commit;
    assert_eq!(group(&mut thread, &[1, 4, 5]), [Ok(true), Ok(true), Ok(false)]);
}

#[test]
fn a_commit_that_failed_before_is_run_again_alone() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (_directory, mut thread) = thread(|connection| {
        if CALLS.fetch_add(1, Ordering::Relaxed) == 0 { Err(failure(SYNC)) } else { commit(connection) }
    });
    assert_eq!(group(&mut thread, &[1, 2]), [Ok(false), Ok(false)]);
    assert_eq!(CALLS.load(Ordering::Relaxed), 3);
    assert!(written(&mut thread, 1) && written(&mut thread, 2));
}

#[test]
fn a_commit_that_keeps_failing_is_unknown() {
    let (_directory, mut thread) = thread(|_| Err(failure(SYNC)));
    let unknown = Err(StorageErrorKind::OutcomeUnknown);
    assert_eq!(group(&mut thread, &[1, 2]), [unknown, unknown]);
    // Whoever commits the same again finds out.
    thread.commit = commit;
    assert_eq!(group(&mut thread, &[1]), [Ok(false)]);
}

#[test]
fn a_commit_without_room_has_written_nothing() {
    let (_directory, mut thread) = thread(|_| Err(failure(rusqlite::ffi::SQLITE_FULL)));
    assert_eq!(group(&mut thread, &[1]), [Err(StorageErrorKind::Unavailable)]);
    thread.commit = commit;
    assert!(!written(&mut thread, 1));
}

#[test]
fn a_commit_that_cannot_be_looked_up_is_unknown() {
    let (directory, mut thread) = thread(|_| Err(failure(SYNC)));
    thread.file = directory.path().join("gone/town.db");
    assert_eq!(group(&mut thread, &[1]), [Err(StorageErrorKind::OutcomeUnknown)]);
    // The next ones are refused until the file can be opened again.
    assert_eq!(group(&mut thread, &[2]), [Err(StorageErrorKind::Unusable)]);
    thread.file = directory.path().join("town.db");
    thread.commit = commit;
    assert_eq!(group(&mut thread, &[2]), [Ok(false)]);
}

#[test]
fn a_transaction_that_sqlite_rolled_back_is_run_again_one_by_one() {
    // SQLite has ended the transaction before the last member: nobody has succeeded.
    let (_directory, mut thread) = thread(commit);
    let connection = thread.open().unwrap();
    connection
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON document WHEN NEW.name = 'n2'
             BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        )
        .unwrap();
    assert_eq!(group(&mut thread, &[1, 2, 3]), [Ok(false), Err(StorageErrorKind::Other), Ok(false)]);
    assert!(written(&mut thread, 1) && !written(&mut thread, 2) && written(&mut thread, 3));
}

#[test]
fn a_store_that_was_replaced_is_not_written() {
    let (_directory, mut thread) = thread(|_| Err(failure(SYNC)));
    thread.store = Uuid::max();
    assert_eq!(group(&mut thread, &[1]), [Err(StorageErrorKind::OutcomeUnknown)]);
    assert_eq!(group(&mut thread, &[1]), [Err(StorageErrorKind::Unusable)]);
}
