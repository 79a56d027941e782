//! A store and a keyring each call of which goes to another node than the one before.

use crate::{
    common::options,
    nodes::{Inside, among_others, cluster, fresh},
};
use async_trait::async_trait;
use grc_core::{
    BlobId, KeyId, Moment, Word,
    conformance::{Handles, Harness, KeyringHarness, Over},
    storage::{BlobPage, BlobStore, Cursor, StorageError, Store},
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use grc_mysql::{MysqlKeyring, MysqlStore};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use uuid::Uuid;

/// One for each node, taken in turn.
#[derive(Debug)]
pub(crate) struct Spread<T> {
    all: Vec<T>,
    next: AtomicUsize,
}

impl<T> Spread<T> {
    fn new(open: impl Fn(&str) -> T, database: &str) -> Self {
        let all = cluster().nodes().iter().map(|node| open(&node.url(database))).collect();
        Self { all, next: AtomicUsize::new(0) }
    }

    fn next(&self) -> &T {
        &self.all[self.next.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }
}

#[async_trait]
impl Over for Spread<MysqlStore> {
    fn under(&self) -> &dyn Store {
        self.next()
    }
}

#[async_trait]
impl BlobStore for Spread<MysqlStore> {
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        self.next().put(authority, id, piece, at, bytes).await
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.next().get(authority, id, piece).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        self.next().remove(authority, id).await
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        self.next().list(authority, before, after, limit).await
    }
}

#[async_trait]
impl Keyring for Spread<MysqlKeyring> {
    fn info(&self) -> KeyringInfo {
        self.next().info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.next().epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.next().issue(keys).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.next().open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.next().keep(id, slots).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        self.next().destroy(ids).await
    }
}

/// The harness of the kit.
pub(crate) struct Nodes;

pub(crate) fn store(address: &str) -> MysqlStore {
    pollster::block_on(options().connections(8).open_store(address)).unwrap()
}

fn keyring(address: &str) -> MysqlKeyring {
    pollster::block_on(options().connections(8).open_keyring(address)).unwrap()
}

fn handles(database: &str) -> Handles {
    let store = Arc::new(Spread::new(store, database));
    (store.clone(), store)
}

impl Harness for Nodes {
    type Guard = (String, Inside);
    const DURABLE: bool = true;

    fn open() -> ((String, Inside), Handles) {
        let inside = among_others();
        let database = fresh(cluster());
        let handles = handles(&database);
        ((database, inside), handles)
    }

    fn reopen((database, _): &(String, Inside)) -> Option<Handles> {
        Some(handles(database))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

impl KeyringHarness for Nodes {
    type Guard = (String, Inside);
    const DURABLE: bool = true;

    fn open() -> ((String, Inside), Arc<dyn Keyring>) {
        let inside = among_others();
        let database = fresh(cluster());
        let keyring = Arc::new(Spread::new(keyring, &database));
        ((database, inside), keyring)
    }

    fn second((database, _): &(String, Inside)) -> Option<Arc<dyn Keyring>> {
        Some(Arc::new(Spread::new(keyring, database)))
    }

    fn reopen((database, _): &(String, Inside)) -> Option<Arc<dyn Keyring>> {
        Some(Arc::new(Spread::new(keyring, database)))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}
