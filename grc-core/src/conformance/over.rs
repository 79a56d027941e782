//! Stores that stand before another one in a test.

use crate::{
    Word,
    storage::{
        Batch, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load, Loaded, MeasurePage,
        Page, Query, Receipt, ScrubReport, StorageError, Store, StoreInfo, StoredEvent, Task,
    },
};
use async_trait::async_trait;

/// A store over another one: what is not overridden goes to the one below. Whoever implements it has a [`Store`].
///
/// ```
/// use grc_core::{conformance::Over, storage::{Load, Loaded, MemoryStore, StorageError, Store}};
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
///
/// /// Counts how often something is loaded.
/// #[derive(Debug)]
/// struct Counted(Arc<dyn Store>, AtomicU32);
///
/// #[async_trait::async_trait]
/// impl Over for Counted {
///     fn under(&self) -> &dyn Store {
///         &*self.0
///     }
///
///     async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.under().load(load).await
///     }
/// }
///
/// let store: Arc<dyn Store> = Arc::new(Counted(Arc::new(MemoryStore::new()), AtomicU32::new(0)));
/// ```
#[async_trait]
pub trait Over: std::fmt::Debug + Send + Sync + 'static {
    /// The store below.
    fn under(&self) -> &dyn Store;

    /// As [`Store::info`].
    fn info(&self) -> StoreInfo {
        self.under().info()
    }

    /// As [`Store::commit`].
    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        self.under().commit(batch).await
    }

    /// As [`Store::load`].
    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.under().load(load).await
    }

    /// As [`Store::query`].
    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.under().query(query).await
    }

    /// As [`Store::events`].
    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.under().events(range).await
    }

    /// As [`Store::measures`].
    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.under().measures(authority, after, limit).await
    }

    /// As [`Store::changes`].
    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.under().changes(authority, after, limit).await
    }

    /// As [`Store::claim`].
    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.under().claim(claim).await
    }

    /// As [`Store::documents`].
    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.under().documents(range).await
    }

    /// As [`Store::scrub`].
    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.under().scrub().await
    }
}

#[async_trait]
impl<T: Over> Store for T {
    fn info(&self) -> StoreInfo {
        Over::info(self)
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        Over::commit(self, batch).await
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        Over::load(self, load).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        Over::query(self, query).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        Over::events(self, range).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        Over::measures(self, authority, after, limit).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        Over::changes(self, authority, after, limit).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        Over::claim(self, claim).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        Over::documents(self, range).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        Over::scrub(self).await
    }
}
