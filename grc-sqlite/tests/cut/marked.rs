//! Says when a call that writes has been answered.

use async_trait::async_trait;
use grc_core::{
    BlobId, KeyId, Moment, Word,
    storage::{
        Batch, BlobPage, BlobStore, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load,
        Loaded, MeasurePage, Page, Query, Receipt, ScrubReport, StorageError, Store, StoreInfo, StoredEvent,
        Task,
    },
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use std::{
    collections::BTreeMap,
    fmt,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// A store, or a keyring, whose answers are noted.
#[derive(Clone)]
pub(crate) struct Marked<T: ?Sized> {
    inner: Arc<T>,
    said: Arc<Mutex<File>>,
}

impl<T: ?Sized> fmt::Debug for Marked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Marked")
    }
}

impl<T: ?Sized> Marked<T> {
    pub(crate) fn new(inner: Arc<T>, directory: &Path) -> Self {
        let said = OpenOptions::new().create(true).append(true).open(directory.join("acknowledged.said"));
        Self { inner, said: Arc::new(Mutex::new(said.unwrap())) }
    }

    fn said<R, E>(&self, what: &str, outcome: Result<R, E>) -> Result<R, E> {
        if outcome.is_ok() {
            self.said.lock().unwrap().write_all(what.as_bytes()).unwrap();
        }
        outcome
    }
}

#[async_trait]
impl<T: Store + ?Sized> Store for Marked<T> {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        self.said("commit", self.inner.commit(batch).await)
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.inner.load(load).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.inner.query(query).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.inner.events(range).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.inner.measures(authority, after, limit).await
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
        self.said("claim", self.inner.claim(claim).await)
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.inner.documents(range).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.said("scrub", self.inner.scrub().await)
    }
}

#[async_trait]
impl<T: BlobStore + ?Sized> BlobStore for Marked<T> {
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        self.said("piece", self.inner.put(authority, id, piece, at, bytes).await)
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.inner.get(authority, id, piece).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        self.said("removed", self.inner.remove(authority, id).await)
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        self.inner.list(authority, before, after, limit).await
    }
}

#[async_trait]
impl<T: Keyring + ?Sized> Keyring for Marked<T> {
    fn info(&self) -> KeyringInfo {
        self.inner.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.inner.epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.said("issued", self.inner.issue(keys).await)
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.inner.open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.said("kept", self.inner.keep(id, slots).await)
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        self.said("destroyed", self.inner.destroy(ids).await)
    }
}
