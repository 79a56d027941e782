//! How a store is opened.

use crate::{MysqlKeyring, MysqlStore};
use grc_core::{
    Stores,
    storage::StorageError,
    vault::{Keyring, KeyringError},
};
use std::{sync::Arc, time::Duration};

/// What the server must do with a commit before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Flush it: it survives the death of the server and of its machine, as far as the disk keeps its word. A server that
    /// is set otherwise is refused.
    #[default]
    Full,
    /// Whatever the server is set to: a power failure may take the last commits away, never a part of one. For imports
    /// that can be run again, tests, and clusters whose other nodes have the commit.
    Relaxed,
}

/// How a store is opened. No table is made unless [`Options::create`] says so.
///
/// ```no_run
/// # async fn open(keyring: std::sync::Arc<dyn grc_core::vault::Keyring>) -> Result<(), Box<dyn std::error::Error>> {
/// use grc_mysql::Options;
/// let stores = Options::new().create(true).connections(32).open("mysql://grc:…@db.example/grc", keyring).await?;
/// let grc = grc_core::Grc::open(stores).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) create: bool,
    pub(crate) test: bool,
    pub(crate) durability: Durability,
    pub(crate) connections: u32,
    pub(crate) threads: usize,
    pub(crate) patience: Duration,
    pub(crate) lock_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: false,
            test: false,
            durability: Durability::Full,
            connections: 16,
            threads: 2,
            patience: Duration::from_secs(30),
            lock_wait: Duration::from_secs(5),
        }
    }
}

impl Options {
    /// An existing store, durable, at most 16 connections, half a minute of patience with the server.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether tables that do not exist are made. The database itself must be there. Keys are never made anew for a
    /// keyring that has some.
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

    /// What is demanded of the server.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many connections there may be at once (at least one). They are made when they are needed.
    #[must_use]
    pub const fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// How many threads the driver works on (at least one).
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// How long to wait for a connection, and for the server's answer to a statement. The server in its turn takes back
    /// what a connection that was silent for twice as long has not committed.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long to wait for somebody else's lock, in whole seconds, about.
    #[must_use]
    pub const fn lock_wait(mut self, patience: Duration) -> Self {
        self.lock_wait = patience;
        self
    }

    /// Opens a store, for an engine that keeps its keys in `keyring`: a file (`grc_sqlite::SqliteKeyring`), a database of
    /// another server ([`MysqlKeyring`]), or the host's own. The engine sees to it that the two belong together.
    ///
    /// The address is `mysql://user:password@host:port/database`; special characters of the password are written `%XX`.
    /// The nodes of a cluster are named one after the other, `mysql://user:password@a:3306,b:3306/database`: the first is
    /// used, and when it fails the next, until that one fails. Processes that name them in another order share the work.
    ///
    /// What may follow after a question mark: `ssl-mode` (`DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA`,
    /// `VERIFY_IDENTITY`), `ssl-ca`, `ssl-cert`, `ssl-key` (files), `socket` (a path). A connection that leaves the machine
    /// is encrypted (`REQUIRED`) unless the address says otherwise; `VERIFY_IDENTITY` with `ssl-ca` also makes sure that
    /// it is the right server.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unusable`] with what is wrong and what to do: the address, the account, its rights, the
    /// database, the server's version or settings, tables that are not ours or newer than this library.
    /// [`StorageErrorKind::Unavailable`] if the server does not answer.
    ///
    /// [`StorageErrorKind::Unusable`]: grc_core::storage::StorageErrorKind::Unusable
    /// [`StorageErrorKind::Unavailable`]: grc_core::storage::StorageErrorKind::Unavailable
    pub async fn open(&self, address: &str, keyring: Arc<dyn Keyring>) -> Result<Stores, StorageError> {
        let store = Arc::new(self.open_store(address).await?);
        Ok(Stores { store: Arc::<MysqlStore>::clone(&store), blobs: store, keyring })
    }

    /// Opens a store alone.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub async fn open_store(&self, address: &str) -> Result<MysqlStore, StorageError> {
        MysqlStore::start(self, address).await
    }

    /// Opens a keyring in a database, which is best on another server than the store's: whoever copies the one has not
    /// copied the other.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub async fn open_keyring(&self, address: &str) -> Result<MysqlKeyring, KeyringError> {
        MysqlKeyring::start(self, address).await
    }
}

/// Opens the store at an address, and makes its tables if they are not there: what [`grc_core::Grc::open`] wants.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let keyring = grc_mysql::Options::new().create(true).open_keyring("mysql://keys:…@other.example/keys").await?;
/// let stores = grc_mysql::open("mysql://grc:…@db.example/grc", std::sync::Arc::new(keyring)).await?;
/// let grc = grc_core::Grc::open(stores).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Options::open`].
pub async fn open(address: &str, keyring: Arc<dyn Keyring>) -> Result<Stores, StorageError> {
    Options::new().create(true).open(address, keyring).await
}
