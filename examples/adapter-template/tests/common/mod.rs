//! Batches and readings that several tests need.

use adapter_template::{Options, RedbStore};
use grc_core::{
    BatchId, Moment, Word,
    storage::{
        Batch, Expect, Fact, FactValue, Facts, Load, Parts, Step, Store, StoredEvent, StreamKey,
        StreamRecord, StreamRow,
    },
};
use pollster::block_on;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

/// A place for a store's file.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("town.redb");
    (directory, path)
}

/// How a test store is begun.
pub(crate) fn options() -> Options {
    Options::new().create(Uuid::from_u128(7)).test(true)
}

pub(crate) fn made(path: &Path) -> RedbStore {
    options().open(path).unwrap()
}

pub(crate) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

pub(crate) fn town() -> Word {
    word("rennes")
}

pub(crate) fn batch(id: u128) -> Batch {
    Batch::new(BatchId::from_uuid(Uuid::from_u128(id)), town(), Moment::EPOCH)
}

pub(crate) fn stream(n: u128) -> StreamKey {
    StreamKey::new(town(), word("request"), Uuid::from_u128(n))
}

/// A new stream with one event.
pub(crate) fn create(id: u128, n: u128) -> Batch {
    let mut facts = Facts::new();
    facts.set(Fact::Opened, Some(FactValue::Integer(i64::try_from(n).unwrap())));
    let body = format!("{{\"n\":{n}}}").into_bytes();
    let row = StreamRow { key: stream(n), birth: town(), version: 1, fold: 1, head: [0; 32], facts, body };
    let batch = batch(id);
    let event = StoredEvent { sequence: 1, batch: batch.id(), head: [1; 32], body: b"{}".to_vec() };
    let events = vec![event];
    batch.with(Step::PutStream { row, expect: Expect::Absent }).with(Step::Append {
        stream: stream(n),
        after: 0,
        events,
    })
}

pub(crate) fn read(store: &dyn Store, n: u128) -> Option<StreamRecord> {
    let load = Load { authority: town(), streams: vec![stream(n)], parts: Parts::All, receipt: None };
    block_on(store.load(&load)).unwrap().streams.pop().unwrap()
}
