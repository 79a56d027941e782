//! Histories, and access logs.

use super::rows::{bounded, int, number, uuid};
use crate::error::{Fault, NAME, Outcome, unsupported};
use grc_core::{
    BatchId,
    storage::{Access, ConflictOn, EventRange, Log, StorageError, StoredEvent, StreamKey},
};
use rusqlite::{Connection, params};

/// Appends events after a sequence.
pub(super) fn append(
    connection: &Connection,
    stream: &StreamKey,
    after: u64,
    events: &[StoredEvent],
) -> Outcome<()> {
    let (authority, kind, id) = (stream.authority.as_str(), stream.kind.as_str(), &stream.id.as_bytes()[..]);
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(sequence) FROM event WHERE authority = ? AND kind = ? AND id = ?")?
        .query_row(params![authority, kind, id], |row| row.get(0))?;
    if u64::try_from(last.unwrap_or(0)).ok() != Some(after) {
        return Err(Fault::Store(StorageError::conflict(
            NAME,
            ConflictOn::Stream,
            "the stream has other events",
        )));
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO event (authority, kind, id, sequence, batch, head, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut sequence = after;
    for event in events {
        sequence += 1;
        if event.sequence != sequence {
            return Err(Fault::Store(unsupported("events have sequences without gap")));
        }
        insert.execute(params![
            authority,
            kind,
            id,
            int(sequence)?,
            &event.batch.as_bytes()[..],
            &event.head[..],
            event.body
        ])?;
    }
    Ok(())
}

/// Notes who read what.
pub(super) fn log(connection: &Connection, batch: BatchId, access: &Access) -> Outcome<()> {
    let Access { stream, at, body } = access;
    let (authority, kind, id) = (stream.authority.as_str(), stream.kind.as_str(), &stream.id.as_bytes()[..]);
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(n) FROM access WHERE authority = ? AND kind = ? AND id = ?")?
        .query_row(params![authority, kind, id], |row| row.get(0))?;
    connection
        .prepare_cached(
            "INSERT INTO access (authority, kind, id, n, at, batch, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            authority,
            kind,
            id,
            last.unwrap_or(0) + 1,
            at.micros(),
            &batch.as_bytes()[..],
            body
        ])?;
    Ok(())
}

/// Reads a stretch of a log.
pub(super) fn read(connection: &Connection, range: &EventRange) -> Outcome<Vec<StoredEvent>> {
    let sql = match range.log {
        Log::History => {
            "SELECT sequence, batch, head, body FROM event
             WHERE authority = ? AND kind = ? AND id = ? AND sequence > ? ORDER BY sequence LIMIT ?"
        }
        Log::Access => {
            "SELECT n, batch, zeroblob(32), body FROM access
             WHERE authority = ? AND kind = ? AND id = ? AND n > ? ORDER BY n LIMIT ?"
        }
    };
    let StreamKey { authority, kind, id } = &range.stream;
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(
        params![authority.as_str(), kind.as_str(), &id.as_bytes()[..], bounded(range.after), range.limit],
        |row| {
            Ok(StoredEvent {
                sequence: number(row, 0)?,
                batch: BatchId::from_uuid(uuid(row, 1)?),
                head: row.get(2)?,
                body: row.get(3)?,
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
