//! A keyring in memory: the reference, and for tests.

use super::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey};
use crate::KeyId;
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// Keys in memory, gone with the process.
#[derive(Debug)]
pub struct MemoryKeyring {
    id: Uuid,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default, Clone)]
struct Inner {
    epoch: u64,
    keys: HashMap<KeyId, KeyState>,
}

impl MemoryKeyring {
    /// An empty keyring with this id.
    pub fn new(id: Uuid) -> Self {
        Self { id, inner: Mutex::default() }
    }

    /// A copy as it is now: what a backup of the keyring would be.
    #[must_use]
    pub fn backup(&self) -> Self {
        Self { id: self.id, inner: Mutex::new(self.with(|inner| inner.clone())) }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for MemoryKeyring {
    fn default() -> Self {
        Self::new(Uuid::max())
    }
}

#[async_trait]
impl Keyring for MemoryKeyring {
    fn info(&self) -> KeyringInfo {
        KeyringInfo::new("memory", "the key is overwritten in this process's memory")
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        Ok((self.id, self.with(|inner| inner.epoch)))
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        Ok(self.with(|inner| {
            let before = inner.keys.len();
            for (id, key) in keys {
                inner.keys.entry(*id).or_insert_with(|| KeyState::Whole(key.clone()));
            }
            inner.epoch += u64::from(inner.keys.len() != before);
            inner.epoch
        }))
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        Ok(self.with(|inner| {
            ids.iter().map(|id| inner.keys.get(id).cloned().unwrap_or(KeyState::Unknown)).collect()
        }))
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.with(|inner| {
            let next = match inner.keys.get(&id) {
                Some(KeyState::Whole(_)) => slots.clone(),
                Some(KeyState::Kept(kept)) => {
                    let both: BTreeMap<_, _> = kept
                        .iter()
                        .filter(|(slot, _)| slots.contains_key(slot))
                        .map(|(s, k)| (*s, k.clone()))
                        .collect();
                    if both.len() == kept.len() {
                        return Ok(inner.epoch);
                    }
                    both
                }
                Some(KeyState::Destroyed) => return Ok(inner.epoch),
                Some(KeyState::Unknown) | None => {
                    return Err(KeyringError::new("memory", format!("key {id} is not in this keyring")));
                }
            };
            inner.keys.insert(id, KeyState::Kept(next));
            inner.epoch += 1;
            Ok(inner.epoch)
        })
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        Ok(self.with(|inner| {
            let mut changed = false;
            for id in ids {
                changed |= inner.keys.insert(*id, KeyState::Destroyed) != Some(KeyState::Destroyed);
            }
            inner.epoch += u64::from(changed);
            inner.epoch
        }))
    }
}
