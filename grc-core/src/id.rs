//! Ids.

use crate::{Entropy, EntropyError, Moment, entropy};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// From a UUID.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// As a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// As 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// A fresh id (UUIDv7): ordered by the moment, random within it.
            ///
            /// # Errors
            /// [`EntropyError`] if there are no random bytes.
            pub fn fresh(now: Moment, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                uuid_v7(now, entropy).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A request.
    RequestId,
    /// Work on site, for one or several requests.
    InterventionId,
    /// One commit to a store: the same batch again changes nothing.
    BatchId,
    /// Something to be done later.
    TaskId,
    /// The bytes of an attachment.
    BlobId,
    /// A data key in a keyring. Random, and says nothing of when it was made.
    KeyId,
}

impl BlobId {
    /// When it was made, in milliseconds since 1970: the beginning of a UUIDv7.
    pub(crate) fn millis(self) -> i64 {
        let [a, b, c, d, e, f, ..] = *self.as_bytes();
        i64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl RequestId {
    /// The stream kind of requests.
    pub const KIND: &'static str = "request";
}

impl InterventionId {
    /// The stream kind of interventions.
    pub const KIND: &'static str = "intervention";

    /// As the word by which spans name it.
    pub(crate) fn word(self) -> crate::Word {
        crate::Word::new(&self.to_string()).unwrap_or_else(|_| crate::Word::of("x"))
    }
}

pub(crate) fn uuid_v7(now: Moment, entropy: &dyn Entropy) -> Result<Uuid, EntropyError> {
    let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &entropy::bytes(entropy)?).into_uuid())
}
