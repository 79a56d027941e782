//! Where the keys are: apart from the store.

use super::{DataKey, Slot, SlotKey};
use crate::KeyId;
use async_trait::async_trait;
use std::{collections::BTreeMap, error::Error, fmt};
use uuid::Uuid;

/// What a keyring says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyringInfo {
    /// What kind it is, for messages: `memory`, `sqlite`…
    pub name: &'static str,
    /// What destroying a key means here, in a sentence that a certificate can quote.
    pub erasure: &'static str,
}

impl KeyringInfo {
    /// Describes a keyring.
    pub const fn new(name: &'static str, erasure: &'static str) -> Self {
        Self { name, erasure }
    }
}

/// What a keyring holds under a key's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// The whole key.
    Whole(DataKey),
    /// The keys of the slots that outlived an erasure; the whole key is gone.
    Kept(BTreeMap<Slot, SlotKey>),
    /// It was destroyed: what it sealed was erased.
    Destroyed,
    /// This keyring never had it: it was lost, or this is another store's keyring.
    Unknown,
}

impl KeyState {
    /// The key of a slot, if it can still be had.
    pub fn slot(&self, context: &super::StreamContext, slot: Slot) -> Option<SlotKey> {
        match self {
            Self::Whole(key) => Some(key.slot(context, slot)),
            Self::Kept(kept) => kept.get(&slot).cloned(),
            Self::Destroyed | Self::Unknown => None,
        }
    }
}

/// Keeps the data keys, outside the store.
///
/// # Contract
/// - K-1 Every call is durable when it returns, and all or nothing.
/// - K-2 Every call may be repeated: issuing the same key again, keeping or destroying what is already so changes
///   nothing. Keeping slots of a key that was never known is an error.
/// - K-3 A destroyed key leaves a tombstone for ever: it is never whole again, even if it is issued or kept again, and
///   a key that was never known can be destroyed.
/// - K-4 What was destroyed, and the whole key behind kept slots, is not in the keyring's own files any more when the
///   call returns (as far as [`KeyringInfo::erasure`] says).
/// - K-5 The epoch grows with each call that changed something, and is what [`Keyring::epoch`] answers; a copy of the
///   keyring taken earlier has a lower one.
/// - K-6 Several processes may use one keyring at once.
#[async_trait]
pub trait Keyring: fmt::Debug + Send + Sync + 'static {
    /// Constant facts.
    fn info(&self) -> KeyringInfo;

    /// The keyring's own id, made with it, and its epoch.
    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError>;

    /// Takes new keys. Answers the epoch after it.
    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError>;

    /// What is held under each id, in the order asked.
    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError>;

    /// Replaces a key by the keys of some of its slots. If it was replaced before, only slots that are in both stay.
    /// Answers the epoch after it.
    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError>;

    /// Destroys keys. Answers the epoch after it.
    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError>;
}

/// A keyring failed.
#[derive(Debug, thiserror::Error)]
#[error("keyring `{keyring}`: {message}")]
pub struct KeyringError {
    keyring: &'static str,
    message: String,
    unavailable: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl KeyringError {
    /// A failure that will not pass by itself.
    pub fn new(keyring: &'static str, message: impl Into<String>) -> Self {
        Self { keyring, message: message.into(), unavailable: false, source: None }
    }

    /// A failure that may pass: try again later.
    pub fn unavailable(keyring: &'static str, message: impl Into<String>) -> Self {
        Self { unavailable: true, ..Self::new(keyring, message) }
    }

    /// With what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether trying again later may help.
    pub const fn is_unavailable(&self) -> bool {
        self.unavailable
    }
}
