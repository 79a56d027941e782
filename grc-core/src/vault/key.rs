//! Data keys and what is derived from them.

use super::Slot;
use crate::{Entropy, EntropyError, Word};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What keys, seals and hashes of a stream are bound to: the birth authority, the stream's kind and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamContext(Vec<u8>);

impl StreamContext {
    /// The context of a stream (docs/formats.md §1).
    pub fn new(birth: &Word, kind: &Word, id: Uuid) -> Self {
        let mut bytes = Vec::with_capacity(birth.as_str().len() + kind.as_str().len() + 18);
        for word in [birth, kind] {
            // A word is at most 64 bytes.
            bytes.push(u8::try_from(word.as_str().len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(word.as_str().as_bytes());
        }
        bytes.extend_from_slice(id.as_bytes());
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// HMAC-SHA-256 over a label and parts.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // HMAC takes keys of any length, so this cannot fail; an empty MAC would fail closed.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Zeroizing::new([0; 32]) };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<[u8; 32]>);

        impl $name {
            /// From its 32 bytes.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Zeroizing::new(bytes))
            }

            /// Its 32 bytes, for the keyring that keeps them.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&*other.0).into()
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// The key of one stream, from which the keys of its slots are derived.
    DataKey
}
secret! {
    /// The key of one slot, from which its seal and its commitment keys are derived.
    SlotKey
}

impl DataKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`EntropyError`] if there are no random bytes.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// The key of a slot.
    pub fn slot(&self, context: &StreamContext, slot: Slot) -> SlotKey {
        SlotKey(mac(&*self.0, &[b"grc-slot-1\0", context.as_bytes(), &slot.to_be_bytes()]))
    }

    /// A MAC of a command, so that the same command can be recognised, but not guessed once the key is gone.
    pub(crate) fn receipt(&self, context: &StreamContext, command: &[u8]) -> [u8; 32] {
        let key = mac(&*self.0, &[b"grc-receipt-1\0", context.as_bytes()]);
        *mac(&*key, &[command])
    }

    /// A token: a value that can be looked up, held only in link and receipt rows.
    pub(crate) fn token(&self, label: &str, parts: &[&[u8]]) -> [u8; 16] {
        let mut all: Vec<&[u8]> = vec![label.as_bytes(), b"\0"];
        all.extend_from_slice(parts);
        let full = mac(&*self.0, &all);
        let mut token = [0; 16];
        for (to, from) in token.iter_mut().zip(full.iter()) {
            *to = *from;
        }
        token
    }
}

impl SlotKey {
    pub(super) fn seal_key(&self) -> Zeroizing<[u8; 32]> {
        mac(&*self.0, &[b"grc-seal-1"])
    }

    pub(super) fn commit_key(&self) -> Zeroizing<[u8; 32]> {
        mac(&*self.0, &[b"grc-commit-1"])
    }
}
