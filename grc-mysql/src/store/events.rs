//! Histories, and access logs.

use super::{
    rows::{array, bytes, chunks, largest, number, uuid},
    streams::keyed,
};
use crate::{
    error::{Fault, NAME, Outcome, unsupported},
    server::Server,
    session::{Session, sql},
};
use grc_core::{
    BatchId,
    storage::{Access, ConflictOn, EventRange, Log, StorageError, StoredEvent, StreamKey},
};

fn other_events() -> Fault {
    Fault::Store(StorageError::conflict(NAME, ConflictOn::Stream, "the stream has other events"))
}

/// Appends events after a sequence.
pub(super) async fn append(
    session: &mut Session,
    stream: &StreamKey,
    after: u64,
    events: &[StoredEvent],
) -> Outcome<()> {
    let expected = (1..).map(|n| after.checked_add(n));
    if events.iter().zip(expected).any(|(event, expected)| Some(event.sequence) != expected) {
        return Err(Fault::Store(unsupported("events have sequences without gap")));
    }
    if !follows(session, stream, after, events.is_empty()).await? {
        return Err(other_events());
    }
    for chunk in chunks(events, |event| event.body.len()) {
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ");
        let text =
            format!("INSERT INTO grc_event (authority, kind, id, sequence, batch, head, body) VALUES {rows}");
        let mut insert = sql(text);
        for event in chunk {
            insert = keyed(insert, stream)
                .bind(event.sequence)
                .bind(&event.batch.as_bytes()[..])
                .bind(&event.head[..])
                .bind(&event.body[..]);
        }
        match session.execute(insert).await {
            Err(fault) if fault.is_duplicate() => return Err(other_events()),
            other => other.map(|_| ())?,
        }
    }
    Ok(())
}

/// Whether a stream has events up to `after`; for certain only if nothing is appended. Events have no gap and are never
/// deleted: so the one before cannot go between this reading and the commit, and where there are more the next is there,
/// whose row who appends cannot write.
async fn follows(session: &mut Session, stream: &StreamKey, after: u64, nothing: bool) -> Outcome<bool> {
    if nothing {
        let last = "SELECT MAX(sequence) FROM grc_event WHERE authority = ? AND kind = ? AND id = ?";
        let last = session.row(keyed(sqlx::query(last), stream)).await?;
        return Ok(last.map_or(Ok(0), |row| largest(&row, 0))? == after);
    }
    let one = "SELECT 1 FROM grc_event WHERE authority = ? AND kind = ? AND id = ? AND sequence = ?";
    Ok(after == 0 || session.row(keyed(sqlx::query(one), stream).bind(after)).await?.is_some())
}

/// Notes who read what, under the next number of the stream. Two who do so at once write the same row: one waits, and
/// takes the number after.
pub(super) async fn log(session: &mut Session, batch: BatchId, access: &Access) -> Outcome<()> {
    let Access { stream, at, body } = access;
    let last = "SELECT MAX(n) FROM grc_access WHERE authority = ? AND kind = ? AND id = ?";
    let insert =
        "INSERT INTO grc_access (authority, kind, id, n, at, batch, body) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let mut left = 20;
    loop {
        let last = session.row(keyed(sqlx::query(last), stream)).await?;
        let n = last.map_or(Ok(0), |row| largest(&row, 0))? + 1;
        let insert = keyed(sqlx::query(insert), stream)
            .bind(n)
            .bind(at.micros())
            .bind(&batch.as_bytes()[..])
            .bind(&body[..]);
        match session.execute(insert).await {
            Err(fault) if fault.is_duplicate() && left > 0 => left -= 1,
            other => return other.map(|_| ()),
        }
    }
}

/// Reads a stretch of a log.
pub(super) async fn read(server: &Server, range: &EventRange) -> Outcome<Vec<StoredEvent>> {
    let text = match range.log {
        Log::History => {
            "SELECT sequence, batch, head, body FROM grc_event
             WHERE authority = ? AND kind = ? AND id = ? AND sequence > ? ORDER BY sequence LIMIT ?"
        }
        Log::Access => {
            "SELECT n, batch, REPEAT(CHAR(0), 32), body FROM grc_access
             WHERE authority = ? AND kind = ? AND id = ? AND n > ? ORDER BY n LIMIT ?"
        }
    };
    let rows =
        server.rows(|| keyed(sqlx::query(text), &range.stream).bind(range.after).bind(range.limit)).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredEvent {
                sequence: number(row, 0)?,
                batch: BatchId::from_uuid(uuid(row, 1)?),
                head: array(row, 2)?,
                body: bytes(row, 3)?,
            })
        })
        .collect()
}
