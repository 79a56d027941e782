//! Rows as bytes. What a key says already is not said again in the value.

use crate::{
    bytes::{Bytes, Reader},
    error::{Outcome, whole},
};
use grc_core::{
    BatchId, KeyId, Moment, TaskId, Word,
    storage::{Fact, FactValue, Facts, IndexValue, ReceiptRow, StoredEvent, StreamKey, StreamRow, Task},
};

const WORD: u8 = 0;
const INTEGER: u8 = 1;

pub(crate) fn write_stream(row: &StreamRow) -> Vec<u8> {
    let mut out = Bytes::new().word(&row.birth).number(row.version).small(row.fold).raw(&row.head);
    out = out.small(row.facts.iter().count() as u32);
    for (fact, value) in row.facts.iter() {
        out = out.byte(fact as u8);
        out = match value {
            FactValue::Word(word) => out.byte(WORD).word(word),
            FactValue::Integer(number) => out.byte(INTEGER).signed(*number),
        };
    }
    out.raw(&row.body).into_vec()
}

pub(crate) fn read_stream(key: StreamKey, bytes: &[u8]) -> Outcome<StreamRow> {
    let mut reader = Reader::new(bytes);
    let read = || {
        let (birth, version, fold, head) =
            (reader.word()?, reader.number()?, reader.small()?, reader.array()?);
        let mut facts = Facts::new();
        for _ in 0..reader.small()? {
            // A fact that this version does not know is never left out in silence.
            let fact = Fact::from_number(reader.byte()?)?;
            let value = match reader.byte()? {
                WORD => FactValue::Word(reader.word()?),
                INTEGER => FactValue::Integer(reader.signed()?),
                _ => return None,
            };
            facts.set(fact, Some(value));
        }
        Some(StreamRow { key, birth, version, fold, head, facts, body: reader.rest() })
    };
    whole("a stream row cannot be read", read())
}

pub(crate) fn write_event(event: &StoredEvent) -> Vec<u8> {
    Bytes::new().uuid(event.batch.uuid()).raw(&event.head).raw(&event.body).into_vec()
}

pub(crate) fn read_event(sequence: Option<u64>, bytes: &[u8]) -> Outcome<StoredEvent> {
    let mut reader = Reader::new(bytes);
    let read = || {
        let (batch, head) = (BatchId::from_uuid(reader.uuid()?), reader.array()?);
        Some(StoredEvent { sequence: sequence?, batch, head, body: reader.rest() })
    };
    whole("an event cannot be read", read())
}

pub(crate) fn write_index(values: &[IndexValue]) -> Vec<u8> {
    let mut out = Bytes::new().small(values.len() as u32);
    for value in values {
        out = match value {
            IndexValue::Text(text) => out.byte(WORD).sized(text.as_bytes()),
            IndexValue::Number(number) => out.byte(INTEGER).signed(*number),
        };
    }
    out.into_vec()
}

pub(crate) fn read_index(bytes: &[u8]) -> Outcome<Vec<IndexValue>> {
    let mut reader = Reader::new(bytes);
    let mut read = || {
        (0..reader.small()?)
            .map(|_| match reader.byte()? {
                WORD => reader.text().map(IndexValue::Text),
                INTEGER => reader.signed().map(IndexValue::Number),
                _ => None,
            })
            .collect()
    };
    whole("an index row cannot be read", read())
}

pub(crate) fn write_task(task: &Task) -> Vec<u8> {
    let out = Bytes::new().sized(task.queue.as_bytes()).number(task.order).word(&task.kind);
    let out = out.word(&task.stream.kind).uuid(task.stream.id).signed(task.due.micros());
    let out = out.small(task.attempts).number(task.lease).signed(task.leased_until.micros());
    let out = out.byte(u8::from(task.dead)).byte(u8::from(task.code.is_some()));
    let out = if let Some(code) = &task.code { out.word(code) } else { out };
    out.raw(&task.body).into_vec()
}

pub(crate) fn read_task(authority: &Word, id: TaskId, bytes: &[u8]) -> Outcome<Task> {
    let mut reader = Reader::new(bytes);
    let read = || {
        let (queue, order, kind) = (reader.text()?, reader.number()?, reader.word()?);
        let stream = StreamKey::new(authority.clone(), reader.word()?, reader.uuid()?);
        let due = Moment::from_micros(reader.signed()?);
        let (attempts, lease) = (reader.small()?, reader.number()?);
        let leased_until = Moment::from_micros(reader.signed()?);
        let dead = reader.byte()? == 1;
        let code = if reader.byte()? == 1 { Some(reader.word()?) } else { None };
        let body = reader.rest();
        Some(Task { id, queue, order, kind, stream, due, attempts, lease, leased_until, dead, code, body })
    };
    whole("a task cannot be read", read())
}

pub(crate) fn write_receipt(row: &ReceiptRow) -> Vec<u8> {
    let out = Bytes::new().raw(&row.mac).uuid(row.key.uuid()).word(&row.stream.kind).uuid(row.stream.id);
    out.number(row.version).signed(row.expires.micros()).into_vec()
}

pub(crate) fn read_receipt(authority: &Word, token: [u8; 16], bytes: &[u8]) -> Outcome<ReceiptRow> {
    let mut reader = Reader::new(bytes);
    let mut read = || {
        let (mac, key) = (reader.array()?, KeyId::from_uuid(reader.uuid()?));
        let stream = StreamKey::new(authority.clone(), reader.word()?, reader.uuid()?);
        let (version, expires) = (reader.number()?, Moment::from_micros(reader.signed()?));
        Some(ReceiptRow { token, mac, key, stream, version, expires })
    };
    whole("a receipt cannot be read", read())
}
