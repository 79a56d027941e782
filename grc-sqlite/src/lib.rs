//! The embedded store of the citizen-relations library: one SQLite file, its keys in another beside it.
//!
//! [`SqliteStore`] is a [`Store`](grc_core::storage::Store) and a [`BlobStore`](grc_core::storage::BlobStore),
//! [`SqliteKeyring`] a [`Keyring`](grc_core::vault::Keyring). Both run on any asynchronous runtime, or none: their
//! work is done on threads of their own.
//!
//! ```
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("town.db");
//! use grc_core::{BatchId, Moment, Word, storage::{Batch, Document, Expect, Step, Store}};
//!
//! let opened = grc_sqlite::Options::new().create(true).open(&path)?;
//! let town: Word = "rennes".parse()?;
//! let document = Document { kind: "note".parse()?, name: "main".parse()?, version: 1, body: b"{}".to_vec() };
//! let batch = Batch::new(BatchId::from_uuid(uuid::Uuid::from_u128(1)), town, Moment::EPOCH)
//!     .with(Step::PutDocument { document, expect: Expect::Absent });
//! let receipt = pollster::block_on(opened.store.commit(batch.clone()))?;
//! assert!(!receipt.replayed);
//! // The same batch again changes nothing, and says so.
//! assert!(pollster::block_on(opened.store.commit(batch))?.replayed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//! - A commit is flushed when it returns ([`Durability::Full`]); those that wait together are flushed together.
//! - Several handles and several processes of one machine may use the files at once. A network file system is no
//!   place for them.
//! - New files can be read and written by their owner only.
//! - Bytes that were dropped are overwritten; copies in the log go with the next checkpoint, and
//!   [`scrub`](grc_core::storage::Store::scrub) does it now and says what it could not do.

mod connection;
mod error;
mod files;
mod keyring;
mod options;
mod pair;
mod pool;
mod schema;
#[cfg(test)]
mod statements;
mod store;
mod stores;

pub use keyring::SqliteKeyring;
pub use options::{Durability, Opened, Options};
pub use store::SqliteStore;
pub use stores::open;

/// The README's example is tested.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
