//! The bytes of a vault row (docs/formats.md §6).

use super::{Slot, VaultError};
use crate::KeyId;
use std::collections::BTreeSet;
use uuid::Uuid;

/// One slot as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSlot {
    /// Its number.
    pub slot: Slot,
    /// The data key under which it is sealed.
    pub key: KeyId,
    /// The nonce.
    pub nonce: [u8; 24],
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// The slots of one part of a stream's vault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VaultRow(pub Vec<SealedSlot>);

impl VaultRow {
    /// The row without some slots; the others are copied as they are.
    #[must_use]
    pub fn without(&self, gone: &BTreeSet<Slot>) -> Self {
        Self(self.0.iter().filter(|sealed| !gone.contains(&sealed.slot)).cloned().collect())
    }

    /// Writes the row.
    ///
    /// # Errors
    /// [`VaultError::Row`] if its slots are under more than 255 keys.
    pub fn to_bytes(&self) -> Result<Vec<u8>, VaultError> {
        let mut keys: Vec<KeyId> = Vec::new();
        for sealed in &self.0 {
            if !keys.contains(&sealed.key) {
                keys.push(sealed.key);
            }
        }
        let count =
            u8::try_from(keys.len()).map_err(|_| VaultError::Row("more than 255 keys in one part"))?;
        let mut out = vec![1, count];
        for key in &keys {
            out.extend_from_slice(key.as_bytes());
        }
        for sealed in &self.0 {
            let index = keys.iter().position(|key| *key == sealed.key).unwrap_or(0);
            out.extend_from_slice(&sealed.slot.to_be_bytes());
            out.push(u8::try_from(index).unwrap_or(u8::MAX));
            out.extend_from_slice(&sealed.nonce);
            out.extend_from_slice(&u32::try_from(sealed.sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(&sealed.sealed);
        }
        Ok(out)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`VaultError::Row`] if these are not the bytes of a row.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let mut reader = Reader(bytes);
        if reader.byte()? != 1 {
            return Err(VaultError::Row("unknown version"));
        }
        let count = reader.byte()?;
        let mut keys = Vec::with_capacity(count.into());
        for _ in 0..count {
            keys.push(KeyId::from_uuid(Uuid::from_bytes(reader.array()?)));
        }
        let mut slots = Vec::new();
        while !reader.0.is_empty() {
            let slot = u32::from_be_bytes(reader.array()?);
            let index = reader.byte()?;
            let nonce = reader.array()?;
            let length = u32::from_be_bytes(reader.array()?);
            let sealed = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?.to_vec();
            let key = *keys.get(usize::from(index)).ok_or(VaultError::Row("no such key"))?;
            slots.push(SealedSlot { slot, key, nonce, sealed });
        }
        Ok(Self(slots))
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], VaultError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(VaultError::Row("cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], VaultError> {
        self.take(N)?.try_into().map_err(|_| VaultError::Row("cut short"))
    }

    fn byte(&mut self) -> Result<u8, VaultError> {
        self.array::<1>().map(|[byte]| byte)
    }
}
