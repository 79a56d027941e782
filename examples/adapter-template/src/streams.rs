//! Stream rows, their logs and their index rows.

use crate::{
    bytes::Reader,
    engine::{Draft, Read},
    error::{Fault, Outcome, conflict, unsupported, whole},
    keys,
    rows::{read_stream, write_event, write_index, write_stream},
};
use grc_core::{
    Word,
    storage::{ConflictOn, Expect, Fact, IndexValue, Log, PageKey, StoredEvent, StreamKey, StreamRow},
};

pub(crate) fn by_key(rows: &dyn Read, key: &StreamKey) -> Outcome<Option<StreamRow>> {
    rows.get(&keys::stream(key))?.map(|bytes| read_stream(key.clone(), &bytes)).transpose()
}

pub(crate) fn version(rows: &dyn Read, key: &StreamKey) -> Outcome<Option<u64>> {
    Ok(by_key(rows, key)?.map(|row| row.version))
}

/// A row's place in a list: what was never opened is before all that was.
pub(crate) fn place(row: &StreamRow) -> PageKey {
    PageKey { value: row.facts.integer(Fact::Opened).unwrap_or(i64::MIN), id: row.key.id }
}

/// Writes a row over what was expected (C-04), and its place in lists with it.
pub(crate) fn put(draft: &mut Draft<'_>, row: &StreamRow, expect: Expect) -> Outcome<()> {
    let before = by_key(draft, &row.key)?;
    let expected = match expect {
        Expect::Absent => None,
        Expect::Version(version) => Some(version),
    };
    if before.as_ref().map(|row| row.version) != expected {
        return Err(conflict(ConflictOn::Stream, "the stream has another version"));
    }
    let (authority, kind) = (&row.key.authority, &row.key.kind);
    if let Some(before) = before {
        draft.remove(&keys::opened(authority, kind, &place(&before)))?;
    }
    draft.put(&keys::opened(authority, kind, &place(row)), &[])?;
    draft.put(&keys::stream(&row.key), &write_stream(row))
}

/// The last sequence of a log; 0 if it is empty.
pub(crate) fn last(rows: &dyn Read, log: Log, stream: &StreamKey) -> Outcome<u64> {
    let log = keys::log(log, stream);
    match rows.last(&log)? {
        None => Ok(0),
        Some((key, _)) => whole("a sequence cannot be read", Reader::after(&log, &key).number()),
    }
}

pub(crate) fn log(draft: &mut Draft<'_>, log: Log, stream: &StreamKey, event: &StoredEvent) -> Outcome<()> {
    draft.put(&keys::log(log, stream).number(event.sequence), &write_event(event))
}

/// Appends events after the last one that the caller knows (C-06).
pub(crate) fn append(
    draft: &mut Draft<'_>,
    stream: &StreamKey,
    after: u64,
    events: &[StoredEvent],
) -> Outcome<()> {
    if last(draft, Log::History, stream)? != after {
        return Err(conflict(ConflictOn::Stream, "the stream has other events"));
    }
    for (sequence, event) in (after.saturating_add(1)..).zip(events) {
        if event.sequence != sequence {
            return Err(Fault::Store(unsupported("events have sequences without gap")));
        }
        log(draft, Log::History, stream, event)?;
    }
    Ok(())
}

/// Replaces the values of a field. No row means no value, so that presence is the row's.
pub(crate) fn put_index(
    draft: &mut Draft<'_>,
    stream: &StreamKey,
    field: &Word,
    values: &[IndexValue],
) -> Outcome<()> {
    let key = keys::index(stream, field);
    if values.is_empty() { draft.remove(&key) } else { draft.put(&key, &write_index(values)) }
}
