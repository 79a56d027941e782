//! What happens when a COMMIT fails, before and after it reached the disk.

use super::*;
use crate::{Durability, schema};
use grc_core::{
    KeyId, TaskId,
    storage::{
        Document, Expect, Facts, IndexValue, Link, LinkKey, ReceiptRow, Step, StoredEvent, StreamKey,
        StreamRow,
    },
};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

pub(super) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

fn batch(n: u128) -> Batch {
    let document =
        Document { kind: word("note"), name: word(&format!("n{n}")), version: 1, body: vec![1; 10] };
    Batch::new(grc_core::BatchId::from_uuid(Uuid::from_u128(n)), word("town"), Moment::EPOCH)
        .with(Step::PutDocument { document, expect: Expect::Absent })
}

pub(super) fn thread(commit: fn(&Connection) -> rusqlite::Result<()>) -> (TempDir, Thread) {
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
    group_of(thread, batches.iter().map(|n| batch(*n)).collect())
}

fn group_of(thread: &mut Thread, batches: Vec<Batch>) -> Vec<Result<bool, StorageErrorKind>> {
    let (jobs, answers): (Vec<_>, Vec<_>) = batches
        .into_iter()
        .map(|batch| {
            let (reply, answer) = oneshot::channel();
            (Job { work: Work::Commit(batch), reply }, answer)
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

/// A batch that writes to every table that batches write to.
pub(super) fn whole(authority: &str, n: u128) -> Batch {
    let id = Uuid::from_u128(n);
    let stream = StreamKey::new(word(authority), word("request"), id);
    let batch = grc_core::BatchId::from_uuid(id);
    let row = StreamRow {
        key: stream.clone(),
        birth: word(authority),
        version: 1,
        fold: 1,
        head: [1; 32],
        facts: Facts::new(),
        body: b"{}".to_vec(),
    };
    let event = StoredEvent { sequence: 1, batch, head: [1; 32], body: b"{}".to_vec() };
    let task = Task {
        id: TaskId::from_uuid(id),
        queue: "q".to_owned(),
        order: 0,
        kind: word("timer"),
        stream: stream.clone(),
        due: Moment::EPOCH,
        attempts: 0,
        lease: 0,
        leased_until: Moment::EPOCH,
        dead: false,
        code: None,
        body: Vec::new(),
    };
    let link = Link {
        key: LinkKey { kind: word("tracking"), key: id.as_bytes().to_vec() },
        stream: stream.clone(),
        unique: true,
    };
    let receipt = ReceiptRow {
        token: *id.as_bytes(),
        mac: [1; 32],
        key: KeyId::from_uuid(id),
        stream: stream.clone(),
        version: 1,
        expires: Moment::EPOCH.plus_days(1),
    };
    let document =
        Document { kind: word("note"), name: word(&format!("n{n}")), version: 1, body: vec![1; 10] };
    let values = vec![IndexValue::Number(1)];
    Batch::new(batch, word(authority), Moment::EPOCH)
        .with(Step::PutStream { row, expect: Expect::Absent })
        .with(Step::Append { stream: stream.clone(), after: 0, events: vec![event] })
        .with(Step::PutVault { stream: stream.clone(), part: 0, bytes: vec![1; 10] })
        .with(Step::PutMeasure { stream: stream.clone(), bytes: vec![1; 10] })
        .with(Step::PutIndex { stream, field: word("size"), values })
        .with(Step::PutLink(link))
        .with(Step::Schedule(task))
        .with(Step::PutDocument { document, expect: Expect::Absent })
        .with(Step::PutReceipt(receipt))
}

/// The tables whose rows have an authority, and how many rows of one each has.
fn rows(thread: &mut Thread, authority: &str) -> Vec<(String, i64)> {
    let connection = thread.open().unwrap();
    let sql = "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'authority'
               WHERE m.type = 'table' ORDER BY m.name";
    let mut statement = connection.prepare(sql).unwrap();
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let count = |table: &String| {
        let sql = format!("SELECT count(*) FROM {table} WHERE authority = ?");
        connection.query_row(&sql, [authority], |row| row.get(0)).unwrap()
    };
    tables.iter().map(|table| (table.clone(), count(table))).collect()
}

#[test]
fn whichever_statement_of_a_member_fails_the_others_are_written_and_nothing_of_it() {
    let (_directory, mut thread) = thread(commit);
    let tables: Vec<String> = {
        assert_eq!(group_of(&mut thread, vec![whole("filled", 1)]), [Ok(false)]);
        rows(&mut thread, "filled")
            .into_iter()
            .filter(|(_, rows)| *rows > 0)
            .map(|(table, _)| table)
            .collect()
    };
    assert_eq!(
        tables.len(),
        10,
        "{tables:?}: the batch writes to each table that batches write to, but the access log"
    );
    let mut n = 1;
    for table in &tables {
        for raise in ["ABORT", "FAIL", "ROLLBACK"] {
            let trigger = format!(
                "CREATE TRIGGER fault AFTER INSERT ON {table} WHEN NEW.authority = 'faulty'
                 BEGIN SELECT RAISE({raise}, 'a fault'); END"
            );
            thread.open().unwrap().execute_batch(&trigger).unwrap();
            let mut next = |authority: &str| {
                n += 1;
                whole(authority, n)
            };
            let (first, faulty, last) = (next("before"), next("faulty"), next("after"));
            let failed = Err(StorageErrorKind::Other);
            let answers = group_of(&mut thread, vec![first.clone(), faulty.clone(), last.clone()]);
            assert_eq!(answers, [Ok(false), failed, Ok(false)], "{raise} in {table}");
            // The same alone, and nothing is there.
            assert_eq!(group_of(&mut thread, vec![faulty.clone()]), [failed], "{raise} in {table}, alone");
            let left = rows(&mut thread, "faulty");
            assert!(left.iter().all(|(_, rows)| *rows == 0), "{raise} in {table}: {left:?}");
            thread.open().unwrap().execute_batch("DROP TRIGGER fault").unwrap();
            let again = group_of(&mut thread, vec![first, last]);
            assert_eq!(again, [Ok(true), Ok(true)], "{raise} in {table}");
        }
    }
    let whole = rows(&mut thread, "filled");
    let times = |by: i64| whole.iter().map(|(table, rows)| (table.clone(), rows * by)).collect::<Vec<_>>();
    let tried = 3 * i64::try_from(tables.len()).unwrap();
    assert_eq!((rows(&mut thread, "before"), rows(&mut thread, "after")), (times(tried), times(tried)));
    assert_eq!(group_of(&mut thread, vec![self::whole("faulty", 10_000)]), [Ok(false)]);
}
