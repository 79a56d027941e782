//! A complete storage adapter to copy: the citizen-relations library over an ordered key-value engine, here
//! [redb](https://docs.rs/redb). How it was written, and how to write another one, is in `docs/adapter-guide.md`.
//!
//! [`RedbStore`] is a [`Store`](grc_core::storage::Store) and a [`BlobStore`](grc_core::storage::BlobStore). Keys are
//! kept elsewhere, in any [`Keyring`](grc_core::vault::Keyring).
//!
//! ```
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("town.redb");
//! use adapter_template::Options;
//! use grc_core::{BatchId, Moment, Word, storage::{Batch, Document, Expect, Step, Store}};
//!
//! let store = Options::new().create(uuid::Uuid::from_u128(7)).open(&path)?;
//! let town: Word = "rennes".parse()?;
//! let document = Document { kind: "note".parse()?, name: "main".parse()?, version: 1, body: b"{}".to_vec() };
//! let batch = Batch::new(BatchId::from_uuid(uuid::Uuid::from_u128(1)), town, Moment::EPOCH)
//!     .with(Step::PutDocument { document, expect: Expect::Absent });
//! assert!(!pollster::block_on(store.commit(batch.clone()))?.replayed);
//! // The same batch again changes nothing, and says so.
//! assert!(pollster::block_on(store.commit(batch))?.replayed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//! - A commit is flushed when it returns. Each has a flush of its own: those that wait are not flushed together.
//! - Several threads and handles of one process; another process is refused while the file is open.
//! - The file can be read and written by its owner only.
//! - Dropped bytes stay in free pages until these are used again, or until [`scrub`](grc_core::storage::Store::scrub)
//!   writes the file anew.
//! - Lists are read in the order of opening and looked at row by row, or from a link: there is no index by service,
//!   state or agent.
//!
//! # Where things are
//! `engine.rs` is the only file that knows the engine, and `error.rs` explains its failures; `bytes.rs`, `keys.rs` and
//! `rows.rs` say what is where, and would do for any ordered engine; `apply.rs` and the files that it calls write a batch;
//! `list.rs`, `reading.rs`, `documents.rs` and `feed.rs` read; `store.rs` and `hands.rs` hand calls to threads.

mod apply;
mod blobs;
mod bytes;
mod documents;
mod engine;
mod error;
mod feed;
mod hands;
mod keys;
mod links;
mod list;
mod options;
mod reading;
mod rows;
mod store;
mod streams;
mod tasks;

pub use options::Options;
pub use store::RedbStore;

#[cfg(test)]
mod faults;
