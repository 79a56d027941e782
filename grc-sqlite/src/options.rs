//! How a store is opened.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{SqliteKeyring, SqliteStore, pair};
use grc_core::storage::StorageError;

/// What a commit survives when it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of the process and of the machine, as far as the disk keeps its word: each group of commits is
    /// flushed.
    #[default]
    Full,
    /// The death of the process only: a power failure may take the last commits away, never a part of one. For
    /// imports that can be run again, and tests.
    Relaxed,
}

/// How a store is opened. Nothing is made unless [`Options::create`] says so.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("town.db");
/// use grc_sqlite::Options;
/// let opened = Options::new().create(true).open(&path)?; // makes `town.db`, and `town.keys` beside it
/// opened.store.close();
/// # drop(opened);
/// let again = Options::new().open(&path)?;
/// assert!(!grc_core::storage::Store::info(&*again.store).test);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) create: bool,
    pub(crate) test: bool,
    pub(crate) durability: Durability,
    pub(crate) readers: usize,
    pub(crate) busy: Duration,
    pub(crate) max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: false,
            test: false,
            durability: Durability::Full,
            readers: 2,
            busy: Duration::from_secs(5),
            max_pages: None,
        }
    }
}

/// A store and its keyring, as [`Options::open`] opens them.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The store: rows and blobs.
    pub store: Arc<SqliteStore>,
    /// Its keys.
    pub keyring: Arc<SqliteKeyring>,
}

impl Options {
    /// An existing store, durable, two readers, five seconds of patience with locks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether files that do not exist are made. Keys are never made anew for a store that has rows.
    #[must_use]
    pub const fn create(mut self, yes: bool) -> Self {
        self.create = yes;
        self
    }

    /// Whether a store that is made is marked as a test store, which accepts a seeded entropy. The mark is made with
    /// the store and does not change; for a store that exists this says nothing.
    #[must_use]
    pub const fn test(mut self, yes: bool) -> Self {
        self.test = yes;
        self
    }

    /// What a commit survives.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many threads read (at least one).
    #[must_use]
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// How long to wait for somebody else's lock.
    #[must_use]
    pub const fn busy_timeout(mut self, patience: Duration) -> Self {
        self.busy = patience;
        self
    }

    /// How many pages (of 4,096 bytes) the store's file may have: a quota, past which commits fail as on a full disk.
    #[must_use]
    pub const fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Opens a store and its keyring: `town.db`, and `town.keys` beside it.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unusable`] with what is wrong with which file and what to do: it does not exist, is not
    /// ours, is newer than this library, cannot be written, or has lost its keys.
    /// [`StorageErrorKind::Unavailable`] if it is locked, [`StorageErrorKind::Corrupt`] if it is damaged.
    ///
    /// [`StorageErrorKind::Unusable`]: grc_core::storage::StorageErrorKind::Unusable
    /// [`StorageErrorKind::Unavailable`]: grc_core::storage::StorageErrorKind::Unavailable
    /// [`StorageErrorKind::Corrupt`]: grc_core::storage::StorageErrorKind::Corrupt
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Opened, StorageError> {
        pair::open(self, path.as_ref())
    }

    /// Opens a store alone: its keys are somewhere else, and to keep the two together is the caller's work.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open_store(&self, path: impl AsRef<Path>) -> Result<SqliteStore, StorageError> {
        SqliteStore::start(self, path.as_ref())
    }
}
