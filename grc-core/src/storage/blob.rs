//! Where the bytes of attachments are.

use super::{Cursor, StorageError};
use crate::{BlobId, Moment, Word};
use async_trait::async_trait;
use std::fmt;

/// What is known of a blob without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobMeta {
    /// Its id.
    pub id: BlobId,
    /// When it was begun.
    pub at: Moment,
    /// How many pieces it has.
    pub pieces: u32,
}

/// A page of blobs.
#[derive(Debug, Clone, Default)]
pub struct BlobPage {
    /// The blobs, by id.
    pub blobs: Vec<BlobMeta>,
    /// Where it goes on; none at the end.
    pub next: Option<Cursor>,
}

/// Keeps sealed pieces of attachments. The engine puts all pieces before it commits the event that names them, and
/// drops them after the commit that erases them: a crash leaves orphans, never a name without bytes, and the sweep
/// takes orphans away.
///
/// # Contract
/// - B-1 `put` is durable when it returns; putting the same piece again replaces it.
/// - B-2 `get` returns the piece as it was put, or none.
/// - B-3 `remove` takes all pieces of a blob away; an absent blob is fine.
/// - B-4 `list` names each blob begun before the moment once, over all pages.
#[async_trait]
pub trait BlobStore: fmt::Debug + Send + Sync + 'static {
    /// Stores a piece.
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError>;
    /// Reads a piece.
    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError>;
    /// Takes a blob away.
    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError>;
    /// Lists the blobs begun before a moment, at most `limit` a page.
    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError>;
}
