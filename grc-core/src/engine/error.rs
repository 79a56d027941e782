//! How the engine fails.

use crate::{
    EntropyError, Refusal,
    canonical::CanonicalError,
    definition::DefinitionError,
    request::{EventError, FoldError},
    storage::StorageError,
    vault::{KeyringError, VaultError},
};

/// Somebody changed what a command was about to change, after its author looked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The version that the author saw.
    pub seen: u64,
    /// The version that is there now.
    pub version: u64,
    /// What was changed since that the command touches: `state`, `assignment`, `field:…`. Only what the actor may see.
    pub changed: Vec<String>,
}

/// The engine could not do it. No message repeats a typed value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrcError {
    /// The command is not acceptable, for these reasons; nothing was written.
    #[error(transparent)]
    Refused(Refusal),
    /// The actor may not do this; nothing was written.
    #[error("not permitted: {0}")]
    NotPermitted(Refusal),
    /// There is no such request, or the actor may not know of it.
    #[error("there is no such request, or you may not see it")]
    NotFound,
    /// Somebody else changed it first; nothing was written. Look again and decide again.
    #[error("somebody changed this request since you opened it ({}): open it again", .0.changed.join(", "))]
    Conflict(Conflict),
    /// The definition cannot work: all its problems at once; nothing was published.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// Nothing is published for this authority yet.
    #[error("authority `{0}` has no definition: publish one first")]
    NoDefinition(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keyring belongs to another store.
    #[error("this keyring belongs to another store: give the keys that were made with this store")]
    KeyringForeign,
    /// The keyring is a copy from before something was erased or written.
    #[error(
        "this keyring is older than the store: it is a copy from before the last keys were made or destroyed; give the newest one"
    )]
    KeyringOlder,
    /// A key that a living row needs is not in the keyring, and was not destroyed.
    #[error("a key of request {0} is not in the keyring: the keyring was damaged, or is not the newest one")]
    KeyLost(uuid::Uuid),
    /// What is stored is not what was written.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// It was written by a newer version of the library.
    #[error("this was written by a newer version of this library: upgrade it")]
    Newer,
    /// Others kept changing the same thing; nothing was written.
    #[error("others keep changing this: try again")]
    Busy,
    /// What was given cannot be used.
    #[error("{0}")]
    Unsuitable(String),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// What the bytes of a file are read from or written to failed.
    #[error("the attachment cannot be read, or not written where it was to go")]
    Attachment(#[from] std::io::Error),
}

impl GrcError {
    /// The refusal behind it, if it is one.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::NotPermitted(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl From<Refusal> for GrcError {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_denied() { Self::NotPermitted(refusal) } else { Self::Refused(refusal) }
    }
}

impl From<VaultError> for GrcError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Entropy(error) => Self::Entropy(error),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<CanonicalError> for GrcError {
    fn from(error: CanonicalError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<EventError> for GrcError {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Newer(_) => Self::Newer,
            EventError::Shape(text) => Self::Corrupt(text),
        }
    }
}

impl From<FoldError> for GrcError {
    fn from(error: FoldError) -> Self {
        Self::Corrupt(error.to_string())
    }
}
