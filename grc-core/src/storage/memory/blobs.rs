//! Attachments in memory.

use super::{FOREIGN, MemoryStore, limit, unsupported};
use crate::{
    BlobId, Moment, Word,
    storage::{BlobMeta, BlobPage, BlobStore, Cursor, StorageError, StoreInfo},
};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::PoisonError};
use uuid::Uuid;

#[async_trait]
impl BlobStore for MemoryStore {
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        if bytes.len() > StoreInfo::MAX_BODY {
            return Err(limit("a piece has at most 4 MiB"));
        }
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.entry((authority.clone(), id)).or_insert_with(|| (at, BTreeMap::new())).1.insert(piece, bytes);
        Ok(())
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(blobs.get(&(authority.clone(), id)).and_then(|(_, pieces)| pieces.get(&piece).cloned()))
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).remove(&(authority.clone(), id));
        Ok(())
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        let after = match after {
            None => None,
            Some(cursor) => {
                let id: [u8; 16] = cursor.0.try_into().map_err(|_| unsupported(FOREIGN))?;
                Some(BlobId::from_uuid(Uuid::from_bytes(id)))
            }
        };
        let limit = limit.clamp(1, StoreInfo::MAX_PAGE) as usize;
        let blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<BlobMeta> = blobs
            .iter()
            .filter(|((a, id), (at, _))| {
                a == authority && *at < before && after.is_none_or(|after| *id > after)
            })
            .take(limit + 1)
            .map(|((_, id), (at, pieces))| BlobMeta {
                id: *id,
                at: *at,
                pieces: u32::try_from(pieces.len()).unwrap_or(u32::MAX),
            })
            .collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|meta| Cursor(meta.id.as_bytes().to_vec()));
        Ok(BlobPage { blobs: found, next })
    }
}
