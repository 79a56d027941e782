//! Pieces of attachments, and of each blob when it was begun and how many pieces it has.

use crate::{
    bytes::{Bytes, Reader},
    engine::{Draft, Read},
    error::{Outcome, unsupported, whole},
    keys,
};
use grc_core::{
    BlobId, Moment, Word,
    storage::{BlobMeta, BlobPage, Cursor, StorageError},
};
use std::ops::Bound;
use uuid::Uuid;

const DAMAGED: &str = "what is known of a blob cannot be read";

fn about(bytes: &[u8]) -> Option<(Moment, u32)> {
    let mut reader = Reader::new(bytes);
    Some((Moment::from_micros(reader.signed()?), reader.small()?))
}

/// Stores a piece. The blob was begun when its first piece was put.
pub(crate) fn put(
    draft: &mut Draft<'_>,
    authority: &Word,
    id: BlobId,
    piece: u32,
    at: Moment,
    bytes: &[u8],
) -> Outcome<()> {
    let blob = keys::blobs(authority).uuid(id.uuid());
    let known = draft.get(&blob)?.map(|known| whole(DAMAGED, about(&known))).transpose()?;
    let (begun, pieces) = known.unwrap_or((at, 0));
    let key = keys::pieces(authority, id).small(piece);
    let pieces = if draft.get(&key)?.is_none() { pieces.saturating_add(1) } else { pieces };
    draft.put(&blob, &Bytes::new().signed(begun.micros()).small(pieces))?;
    draft.put(&key, bytes)
}

pub(crate) fn get(rows: &dyn Read, authority: &Word, id: BlobId, piece: u32) -> Outcome<Option<Vec<u8>>> {
    rows.get(&keys::pieces(authority, id).small(piece))
}

/// Takes a blob away with all its pieces; one that is not there is fine.
pub(crate) fn remove(draft: &mut Draft<'_>, authority: &Word, id: BlobId) -> Outcome<()> {
    let pieces = draft.under(&keys::pieces(authority, id))?;
    let keys: Vec<Vec<u8>> = pieces.map(|row| Ok(row?.0)).collect::<Outcome<_>>()?;
    keys.iter().try_for_each(|key| draft.remove(key))?;
    draft.remove(&keys::blobs(authority).uuid(id.uuid()))
}

/// Where a list goes on.
pub(crate) fn start(after: Option<Cursor>) -> Result<Option<Uuid>, StorageError> {
    let id = |cursor: Cursor| {
        Uuid::from_slice(cursor.as_bytes()).map_err(|_| unsupported("this cursor is not ours"))
    };
    after.map(id).transpose()
}

/// Lists the blobs begun before a moment, by id.
pub(crate) fn list(
    rows: &dyn Read,
    authority: &Word,
    before: Moment,
    after: Option<Uuid>,
    limit: u32,
) -> Outcome<BlobPage> {
    let all = keys::blobs(authority);
    let from = after.map_or_else(|| all.to_vec(), |id| all.clone().uuid(id).end());
    let mut blobs = Vec::new();
    for row in rows.range(Bound::Included(&from), Bound::Excluded(&all.end()))? {
        let (key, bytes) = row?;
        let id = whole(DAMAGED, Reader::after(&all, &key).uuid())?;
        let (at, pieces) = whole(DAMAGED, about(&bytes))?;
        if at < before {
            blobs.push(BlobMeta { id: BlobId::from_uuid(id), at, pieces });
        }
        if blobs.len() > limit as usize {
            break;
        }
    }
    let more = blobs.len() > limit as usize;
    blobs.truncate(limit as usize);
    let next = blobs.last().filter(|_| more).map(|blob| Cursor::from_bytes(blob.id.as_bytes().to_vec()));
    Ok(BlobPage { blobs, next })
}
