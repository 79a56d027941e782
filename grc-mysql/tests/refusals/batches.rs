//! Batches and readings.

use grc_core::{
    BatchId, BlobId, Moment, TaskId, Word,
    storage::{
        Batch, BlobStore, Claim, Document, DocumentRange, EventRange, Expect, Fact, FactValue, Facts, Load,
        Log, Parts, Query, Step, StorageError, Store, StoredEvent, StreamKey, StreamRecord, StreamRow, Task,
        Which,
    },
};
use grc_mysql::MysqlStore;
use pollster::block_on;
use uuid::Uuid;

pub(crate) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

pub(crate) fn town() -> Word {
    word("rennes")
}

pub(crate) fn stream(n: u128) -> StreamKey {
    StreamKey::new(town(), word("request"), Uuid::from_u128(n))
}

pub(crate) fn batch(id: u128) -> Batch {
    Batch::new(BatchId::from_uuid(Uuid::from_u128(id)), town(), Moment::EPOCH)
}

fn row(n: u128, version: u64) -> StreamRow {
    let mut facts = Facts::new();
    facts.set(Fact::Opened, Some(FactValue::Integer(i64::try_from(n).unwrap())));
    facts.set(Fact::State, Some(FactValue::Word(word("new"))));
    let (birth, head, body) = (town(), [0; 32], format!("{{\"n\":{n}}}").into_bytes());
    StreamRow { key: stream(n), birth, version, fold: 1, head, facts, body }
}

/// A new stream with an event and a vault of so many bytes.
pub(crate) fn create(n: u128, bytes: usize) -> Batch {
    let batch = batch(n << 8);
    let event = StoredEvent { sequence: 1, batch: batch.id(), head: [1; 32], body: b"{}".to_vec() };
    batch
        .with(Step::PutStream { row: row(n, 1), expect: Expect::Absent })
        .with(Step::Append { stream: stream(n), after: 0, events: vec![event] })
        .with(Step::PutVault { stream: stream(n), part: 1, bytes: vec![7; bytes] })
}

/// The next version of a stream.
pub(crate) fn change(n: u128, version: u64) -> Batch {
    let expect = Expect::Version(version - 1);
    batch((n << 8) + u128::from(version)).with(Step::PutStream { row: row(n, version), expect })
}

pub(crate) fn commit(store: &MysqlStore, batch: Batch) -> Result<(), StorageError> {
    block_on(store.commit(batch)).map(|_| ())
}

pub(crate) fn read(store: &MysqlStore, n: u128) -> Result<Option<StreamRecord>, StorageError> {
    let load = Load { authority: town(), streams: vec![stream(n)], parts: Parts::All, receipt: None };
    block_on(store.load(&load)).map(|mut loaded| loaded.streams.pop().unwrap())
}

/// The version of a stream; 0 if there is none.
pub(crate) fn version(store: &MysqlStore, n: u128) -> u64 {
    read(store, n).unwrap().map_or(0, |record| record.row.version)
}

pub(crate) fn changes(store: &MysqlStore) -> Result<usize, StorageError> {
    block_on(store.changes(&town(), None, 1000)).map(|page| page.changes.len())
}

pub(crate) fn list(store: &MysqlStore) -> Result<usize, StorageError> {
    block_on(store.query(&Query::new(town(), word("request")))).map(|page| page.rows.len())
}

pub(crate) fn blob(n: u128) -> BlobId {
    BlobId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn put(store: &MysqlStore, n: u128, bytes: usize) -> Result<(), StorageError> {
    block_on(store.put(&town(), blob(n), 0, Moment::EPOCH, vec![3; bytes]))
}

/// A call of which only the outcome counts.
pub(crate) type Call = fn(&MysqlStore) -> Result<(), StorageError>;

/// Every call that there is, once, on streams that were not there. Answers how many.
pub(crate) fn every_call(store: &MysqlStore, n: u128) -> usize {
    let stream = stream(n);
    let task = Task {
        id: TaskId::from_uuid(Uuid::from_u128(n)),
        queue: "q".to_owned(),
        order: 0,
        kind: word("send"),
        stream: stream.clone(),
        due: Moment::EPOCH,
        attempts: 0,
        lease: 0,
        leased_until: Moment::EPOCH,
        dead: false,
        code: None,
        body: b"{}".to_vec(),
    };
    let document = Document { kind: word("form"), name: word("main"), version: 1, body: b"{}".to_vec() };
    let batch = create(n, 9)
        .with(Step::PutMeasure { stream: stream.clone(), bytes: vec![1] })
        .with(Step::Schedule(task))
        .with(Step::PutDocument { document, expect: Expect::Absent });
    commit(store, batch).unwrap();
    commit(store, change(n, 2).with(Step::DropVault { stream: stream.clone(), parts: vec![1] })).unwrap();
    assert_eq!(version(store, n), 2);
    assert_eq!(list(store).unwrap(), 1);
    let range = EventRange { stream, log: Log::History, after: 0, limit: 10 };
    assert_eq!(block_on(store.events(&range)).unwrap().len(), 1);
    assert_eq!(block_on(store.measures(&town(), None, 10)).unwrap().rows.len(), 1);
    assert_eq!(changes(store).unwrap(), 2);
    let claim = Claim {
        authority: town(),
        kinds: None,
        now: Moment::EPOCH,
        until: Moment::EPOCH.plus_millis(1),
        limit: 5,
    };
    assert_eq!(block_on(store.claim(&claim)).unwrap().len(), 1);
    let range =
        DocumentRange { which: Which::All, ..DocumentRange::newest(town(), word("form"), word("main")) };
    assert_eq!(block_on(store.documents(&range)).unwrap().len(), 1);
    put(store, n, 100).unwrap();
    assert_eq!(block_on(store.get(&town(), blob(n), 0)).unwrap().unwrap().len(), 100);
    let page = block_on(BlobStore::list(store, &town(), Moment::EPOCH.plus_millis(1), None, 10)).unwrap();
    assert_eq!(page.blobs.len(), 1);
    block_on(store.remove(&town(), blob(n))).unwrap();
    14
}
