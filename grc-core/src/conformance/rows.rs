//! Rows and batches for the cases. Everything follows from small numbers, so that a failure reads well.

use crate::{
    BatchId, KeyId, Moment, TaskId, Word,
    storage::{
        Access, Batch, ConflictOn, Document, Expect, Fact, FactValue, Facts, IndexValue, Link, LinkKey,
        ReceiptRow, Step, StorageError, StorageErrorKind, StoredEvent, StreamKey, StreamRow, Task,
    },
};
use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

pub(super) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

/// The authority of most cases.
pub(super) fn town() -> Word {
    word("town")
}

/// Another authority in the same store.
pub(super) fn county() -> Word {
    word("county")
}

pub(super) fn at(micros: i64) -> Moment {
    Moment::from_micros(micros)
}

pub(super) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(super) fn stream(n: u128) -> StreamKey {
    stream_of(town(), n)
}

pub(super) fn stream_of(authority: Word, n: u128) -> StreamKey {
    StreamKey::new(authority, word("request"), uuid(n))
}

/// A stream row at a version.
pub(super) fn row(key: &StreamKey, version: u64) -> StreamRow {
    StreamRow {
        key: key.clone(),
        birth: key.authority.clone(),
        version,
        fold: 1,
        head: [u8::try_from(version % 251).unwrap(); 32],
        facts: Facts::new(),
        body: format!("{{\"version\":{version}}}").into_bytes(),
    }
}

/// A stream row at version 1 with these facts.
pub(super) fn row_with(key: &StreamKey, facts: &[(Fact, FactValue)]) -> StreamRow {
    let mut row = row(key, 1);
    for (fact, value) in facts {
        row.facts.set(*fact, Some(value.clone()));
    }
    row
}

pub(super) fn fact(text: &str) -> FactValue {
    FactValue::Word(word(text))
}

pub(super) fn number(number: i64) -> FactValue {
    FactValue::Integer(number)
}

static BATCHES: AtomicU64 = AtomicU64::new(1);

/// An empty batch of the town with an id of its own, at 1000 µs.
pub(super) fn batch() -> Batch {
    batch_of(town(), 1_000)
}

pub(super) fn batch_of(authority: Word, micros: i64) -> Batch {
    let n = BATCHES.fetch_add(1, Ordering::Relaxed);
    Batch::new(BatchId::from_uuid(uuid(u128::from(n))), authority, at(micros))
}

/// A batch that makes a stream.
pub(super) fn create(key: &StreamKey) -> Batch {
    batch_of(key.authority.clone(), 1_000).with(put(row(key, 1), Expect::Absent))
}

pub(super) fn put(row: StreamRow, expect: Expect) -> Step {
    Step::PutStream { row, expect }
}

/// The events of a batch after a sequence, with these bodies.
pub(super) fn append(batch: &Batch, key: &StreamKey, after: u64, bodies: &[&[u8]]) -> Step {
    let events = (after + 1..)
        .zip(bodies)
        .map(|(sequence, body)| StoredEvent {
            sequence,
            batch: batch.id(),
            head: [u8::try_from(sequence % 251).unwrap(); 32],
            body: body.to_vec(),
        })
        .collect();
    Step::Append { stream: key.clone(), after, events }
}

/// A batch that appends events with these bodies after a sequence.
pub(super) fn appending(key: &StreamKey, after: u64, bodies: &[&[u8]]) -> Batch {
    let batch = batch_of(key.authority.clone(), 1_000);
    let step = append(&batch, key, after, bodies);
    batch.with(step)
}

pub(super) fn vault(key: &StreamKey, part: u32, bytes: &[u8]) -> Step {
    Step::PutVault { stream: key.clone(), part, bytes: bytes.to_vec() }
}

pub(super) fn measure(key: &StreamKey, bytes: &[u8]) -> Step {
    Step::PutMeasure { stream: key.clone(), bytes: bytes.to_vec() }
}

pub(super) fn index(key: &StreamKey, field: &str, values: &[IndexValue]) -> Step {
    Step::PutIndex { stream: key.clone(), field: word(field), values: values.to_vec() }
}

pub(super) fn link_key(kind: &str, key: &[u8]) -> LinkKey {
    LinkKey { kind: word(kind), key: key.to_vec() }
}

pub(super) fn link(kind: &str, key: &[u8], to: &StreamKey, unique: bool) -> Step {
    Step::PutLink(Link { key: link_key(kind, key), stream: to.clone(), unique })
}

/// A task of a stream: `remind`, due at 100 µs, first in its queue.
pub(super) fn task(n: u128, queue: &str, of: &StreamKey) -> Task {
    Task {
        id: TaskId::from_uuid(uuid(n)),
        queue: queue.to_owned(),
        order: 1,
        kind: word("remind"),
        stream: of.clone(),
        due: at(100),
        attempts: 0,
        lease: 0,
        leased_until: Moment::EPOCH,
        dead: false,
        code: None,
        body: b"{}".to_vec(),
    }
}

pub(super) fn receipt(token: u8, of: &StreamKey, expires: i64) -> ReceiptRow {
    ReceiptRow {
        token: [token; 16],
        mac: [token; 32],
        key: KeyId::from_uuid(uuid(u128::from(token))),
        stream: of.clone(),
        version: 1,
        expires: at(expires),
    }
}

pub(super) fn document(name: &str, version: u64, body: &[u8]) -> Document {
    Document { kind: word("procedure"), name: word(name), version, body: body.to_vec() }
}

pub(super) fn access(of: &StreamKey, body: &[u8]) -> Step {
    Step::LogAccess(Access { stream: of.clone(), at: at(1_000), body: body.to_vec() })
}

/// Puts a first version of a document, or the one after a version.
pub(super) fn publish(name: &str, version: u64, body: &[u8]) -> Step {
    let expect = if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
    Step::PutDocument { document: document(name, version, body), expect }
}

/// A step of every kind that writes, about a stream that is not there yet.
pub(super) fn everything(batch: &Batch, key: &StreamKey, n: u8) -> Vec<Step> {
    let name = format!("form-{n}");
    vec![
        put(row_with(key, &[(Fact::Service, fact("water")), (Fact::Opened, number(5))]), Expect::Absent),
        append(batch, key, 0, &[b"one", b"two"]),
        vault(key, 0, b"head"),
        vault(key, 7, b"seven"),
        measure(key, b"measured"),
        index(key, "colour", &[IndexValue::Text("red".to_owned()), IndexValue::Number(3)]),
        link("tracking", &[n; 16], key, true),
        link("contact.email", &[n; 16], key, false),
        Step::Schedule(task(u128::from(n), &format!("queue {n}"), key)),
        publish(&name, 1, b"body"),
        Step::RaiseDocument(Document { kind: word("keyring"), ..document(&name, 9, b"raised") }),
        Step::PutReceipt(receipt(n, key, 9_000)),
        access(key, b"who"),
    ]
}

/// The batch is refused as a conflict on this.
#[track_caller]
pub(super) fn conflict<T: Debug>(result: Result<T, StorageError>, on: ConflictOn, why: &str) {
    match result {
        Err(error) if error.conflict_on() == Some(on) => {}
        other => panic!("{why}: a conflict on {on:?} was due, and there was {other:?}"),
    }
}

/// The call is refused in this way.
#[track_caller]
pub(super) fn refused<T: Debug>(result: Result<T, StorageError>, kind: StorageErrorKind, why: &str) {
    match result {
        Err(error) if error.kind() == kind => {}
        other => panic!("{why}: {kind:?} was due, and there was {other:?}"),
    }
}
