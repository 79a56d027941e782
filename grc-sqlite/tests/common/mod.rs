//! Batches and readings that several tests need.

use grc_core::{
    BatchId, Moment, Word,
    storage::{
        Batch, Expect, Fact, FactValue, Facts, Load, Parts, Step, Store, StoredEvent, StreamKey,
        StreamRecord, StreamRow,
    },
};
use pollster::block_on;
use uuid::Uuid;

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

pub(crate) fn row(n: u128, version: u64) -> StreamRow {
    let mut facts = Facts::new();
    facts.set(Fact::Opened, Some(FactValue::Integer(i64::try_from(n).unwrap())));
    facts.set(Fact::State, Some(FactValue::Word(word("new"))));
    StreamRow {
        key: stream(n),
        birth: town(),
        version,
        fold: 1,
        head: [0; 32],
        facts,
        body: format!("{{\"n\":{n}}}").into_bytes(),
    }
}

/// A new stream with one event.
pub(crate) fn create(id: u128, n: u128) -> Batch {
    let batch = batch(id);
    let event = StoredEvent { sequence: 1, batch: batch.id(), head: [1; 32], body: b"{}".to_vec() };
    batch.with(Step::PutStream { row: row(n, 1), expect: Expect::Absent }).with(Step::Append {
        stream: stream(n),
        after: 0,
        events: vec![event],
    })
}

pub(crate) fn read(store: &dyn Store, n: u128) -> Option<StreamRecord> {
    let load = Load { authority: town(), streams: vec![stream(n)], parts: Parts::All, receipt: None };
    block_on(store.load(&load)).unwrap().streams.pop().unwrap()
}
