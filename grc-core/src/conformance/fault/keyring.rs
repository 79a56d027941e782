//! A keyring that fails on purpose.

use super::{Fault, fuse::Fuse};
use crate::{
    KeyId,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Wraps a keyring and lets one call fail, whichever it is. A keyring has no word for an outcome that is not known:
/// each of its calls may be repeated (K-2), so the failure always says that it may pass.
#[derive(Debug)]
pub struct FaultKeyring {
    inner: Arc<dyn Keyring>,
    fuse: Fuse,
}

impl FaultKeyring {
    /// Lets the `at`th call (from 1) fail; 0 lets none.
    pub fn new(inner: Arc<dyn Keyring>, fault: Fault, at: u64) -> Self {
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
        call: impl Future<Output = Result<T, KeyringError>> + Send,
    ) -> Result<T, KeyringError> {
        let failure = || KeyringError::unavailable("fault", "failed on purpose");
        self.fuse.pass(call, failure).await
    }
}

#[async_trait]
impl Keyring for FaultKeyring {
    fn info(&self) -> KeyringInfo {
        self.inner.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.pass(self.inner.epoch()).await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.pass(self.inner.issue(keys)).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.pass(self.inner.open(ids)).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.pass(self.inner.keep(id, slots)).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        self.pass(self.inner.destroy(ids)).await
    }
}
