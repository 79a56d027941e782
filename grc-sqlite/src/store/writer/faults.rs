//! A group of which any statement fails, in turn: each step of a batch, claims, files, BEGIN, savepoints and COMMIT.

use super::{
    tests::{thread, whole, word},
    *,
};
use grc_core::{
    TaskId,
    storage::{
        Access, Document, Expect, Facts, IndexValue, Link, LinkKey, ReceiptRow, Step, StoredEvent, StreamKey,
        StreamRow, TaskRef,
    },
};
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

thread_local! {
    /// How many statements have begun, which of them is to fail, whether all after it fail too, whether one did.
    static BEGUN: Cell<usize> = const { Cell::new(0) };
    static FAILS: Cell<usize> = const { Cell::new(usize::MAX) };
    static FOR_GOOD: Cell<bool> = const { Cell::new(false) };
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

fn begins(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(..) = event {
        BEGUN.set(BEGUN.get() + 1);
    }
}

/// Whether the statement that runs now is to be interrupted. SQLite rolls all back if it was writing, and only says so if
/// it was reading; it asks after COMMIT has done its work, too.
fn interrupted() -> bool {
    let fails = BEGUN.get() == FAILS.get() || FOR_GOOD.get() && BEGUN.get() > FAILS.get();
    if fails {
        FAILED.set(true);
        if !FOR_GOOD.get() {
            FAILS.set(usize::MAX);
        }
    }
    fails
}

fn arm(connection: &mut Connection, fails: usize, for_good: bool) {
    BEGUN.set(0);
    FAILS.set(fails);
    FOR_GOOD.set(for_good);
    FAILED.set(false);
    // Older versions answer nothing.
    let _ = connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(begins as fn(TraceEvent<'_>)));
    let _ = connection.progress_handler(1, Some(interrupted));
}

/// From now on nothing fails; whether something did.
fn disarm() -> bool {
    FAILS.set(usize::MAX);
    FOR_GOOD.set(false);
    FAILED.get()
}

/// Whose the members are: each has an authority of its own, by which what it wrote is told.
const MEMBERS: [&str; 5] = ["changed", "changed-too", "filed", "removed", "claimed"];

fn id(member: usize, what: u128) -> Uuid {
    Uuid::from_u128(member as u128 * 1_000 + what + 1)
}

fn key(member: usize) -> StreamKey {
    StreamKey::new(word(MEMBERS[member]), word("request"), id(member, 0))
}

fn link(member: usize, kind: &str) -> Link {
    Link { key: LinkKey { kind: word(kind), key: vec![7; 8] }, stream: key(member), unique: false }
}

fn document(name: &str, version: u64) -> Document {
    Document { kind: word("note"), name: word(name), version, body: vec![version as u8; 10] }
}

fn task(member: usize, what: u128, kind: &str) -> Task {
    Task {
        id: TaskId::from_uuid(id(member, what)),
        queue: format!("q{what}"),
        order: 0,
        kind: word(kind),
        stream: key(member),
        due: Moment::EPOCH,
        attempts: 0,
        lease: 0,
        leased_until: Moment::EPOCH,
        dead: false,
        code: None,
        body: Vec::new(),
    }
}

fn claim(member: usize) -> Work {
    let authority = word(MEMBERS[member]);
    let until = Moment::EPOCH.plus_days(1);
    Work::Claim(Claim { authority, kinds: None, now: Moment::EPOCH, until, limit: 10 })
}

fn blob(member: usize) -> (Word, BlobId) {
    (word(MEMBERS[member]), BlobId::from_uuid(id(member, 9)))
}

fn put_blob(member: usize) -> Work {
    let (authority, id) = blob(member);
    Work::PutBlob { authority, id, piece: 0, at: Moment::EPOCH, bytes: vec![3; 100] }
}

/// What is there before: all that the members change, drop, finish.
fn prepared() -> (tempfile::TempDir, Thread) {
    let (directory, mut thread) = thread(commit);
    let mut work = Vec::new();
    for member in [0, 1, 4] {
        let mut batch = whole(MEMBERS[member], id(member, 0).as_u128());
        if member < 2 {
            batch = batch
                .with(Step::PutVault { stream: key(member), part: 1, bytes: vec![1; 10] })
                .with(Step::PutLink(link(member, "external")))
                .with(Step::PutLink(link(member, "contact.phone")))
                .with(Step::Schedule(task(member, 1, "deliver")))
                .with(Step::Schedule(task(member, 2, "retention")))
                .with(Step::PutDocument { document: document("gone", 1), expect: Expect::Absent })
                .with(Step::PutDocument { document: document("kept", 1), expect: Expect::Absent })
                .with(Step::RaiseDocument(document("raised", 1)));
        }
        work.push(Work::Commit(batch));
    }
    work.push(put_blob(3));
    assert!(run(&mut thread, work).iter().all(Result::is_ok));
    assert!(run(&mut thread, vec![claim(0), claim(1)]).iter().all(Result::is_ok));
    (directory, thread)
}

/// A batch with each step that there is, over what was prepared.
fn changed(member: usize) -> Work {
    let stream = key(member);
    let batch = grc_core::BatchId::from_uuid(id(member, 5));
    let row = StreamRow {
        key: stream.clone(),
        birth: word(MEMBERS[member]),
        version: 2,
        fold: 1,
        head: [2; 32],
        facts: Facts::new(),
        body: b"{\"n\":2}".to_vec(),
    };
    let event = StoredEvent { sequence: 2, batch, head: [2; 32], body: b"{\"n\":2}".to_vec() };
    let held =
        |what| TaskRef { queue: format!("q{what}"), id: TaskId::from_uuid(id(member, what)), lease: 1 };
    let receipt = ReceiptRow {
        token: *id(member, 6).as_bytes(),
        mac: [2; 32],
        key: grc_core::KeyId::from_uuid(id(member, 7)),
        stream: stream.clone(),
        version: 2,
        expires: Moment::EPOCH.plus_days(1),
    };
    let access = Access { stream: stream.clone(), at: Moment::EPOCH, body: b"{}".to_vec() };
    let of = stream.clone();
    let note = word(&format!("n{}", id(member, 0).as_u128()));
    let second = Document { name: note, ..document("second", 2) };
    Work::Commit(
        Batch::new(batch, word(MEMBERS[member]), Moment::EPOCH)
            .with(Step::PutStream { row, expect: Expect::Version(1) })
            .with(Step::Append { stream: of.clone(), after: 1, events: vec![event] })
            .with(Step::PutVault { stream: of.clone(), part: 0, bytes: vec![2; 12] })
            .with(Step::DropVault { stream: of.clone(), parts: vec![1] })
            .with(Step::PutMeasure { stream: of.clone(), bytes: vec![2; 10] })
            .with(Step::PutIndex { stream: of.clone(), field: word("size"), values: vec![] })
            .with(Step::PutIndex {
                stream: of.clone(),
                field: word("depth"),
                values: vec![IndexValue::Number(2), IndexValue::Number(3)],
            })
            .with(Step::PutLink(link(member, "source")))
            .with(Step::DropLink { key: link(member, "external").key, stream: of.clone() })
            .with(Step::DropLinks { stream: of.clone(), prefix: "contact".to_owned() })
            .with(Step::Schedule(task(member, 3, "destroy")))
            .with(Step::Finish(held(1)))
            .with(Step::Release {
                task: held(2),
                due: Moment::EPOCH.plus_days(2),
                dead: false,
                code: Some(word("later")),
                attempts: None,
            })
            .with(Step::Cancel { stream: of, kinds: vec![word("timer")] })
            .with(Step::PutDocument { document: second, expect: Expect::Version(1) })
            .with(Step::RaiseDocument(document("raised", 3)))
            .with(Step::DropDocument { kind: word("note"), name: word("gone"), version: 1 })
            .with(Step::Current { kind: word("note"), name: word("kept"), version: 1 })
            .with(Step::PutReceipt(receipt))
            .with(Step::LogAccess(access)),
    )
}

fn members() -> Vec<Work> {
    let (authority, id) = blob(3);
    vec![changed(0), changed(1), put_blob(2), Work::RemoveBlob { authority, id }, claim(4)]
}

fn run(thread: &mut Thread, work: Vec<Work>) -> Vec<Result<Answer, StorageErrorKind>> {
    let (jobs, answers): (Vec<_>, Vec<_>) = work
        .into_iter()
        .map(|work| {
            let (reply, answer) = oneshot::channel();
            (Job { work, reply }, answer)
        })
        .unzip();
    thread.group(jobs, true);
    answers.into_iter().map(|answer| answer.recv().unwrap().map_err(|error| error.kind())).collect()
}

type Rows = BTreeSet<String>;

/// All rows of each member, but for the number that a change has among those of all.
fn left(directory: &tempfile::TempDir) -> Vec<Rows> {
    let connection = Connection::open(directory.path().join("town.db")).unwrap();
    let sql =
        "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'
               AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) a WHERE a.name = 'authority')
               AND (m.name, c.name) <> ('change', 'n')";
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut columns = connection.prepare(sql).unwrap();
    for column in columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        let (table, column): (String, String) = column.unwrap();
        tables.entry(table).or_default().push(format!("quote(\"{column}\")"));
    }
    assert_eq!(tables.len(), 12, "{:?}", tables.keys());
    let mut out = vec![Rows::new(); MEMBERS.len()];
    for (table, columns) in tables {
        let sql = format!("SELECT {} FROM \"{table}\" WHERE authority = ?", columns.join(" || ',' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        for (member, rows) in MEMBERS.iter().zip(&mut out) {
            for row in statement.query_map([member], |row| row.get::<_, String>(0)).unwrap() {
                rows.insert(format!("{table}: {}", row.unwrap()));
            }
        }
    }
    out
}

/// How often the members of a group were answered so.
#[derive(Debug, Default)]
struct Seen {
    groups: usize,
    none_written: usize,
    some_written: usize,
    all_written: usize,
    unknown: usize,
}

#[test]
fn whichever_statement_of_a_group_fails_each_member_is_written_wholly_or_not_at_all() {
    let (directory, mut clean) = prepared();
    let before = left(&directory);
    assert!(run(&mut clean, members()).iter().all(Result::is_ok));
    let after = left(&directory);
    assert!(
        before.iter().zip(&after).all(|(before, after)| before != after),
        "each member changes something"
    );

    for for_good in [false, true] {
        let mut seen = Seen::default();
        for fails in 1.. {
            let (directory, mut thread) = prepared();
            arm(thread.connection.as_mut().unwrap(), fails, for_good);
            let answers = run(&mut thread, members());
            if !disarm() {
                break;
            }
            let mut written = 0;
            for (member, (answer, rows)) in answers.iter().zip(left(&directory)).enumerate() {
                let what =
                    format!("statement {fails}, for good: {for_good}, {}: {answer:?}", MEMBERS[member]);
                match answer {
                    Ok(_) => assert_eq!(rows, after[member], "{what}"),
                    Err(StorageErrorKind::OutcomeUnknown) => {
                        seen.unknown += 1;
                        assert!(rows == before[member] || rows == after[member], "{what}");
                    }
                    Err(_) => assert_eq!(rows, before[member], "{what}"),
                }
                written += usize::from(answer.is_ok());
            }
            seen.groups += 1;
            match written {
                0 => seen.none_written += 1,
                5 => seen.all_written += 1,
                _ => seen.some_written += 1,
            }
            // Whoever commits the same again is told that it was written, or writes it now.
            let again = run(&mut thread, members());
            for (first, again) in answers.iter().zip(&again) {
                match (first, again) {
                    (Ok(Answer::Receipt(_)), Ok(Answer::Receipt(receipt))) => assert!(receipt.replayed),
                    (_, again) => assert!(again.is_ok(), "statement {fails}: {again:?}"),
                }
            }
            assert_eq!(left(&directory), after, "statement {fails}, and the group once more");
        }
        println!("for good: {for_good}: {seen:?}");
        assert!(seen.groups > 80 && seen.none_written > 0, "{seen:?}");
        assert!(for_good || seen.some_written > 20 && seen.all_written > 20, "{seen:?}");
    }
}
