//! A store that notes what is committed through it, and how long its callers waited.

use crate::spent::{Call, Spent};
use async_trait::async_trait;
use grc_core::{
    Word,
    storage::{
        Batch, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load, Loaded, MeasurePage,
        Page, Query, Receipt, ScrubReport, StorageError, Store, StoreInfo, StoredEvent, Task,
    },
};
use std::sync::{Arc, Mutex, PoisonError};

/// Passes everything on, and keeps each batch that was committed, in the order in which they were acknowledged.
#[derive(Debug)]
pub struct Recorder {
    inner: Arc<dyn Store>,
    batches: Mutex<Vec<Batch>>,
    spent: Arc<Spent>,
}

impl Recorder {
    /// Before a store.
    pub fn before(inner: Arc<dyn Store>, spent: Arc<Spent>) -> Arc<Self> {
        Arc::new(Self { inner, batches: Mutex::default(), spent })
    }

    /// What was committed since this was asked last.
    pub fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Store for Recorder {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let receipt = self.spent.on(Call::Commit, self.inner.commit(batch.clone())).await?;
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        Ok(receipt)
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.spent.on(Call::Load, self.inner.load(load)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.spent.on(Call::Other, self.inner.query(query)).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.spent.on(Call::Other, self.inner.events(range)).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.spent.on(Call::Other, self.inner.measures(authority, after, limit)).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.inner.changes(authority, after, limit).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.inner.claim(claim).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.spent.on(Call::Other, self.inner.documents(range)).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.inner.scrub().await
    }
}
