//! How a store is opened.

use crate::RedbStore;
use grc_core::storage::StorageError;
use std::path::Path;
use uuid::Uuid;

/// How a store is opened. Nothing is made unless [`Options::create`] says so.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("town.redb");
/// use adapter_template::Options;
/// use grc_core::{Entropy, SystemEntropy};
///
/// let mut incarnation = [0; 16];
/// SystemEntropy.fill(&mut incarnation)?; // the adapter has no random source of its own
/// let store = Options::new().create(uuid::Uuid::from_bytes(incarnation)).open(&path)?;
/// # drop(store);
/// let again = Options::new().open(&path)?;
/// assert_eq!(grc_core::storage::Store::info(&again).incarnation.as_bytes(), &incarnation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) create: Option<Uuid>,
    pub(crate) test: bool,
    pub(crate) readers: usize,
    pub(crate) cache: usize,
    pub(crate) check: bool,
    /// A disk that fails when a test says so.
    #[cfg(test)]
    pub(crate) disk: Option<crate::faults::Faults>,
}

impl Default for Options {
    fn default() -> Self {
        // The engine's own cache would grow to a gigabyte.
        Self {
            create: None,
            test: false,
            readers: 2,
            cache: 64 << 20,
            check: false,
            #[cfg(test)]
            disk: None,
        }
    }
}

impl Options {
    /// An existing store, two readers, a cache of 64 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store is begun if there is none, with this incarnation: a random id, never one that was used before, by which
    /// who follows the feed knows that this is not the store that was here. A store that exists keeps its own.
    #[must_use]
    pub const fn create(mut self, incarnation: Uuid) -> Self {
        self.create = Some(incarnation);
        self
    }

    /// Whether a store that is begun is marked as a test store, which accepts a seeded entropy. The mark does not
    /// change.
    #[must_use]
    pub const fn test(mut self, yes: bool) -> Self {
        self.test = yes;
        self
    }

    /// How many threads read (at least one).
    #[must_use]
    pub const fn readers(mut self, threads: usize) -> Self {
        self.readers = threads;
        self
    }

    /// How many bytes of memory the engine keeps pages in.
    #[must_use]
    pub const fn cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Whether every page is checked when the file is opened. The engine trusts a file that it closed itself, and may
    /// panic later if somebody else changed it: after a restored backup or a sick disk, check.
    #[must_use]
    pub const fn check(mut self, yes: bool) -> Self {
        self.check = yes;
        self
    }

    pub(crate) const fn existing(mut self) -> Self {
        self.create = None;
        self
    }

    /// Opens a store.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unusable`] with what is wrong with the file and what to do: it does not exist, is not ours,
    /// is newer than this library, cannot be written. [`StorageErrorKind::Unavailable`] if another process has it.
    /// [`StorageErrorKind::Corrupt`] if it is damaged.
    ///
    /// [`StorageErrorKind::Unusable`]: grc_core::storage::StorageErrorKind::Unusable
    /// [`StorageErrorKind::Unavailable`]: grc_core::storage::StorageErrorKind::Unavailable
    /// [`StorageErrorKind::Corrupt`]: grc_core::storage::StorageErrorKind::Corrupt
    pub fn open(&self, path: impl AsRef<Path>) -> Result<RedbStore, StorageError> {
        RedbStore::start(self, path.as_ref())
    }
}
