//! The feed: one row a batch, with a compact list of what it touched.

use super::rows::{bounded, number, uuid};
use crate::error::{Fault, Outcome, corrupt, unsupported};
use grc_core::{
    BatchId, Word,
    storage::{Batch, Change, ChangePage, Cursor, StorageError, Touched, touched},
};
use rusqlite::{Connection, params};
use uuid::Uuid;

/// Notes what a batch touched, under the next number of its authority.
pub(super) fn append(connection: &Connection, batch: &Batch, touched: &[Touched]) -> Outcome<()> {
    let bytes = touched::encode(touched);
    // One writes at a time, so the number after the last is free and the next to be seen.
    connection
        .prepare_cached(
            "INSERT INTO change (authority, n, batch, touched)
             VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM change WHERE authority = ?1), ?2, ?3)",
        )?
        .execute(params![batch.authority().as_str(), &batch.id().as_bytes()[..], bytes])?;
    Ok(())
}

/// After which number a cursor goes on.
pub(super) fn start(incarnation: Uuid, after: Option<&Cursor>) -> Result<u64, StorageError> {
    let Some(cursor) = after else { return Ok(0) };
    let foreign = || unsupported("this cursor is not ours");
    let (store, n) = cursor.as_bytes().split_first_chunk::<16>().ok_or_else(foreign)?;
    if *store != *incarnation.as_bytes() {
        return Err(unsupported("this cursor is of another store: read everything again"));
    }
    Ok(u64::from_be_bytes(n.try_into().map_err(|_| foreign())?))
}

/// Reads a stretch of the feed.
pub(super) fn read(
    connection: &Connection,
    incarnation: Uuid,
    authority: &Word,
    after: u64,
    limit: u32,
) -> Outcome<ChangePage> {
    let mut statement = connection.prepare_cached(
        "SELECT n, batch, touched FROM change WHERE authority = ? AND n > ? ORDER BY n LIMIT ?",
    )?;
    let mut rows = statement.query(params![authority.as_str(), bounded(after), limit])?;
    let mut changes = Vec::new();
    let mut last = after;
    while let Some(row) = rows.next()? {
        last = number(row, 0)?;
        let bytes: Vec<u8> = row.get(2)?;
        let touched = touched::decode(authority, &bytes)
            .ok_or_else(|| Fault::Store(corrupt("a row of the feed cannot be read")))?;
        changes.push(Change { batch: BatchId::from_uuid(uuid(row, 1)?), touched });
    }
    let mut next = incarnation.as_bytes().to_vec();
    next.extend_from_slice(&last.to_be_bytes());
    Ok(ChangePage { changes, next: Cursor::from_bytes(next) })
}
