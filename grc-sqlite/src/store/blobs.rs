//! Pieces of attachments.

use super::rows::uuid;
use crate::error::{Outcome, unsupported};
use grc_core::{
    BlobId, Moment, Word,
    storage::{BlobMeta, BlobPage, Cursor, StorageError},
};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Stores a piece. All pieces carry the moment when the first was put.
pub(super) fn put(
    connection: &Connection,
    authority: &Word,
    id: BlobId,
    piece: u32,
    at: Moment,
    bytes: &[u8],
) -> Outcome<()> {
    let begun: Option<i64> = connection
        .prepare_cached("SELECT at FROM blob WHERE authority = ? AND id = ? LIMIT 1")?
        .query_row(params![authority.as_str(), &id.as_bytes()[..]], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "INSERT INTO blob (authority, id, piece, at, bytes) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute(params![
            authority.as_str(),
            &id.as_bytes()[..],
            piece,
            begun.unwrap_or(at.micros()),
            bytes
        ])?;
    Ok(())
}

/// Reads a piece.
pub(super) fn get(
    connection: &Connection,
    authority: &Word,
    id: BlobId,
    piece: u32,
) -> Outcome<Option<Vec<u8>>> {
    Ok(connection
        .prepare_cached("SELECT bytes FROM blob WHERE authority = ? AND id = ? AND piece = ?")?
        .query_row(params![authority.as_str(), &id.as_bytes()[..], piece], |row| row.get(0))
        .optional()?)
}

/// Takes a blob away.
pub(super) fn remove(connection: &Connection, authority: &Word, id: BlobId) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM blob WHERE authority = ? AND id = ?")?
        .execute(params![authority.as_str(), &id.as_bytes()[..]])?;
    Ok(())
}

/// Where a list goes on.
pub(super) fn start(after: Option<Cursor>) -> Result<Option<BlobId>, StorageError> {
    after
        .map(|cursor| {
            Uuid::from_slice(cursor.as_bytes())
                .map(BlobId::from_uuid)
                .map_err(|_| unsupported("this cursor is not ours"))
        })
        .transpose()
}

/// Lists the blobs begun before a moment, by id.
pub(super) fn list(
    connection: &Connection,
    authority: &Word,
    before: Moment,
    after: Option<BlobId>,
    limit: u32,
) -> Outcome<BlobPage> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, count(*) FROM blob WHERE authority = ? AND id > ? AND at < ? GROUP BY id ORDER BY id LIMIT ?",
    )?;
    // The empty bytes are before every id.
    let after = after.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]);
    let mut blobs = statement
        .query_map(params![authority.as_str(), after, before.micros(), limit + 1], |row| {
            Ok(BlobMeta {
                id: BlobId::from_uuid(uuid(row, 0)?),
                at: Moment::from_micros(row.get(1)?),
                pieces: row.get(2)?,
            })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let more = blobs.len() > limit as usize;
    blobs.truncate(limit as usize);
    let next = blobs.last().filter(|_| more).map(|meta| Cursor::from_bytes(meta.id.as_bytes().to_vec()));
    Ok(BlobPage { blobs, next })
}
