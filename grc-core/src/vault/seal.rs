//! Sealing, opening and committing to one slot.

use super::{SealedSlot, Slot, SlotKey, StreamContext, key::mac};
use crate::{Entropy, EntropyError, KeyId, Value, canonical::CanonicalError, entropy};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Why a slot could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The sealed bytes are not what was sealed under this key, for this slot of this stream.
    #[error("slot {0} cannot be opened: its bytes were changed, or belong to another stream or key")]
    Changed(Slot),
    /// The row is not a vault row of this version.
    #[error("a vault row cannot be read: {0}")]
    Row(&'static str),
    /// The value cannot be written.
    #[error("a value cannot be sealed: {0}")]
    Value(#[from] CanonicalError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// What an event says of a slot: a MAC of its value, worthless without the slot's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Serialize for Commitment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(serde::de::Error::custom)?;
        bytes.try_into().map(Self).map_err(|_| serde::de::Error::custom("a commitment has 32 bytes"))
    }
}

/// The commitment to a value under its slot's key.
///
/// # Errors
/// [`VaultError::Value`] if the value holds a number beyond 2⁵³.
pub fn commit(key: &SlotKey, value: &Value) -> Result<Commitment, VaultError> {
    Ok(Commitment(*mac(&*key.commit_key(), &[&value.to_plain()?])))
}

impl Commitment {
    /// Whether this is the commitment to that value under that key.
    pub fn holds(&self, key: &SlotKey, value: &Value) -> bool {
        commit(key, value).is_ok_and(|other| bool::from(self.0.ct_eq(&other.0)))
    }
}

fn associated(context: &StreamContext, slot: Slot) -> Vec<u8> {
    let mut bytes = b"grc-slot-1\0".to_vec();
    bytes.extend_from_slice(context.as_bytes());
    bytes.extend_from_slice(&slot.to_be_bytes());
    bytes
}

/// Seals a value for its slot.
///
/// # Errors
/// [`VaultError`] if the value cannot be written or there are no random bytes.
pub fn seal(
    context: &StreamContext,
    slot: Slot,
    id: KeyId,
    key: &SlotKey,
    value: &Value,
    entropy: &dyn Entropy,
) -> Result<SealedSlot, VaultError> {
    let nonce: [u8; 24] = entropy::bytes(entropy)?;
    let plain = value.to_plain()?;
    let aad = associated(context, slot);
    let sealed = XChaCha20Poly1305::new((&*key.seal_key()).into())
        .encrypt((&nonce).into(), Payload { msg: &plain, aad: &aad })
        .map_err(|_| VaultError::Changed(slot))?;
    Ok(SealedSlot { slot, key: id, nonce, sealed })
}

/// Opens a sealed slot.
///
/// # Errors
/// [`VaultError::Changed`] if the bytes are not what was sealed under this key for this slot of this stream.
pub fn open(context: &StreamContext, key: &SlotKey, sealed: &SealedSlot) -> Result<Value, VaultError> {
    let aad = associated(context, sealed.slot);
    let plain = XChaCha20Poly1305::new((&*key.seal_key()).into())
        .decrypt((&sealed.nonce).into(), Payload { msg: &sealed.sealed, aad: &aad })
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Changed(sealed.slot))?;
    Value::from_plain(&plain).ok_or(VaultError::Changed(sealed.slot))
}
