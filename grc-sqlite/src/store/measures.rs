//! Measure rows.

use super::rows::{uuid, word};
use crate::error::Outcome;
use grc_core::{
    Word,
    storage::{Cursor, MeasurePage, StreamKey},
};
use rusqlite::{Connection, params};

/// Writes a stream's measure row.
pub(super) fn put(connection: &Connection, stream: &StreamKey, bytes: &[u8]) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO measure (authority, kind, id, bytes) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute(params![
            stream.authority.as_str(),
            stream.kind.as_str(),
            &stream.id.as_bytes()[..],
            bytes
        ])?;
    Ok(())
}

/// Reads the rows after a stream, in the order of their keys.
pub(super) fn read(
    connection: &Connection,
    authority: &Word,
    after: Option<&StreamKey>,
    limit: u32,
) -> Outcome<MeasurePage> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, id, bytes FROM measure WHERE authority = ? AND (kind, id) > (?, ?)
         ORDER BY kind, id LIMIT ?",
    )?;
    // No kind is before the empty text.
    let (kind, id) = after.map_or(("", &[][..]), |key| (key.kind.as_str(), &key.id.as_bytes()[..]));
    let mut rows = statement
        .query_map(params![authority.as_str(), kind, id, limit + 1], |row| {
            Ok((StreamKey::new(authority.clone(), word(row, 0)?, uuid(row, 1)?), row.get(2)?))
        })?
        .collect::<Result<Vec<(StreamKey, Vec<u8>)>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|(key, _)| Cursor::after_stream(key));
    Ok(MeasurePage { rows, next })
}
