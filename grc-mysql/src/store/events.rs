//! Histories, and access logs.

use super::{
    rows::{array, bytes, largest, number, uuid},
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
    // Events are never deleted, so that the one before cannot go between this reading and the commit; and who appends
    // after the same one writes the same row.
    let last = "SELECT MAX(sequence) FROM grc_event WHERE authority = ? AND kind = ? AND id = ?";
    let last = session.row(keyed(sqlx::query(last), stream)).await?;
    if last.map_or(Ok(0), |row| largest(&row, 0))? != after {
        return Err(other_events());
    }
    let expected = (1..).map(|n| after.checked_add(n));
    if events.iter().zip(expected).any(|(event, expected)| Some(event.sequence) != expected) {
        return Err(Fault::Store(unsupported("events have sequences without gap")));
    }
    for chunk in chunks(events) {
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

/// Runs of events that go into one statement: its packet has a bound.
fn chunks(events: &[StoredEvent]) -> Vec<&[StoredEvent]> {
    const MOST: usize = 2 << 20;
    let mut out = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(100).take_while(|event| {
            bytes += event.body.len() + 200;
            bytes <= MOST
        });
        let (chunk, tail) = rest.split_at(fits.count().max(1));
        out.push(chunk);
        rest = tail;
    }
    out
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
