//! Where the time of callers goes while they wait for stores and keyrings.

use crate::timing::now;
use async_trait::async_trait;
use grc_core::{
    KeyId,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Streams, a receipt and the organisation's version.
    Load,
    /// A batch.
    Commit,
    /// A question to the keyring.
    Keys,
    /// Anything else of the store.
    Other,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Load, Self::Commit, Self::Keys, Self::Other];
}

/// How often each was waited for, and for how long.
#[derive(Debug, Default)]
pub struct Spent([(AtomicU64, AtomicU64); 4]);

impl Spent {
    /// Waits for something.
    pub async fn on<T>(&self, call: Call, work: impl Future<Output = T>) -> T {
        let begun = now();
        let out = work.await;
        if let Some((times, nanos)) = self.0.get(call as usize) {
            times.fetch_add(1, Ordering::Relaxed);
            nanos.fetch_add(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        out
    }

    /// How often one was waited for since this was asked last, and for how long.
    pub fn take(&self, call: Call) -> (u64, Duration) {
        let taken = self.0.get(call as usize).map(|(times, nanos)| {
            (times.swap(0, Ordering::Relaxed), Duration::from_nanos(nanos.swap(0, Ordering::Relaxed)))
        });
        taken.unwrap_or_default()
    }
}

/// A keyring whose callers' time is noted.
#[derive(Debug)]
pub struct Asked {
    inner: Arc<dyn Keyring>,
    spent: Arc<Spent>,
}

impl Asked {
    /// Before a keyring.
    pub fn before(inner: Arc<dyn Keyring>, spent: Arc<Spent>) -> Arc<Self> {
        Arc::new(Self { inner, spent })
    }
}

#[async_trait]
impl Keyring for Asked {
    fn info(&self) -> KeyringInfo {
        self.inner.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.inner.epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.spent.on(Call::Keys, self.inner.issue(keys)).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.spent.on(Call::Keys, self.inner.open(ids)).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.spent.on(Call::Keys, self.inner.keep(id, slots)).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        self.spent.on(Call::Keys, self.inner.destroy(ids)).await
    }
}
