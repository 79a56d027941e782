//! A keyring that is wrong on purpose.

use super::Mutant;
use async_trait::async_trait;
use grc_core::{
    KeyId,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct WrongKeyring {
    inner: Arc<dyn Keyring>,
    mutant: Mutant,
}

impl WrongKeyring {
    pub(crate) fn new(inner: Arc<dyn Keyring>, mutant: Mutant) -> Self {
        Self { inner, mutant }
    }

    /// Says that it is done.
    async fn nothing(&self) -> Result<u64, KeyringError> {
        Ok(self.inner.epoch().await?.1)
    }
}

#[async_trait]
impl Keyring for WrongKeyring {
    fn info(&self) -> KeyringInfo {
        self.inner.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.inner.epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.inner.issue(keys).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.inner.open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        if self.mutant == Mutant::KeepsSlots {
            self.nothing().await
        } else {
            self.inner.keep(id, slots).await
        }
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        if self.mutant == Mutant::KeepsKeys { self.nothing().await } else { self.inner.destroy(ids).await }
    }
}
