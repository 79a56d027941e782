//! A store of attachments that fails on purpose.

use super::{Fault, fuse::Fuse};
use crate::{
    BlobId, Moment, Word,
    storage::{BlobPage, BlobStore, Cursor, StorageError, StorageErrorKind},
};
use async_trait::async_trait;
use std::sync::Arc;

/// Wraps a store of attachments and lets one call fail, whichever it is. Each of its calls may be repeated (B-3), so the
/// failure always says that it may pass.
#[derive(Debug)]
pub struct FaultBlobs {
    inner: Arc<dyn BlobStore>,
    fuse: Fuse,
}

impl FaultBlobs {
    /// Lets the `at`th call (from 1) fail; 0 lets none.
    pub fn new(inner: Arc<dyn BlobStore>, fault: Fault, at: u64) -> Self {
        Self { inner, fuse: Fuse::new(fault, at) }
    }

    /// Whether the fault has come.
    pub fn has_failed(&self) -> bool {
        self.fuse.has_failed()
    }

    /// Lets everything pass from now on.
    pub fn heal(&self) {
        self.fuse.heal();
    }

    async fn pass<T: Send>(
        &self,
        call: impl Future<Output = Result<T, StorageError>> + Send,
    ) -> Result<T, StorageError> {
        let failure = || StorageError::new("fault", StorageErrorKind::Unavailable, "failed on purpose");
        self.fuse.pass(call, failure).await
    }
}

#[async_trait]
impl BlobStore for FaultBlobs {
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        self.pass(self.inner.put(authority, id, piece, at, bytes)).await
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.pass(self.inner.get(authority, id, piece)).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        self.pass(self.inner.remove(authority, id)).await
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        self.pass(self.inner.list(authority, before, after, limit)).await
    }
}
