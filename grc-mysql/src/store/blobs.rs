//! Pieces of attachments.

use super::rows::{bytes, integer, uuid};
use crate::{
    error::{Fault, Outcome, corrupt, unsupported},
    server::Server,
};
use grc_core::{
    BlobId, Moment, Word,
    storage::{BlobMeta, BlobPage, Cursor, StorageError},
};
use uuid::Uuid;

/// Stores a piece. All pieces carry the moment when the first was put.
pub(super) async fn put(
    server: &Server,
    authority: &Word,
    id: BlobId,
    piece: u32,
    at: Moment,
    bytes: &[u8],
) -> Outcome<()> {
    let insert = "INSERT INTO grc_blob (authority, id, piece, at, bytes)
         SELECT ?, ?, ?, COALESCE((SELECT MIN(b.at) FROM grc_blob b WHERE b.authority = ? AND b.id = ?), ?), ?";
    let update = "UPDATE grc_blob SET bytes = ? WHERE authority = ? AND id = ? AND piece = ?";
    let authority = authority.as_str().as_bytes();
    server
        .again(|| async {
            let mut session = server.session().await?;
            let insert = sqlx::query(insert)
                .bind(authority)
                .bind(&id.as_bytes()[..])
                .bind(piece)
                .bind(authority)
                .bind(&id.as_bytes()[..])
                .bind(at.micros())
                .bind(bytes);
            match session.execute(insert).await {
                Err(fault) if fault.is_duplicate() => {}
                other => return other.map(|_| ()),
            }
            let update = sqlx::query(update).bind(bytes).bind(authority).bind(&id.as_bytes()[..]).bind(piece);
            session.execute(update).await?;
            // One that has these bytes already is not written again, and perhaps not flushed yet.
            session.flush().await
        })
        .await
}

/// Reads a piece.
pub(super) async fn get(
    server: &Server,
    authority: &Word,
    id: BlobId,
    piece: u32,
) -> Outcome<Option<Vec<u8>>> {
    let get = "SELECT bytes FROM grc_blob WHERE authority = ? AND id = ? AND piece = ?";
    let rows = server
        .rows(|| sqlx::query(get).bind(authority.as_str().as_bytes()).bind(&id.as_bytes()[..]).bind(piece))
        .await?;
    rows.first().map(|row| self::bytes(row, 0)).transpose()
}

/// Takes a blob away.
pub(super) async fn remove(server: &Server, authority: &Word, id: BlobId) -> Outcome<()> {
    let delete = "DELETE FROM grc_blob WHERE authority = ? AND id = ?";
    server
        .execute(|| sqlx::query(delete).bind(authority.as_str().as_bytes()).bind(&id.as_bytes()[..]))
        .await
        .map(|_| ())
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
pub(super) async fn list(
    server: &Server,
    authority: &Word,
    before: Moment,
    after: Option<BlobId>,
    limit: u32,
) -> Outcome<BlobPage> {
    let list = "SELECT id, MIN(at), COUNT(*) FROM grc_blob WHERE authority = ? AND id > ? AND at < ?
         GROUP BY id ORDER BY id LIMIT ?";
    // The empty bytes are before every id.
    let after = after.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]);
    let rows = server
        .rows(|| {
            let list = sqlx::query(list).bind(authority.as_str().as_bytes());
            list.bind(after).bind(before.micros()).bind(limit + 1)
        })
        .await?;
    let mut blobs = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        let pieces = u32::try_from(integer(row, 2)?)
            .map_err(|_| -> Fault { corrupt("a blob has too many pieces") })?;
        let id = BlobId::from_uuid(uuid(row, 0)?);
        blobs.push(BlobMeta { id, at: Moment::from_micros(integer(row, 1)?), pieces });
    }
    let more = rows.len() > limit as usize;
    let next = blobs.last().filter(|_| more).map(|meta| Cursor::from_bytes(meta.id.as_bytes().to_vec()));
    Ok(BlobPage { blobs, next })
}
