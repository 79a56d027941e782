//! Wrappers that remember every byte that a store was given, and that can leave single steps of an erasure out.

use super::scan::Secrets;
use async_trait::async_trait;
use grc_core::{
    BlobId, KeyId, Moment, Word,
    storage::{
        Batch, BlobPage, BlobStore, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load,
        Loaded, MeasurePage, Page, Query, Receipt, ScrubReport, Step, StorageError, Store, StoreInfo,
        StoredEvent, Task,
    },
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// A step of an erasure that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Off {
    Nothing,
    VaultRows,
    ContactLinks,
    SourceLinks,
    TrackingLink,
    IndexLinks,
    Tasks,
    CoarseFacts,
    Attachments,
    DestroyedKeys,
    KeptKeys,
}

pub(crate) struct Spy<S: ?Sized> {
    pub(crate) inner: Arc<S>,
    off: Off,
    secrets: Secrets,
    /// Every batch that was given, every piece of an attachment, and every key.
    pub(crate) batches: Mutex<Vec<Batch>>,
    pub(crate) pieces: Mutex<Vec<(BlobId, u32, Vec<u8>)>>,
    pub(crate) issued: Mutex<Vec<(KeyId, DataKey)>>,
}

impl<S: ?Sized> std::fmt::Debug for Spy<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spy({:?})", self.off)
    }
}

impl<S: ?Sized> Spy<S> {
    /// Keys that pass are secrets too.
    pub(crate) fn new(inner: Arc<S>, off: Off, secrets: &Secrets) -> Self {
        let secrets = secrets.clone();
        Self {
            inner,
            off,
            secrets,
            batches: Mutex::default(),
            pieces: Mutex::default(),
            issued: Mutex::default(),
        }
    }
}

/// Whether a batch is that of an anonymisation: it cancels what waits for the stream's messages.
fn erases(batch: &Batch) -> bool {
    batch.steps().iter().any(|step| match step {
        Step::Append { events, .. } => events.iter().any(|event| {
            let body = String::from_utf8_lossy(&event.body);
            body.contains("\"kind\":\"anonymised\"") || body.contains("\"kind\":\"erased\"")
        }),
        _ => false,
    })
}

impl<S: Store + ?Sized> Spy<S> {
    /// The batch without the step that is left out.
    async fn sabotage(&self, batch: Batch) -> Result<Batch, StorageError> {
        if !erases(&batch) {
            return Ok(batch);
        }
        let mut out = Batch::new(batch.id(), batch.authority().clone(), batch.at());
        for step in batch.steps() {
            let starts = |prefix: &str, with: &str| prefix.starts_with(with);
            let left_out = match (self.off, step) {
                (Off::VaultRows, Step::DropVault { .. } | Step::PutVault { .. }) => true,
                (Off::ContactLinks, Step::DropLinks { prefix, .. }) => starts(prefix, "contact"),
                (Off::SourceLinks, Step::DropLinks { prefix, .. }) => starts(prefix, "source"),
                (Off::TrackingLink, Step::DropLinks { prefix, .. }) => starts(prefix, "tracking"),
                (Off::IndexLinks, Step::DropLinks { prefix, .. }) => starts(prefix, "index"),
                (Off::Tasks, Step::Cancel { kinds, .. }) => kinds.iter().any(|kind| *kind == "deliver"),
                _ => false,
            };
            if left_out {
                continue;
            }
            match (self.off, step) {
                (Off::CoarseFacts, Step::PutStream { row, expect }) => {
                    let load = Load {
                        authority: batch.authority().clone(),
                        streams: vec![row.key.clone()],
                        parts: grc_core::storage::Parts::None,
                        receipt: None,
                    };
                    let before = self.inner.load(&load).await?.streams.pop().flatten();
                    let mut row = row.clone();
                    for fact in [grc_core::storage::Fact::Lat, grc_core::storage::Fact::Lon] {
                        let exact = before.as_ref().and_then(|record| record.row.facts.get(fact).cloned());
                        row.facts.set(fact, exact);
                    }
                    out.push(Step::PutStream { row, expect: *expect });
                }
                _ => out.push(step.clone()),
            }
        }
        Ok(out)
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Spy<S> {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let batch = self.sabotage(batch).await?;
        self.batches.lock().unwrap().push(batch.clone());
        self.inner.commit(batch).await
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
        a: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.inner.measures(a, after, limit).await
    }

    async fn changes(
        &self,
        a: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.inner.changes(a, after, limit).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.inner.claim(claim).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.inner.documents(range).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.inner.scrub().await
    }
}

#[async_trait]
impl<S: BlobStore + ?Sized> BlobStore for Spy<S> {
    async fn put(
        &self,
        a: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        self.pieces.lock().unwrap().push((id, piece, bytes.clone()));
        self.inner.put(a, id, piece, at, bytes).await
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.inner.get(authority, id, piece).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        if self.off == Off::Attachments { Ok(()) } else { self.inner.remove(authority, id).await }
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
impl<S: Keyring + ?Sized> Keyring for Spy<S> {
    fn info(&self) -> KeyringInfo {
        self.inner.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.inner.epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        keys.iter().for_each(|(_, key)| self.secrets.key("a data key", key.expose()));
        self.issued.lock().unwrap().extend_from_slice(keys);
        self.inner.issue(keys).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.inner.open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        if self.off == Off::KeptKeys {
            return Ok(self.inner.epoch().await?.1);
        }
        self.inner.keep(id, slots).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        if self.off == Off::DestroyedKeys {
            return Ok(self.inner.epoch().await?.1);
        }
        self.inner.destroy(ids).await
    }
}
