//! How a store fails.

use std::{borrow::Cow, error::Error};

/// What kind of failure it is. A kind exists only where a caller acts differently on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// The batch expected something else than what is there: nothing was written.
    Conflict(ConflictOn),
    /// The store does not know this step, condition or order: nothing was written or read.
    Unsupported,
    /// Something is larger than the store's limits: nothing was written.
    Limit,
    /// The store cannot be used just now (locked, out of space, not reachable): nothing was written.
    Unavailable,
    /// The batch may or may not have been written: commit the same batch again to find out.
    OutcomeUnknown,
    /// What is stored cannot be read, or is not ours.
    Corrupt,
    /// The store cannot be opened or written as it is: wrong file, wrong version, no rights.
    Unusable,
    /// Anything else.
    Other,
}

/// What a batch and the store disagreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConflictOn {
    /// A stream's version, or that it exists, or that it does not.
    Stream,
    /// A document's version.
    Document,
    /// A unique link that another stream holds.
    Link,
    /// A task's lease: somebody else took it over, or it is done.
    Lease,
    /// A command key that was used before.
    Receipt,
    /// A batch of the same id with other steps.
    Batch,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// Read again and decide again.
    AfterReload,
    /// The same call may be made again, now or later.
    Same,
}

/// A store failed. The message names no typed value; the driver's own error is the source.
#[derive(Debug, thiserror::Error)]
#[error("store `{store}`: {message}")]
pub struct StorageError {
    store: &'static str,
    kind: StorageErrorKind,
    message: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StorageError {
    /// A failure of a store, named as in [`super::StoreInfo::name`].
    pub fn new(store: &'static str, kind: StorageErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { store, kind, message: message.into(), source: None }
    }

    /// A disagreement.
    pub fn conflict(store: &'static str, on: ConflictOn, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(store, StorageErrorKind::Conflict(on), message)
    }

    /// With what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// What was disagreed on, if this is a conflict.
    pub const fn conflict_on(&self) -> Option<ConflictOn> {
        match self.kind {
            StorageErrorKind::Conflict(on) => Some(on),
            _ => None,
        }
    }

    /// What to do about it.
    pub const fn retry(&self) -> Retry {
        match self.kind {
            StorageErrorKind::Conflict(_) => Retry::AfterReload,
            StorageErrorKind::Unavailable | StorageErrorKind::OutcomeUnknown => Retry::Same,
            _ => Retry::Never,
        }
    }
}
