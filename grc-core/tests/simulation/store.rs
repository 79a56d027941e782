//! The store, the keyring and the blobs over a slow network with faults: each call waits before and after, and may fail,
//! or be made and its answer lost.

use crate::{
    shadow::scan,
    world::{Fate, World},
};
use async_trait::async_trait;
use grc_core::{
    BlobId, KeyId, Moment, Word,
    storage::{
        Batch, BlobPage, BlobStore, ChangePage, Claim, ConflictOn, Cursor, Document, DocumentRange,
        EventRange, Load, Loaded, MeasurePage, Page, Query, Receipt, ScrubReport, StorageError,
        StorageErrorKind, Store, StoreInfo, StoredEvent, Task,
    },
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Something behind the network.
#[derive(Debug)]
pub(crate) struct Far<T: ?Sized> {
    pub(crate) inner: Arc<T>,
    pub(crate) world: Arc<World>,
}

impl<T: ?Sized + Send + Sync> Far<T> {
    pub(crate) fn new(inner: Arc<T>, world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self { inner, world: Arc::clone(world) })
    }

    /// Makes a call over the network. `fails` makes the failure of it.
    async fn call<A, E>(
        &self,
        writes: bool,
        fails: impl Fn(StorageErrorKind) -> E + Send,
        call: impl Future<Output = Result<A, E>> + Send,
    ) -> Result<A, E> {
        self.world.pause().await;
        let fate = self.world.fate(writes);
        match fate {
            Fate::FailsBefore => return Err(fails(StorageErrorKind::Unavailable)),
            Fate::Doubtful => return Err(fails(StorageErrorKind::OutcomeUnknown)),
            Fate::Passes | Fate::AnswerLost => {}
        }
        let answer = call.await;
        self.world.pause().await;
        if fate == Fate::AnswerLost { Err(fails(StorageErrorKind::OutcomeUnknown)) } else { answer }
    }
}

fn storage(kind: StorageErrorKind) -> StorageError {
    StorageError::new("simulated", kind, "failed on purpose")
}

/// Of a call that is no commit it is only said that it failed.
fn unavailable(_: StorageErrorKind) -> StorageError {
    storage(StorageErrorKind::Unavailable)
}

fn keyring(_: StorageErrorKind) -> KeyringError {
    KeyringError::unavailable("simulated", "failed on purpose")
}

#[async_trait]
impl Store for Far<dyn Store> {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        {
            let mut state = self.world.lock();
            let at = state.at;
            state.shadow.offered(&batch, at);
        }
        let made = async {
            let answer = self.inner.commit(batch.clone()).await;
            let mut state = self.world.lock();
            match &answer {
                Ok(receipt) if receipt.replayed => state.count("commits answered again"),
                Ok(_) => {
                    let tick = state.tick;
                    state.shadow.written(&batch, tick, self.world.now());
                    state.count("commits");
                }
                Err(error) => match error.conflict_on() {
                    Some(ConflictOn::Lease) => state.count("leases lost"),
                    Some(ConflictOn::Stream) => state.count("versions lost"),
                    Some(ConflictOn::Document) => state.count("documents changed meanwhile"),
                    Some(ConflictOn::Receipt) => state.count("the same key at once"),
                    Some(ConflictOn::Link) => state.count("links taken"),
                    _ => panic!("a commit cannot fail so: {error:?}"),
                },
            }
            answer
        };
        self.call(true, storage, made).await
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        let made = async {
            let answer = self.inner.load(load).await;
            let mut state = self.world.lock();
            let (at, tick) = (state.at, state.tick);
            for stream in &load.streams {
                state.shadow.looked.insert((at.task, stream.id), tick);
            }
            answer
        };
        self.call(false, unavailable, made).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.call(false, unavailable, self.inner.query(query)).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.call(false, unavailable, self.inner.events(range)).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.call(false, unavailable, self.inner.measures(authority, after, limit)).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.call(false, unavailable, self.inner.changes(authority, after, limit)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        let made = async {
            let answer = self.inner.claim(claim).await;
            let mut state = self.world.lock();
            for task in answer.iter().flatten() {
                state.shadow.claimed(task);
                state.count("claims");
            }
            answer
        };
        self.call(true, unavailable, made).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.call(false, unavailable, self.inner.documents(range)).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.call(false, unavailable, self.inner.scrub()).await
    }
}

#[async_trait]
impl BlobStore for Far<dyn BlobStore> {
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        scan(&bytes);
        self.call(true, unavailable, self.inner.put(authority, id, piece, at, bytes)).await
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.call(false, unavailable, self.inner.get(authority, id, piece)).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        self.call(true, unavailable, self.inner.remove(authority, id)).await
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        self.call(false, unavailable, self.inner.list(authority, before, after, limit)).await
    }
}

#[async_trait]
impl Keyring for Far<dyn Keyring> {
    fn info(&self) -> KeyringInfo {
        self.inner.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.call(false, keyring, self.inner.epoch()).await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.call(true, keyring, self.inner.issue(keys)).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.call(false, keyring, self.inner.open(ids)).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.call(true, keyring, self.inner.keep(id, slots)).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        self.call(true, keyring, self.inner.destroy(ids)).await
    }
}
