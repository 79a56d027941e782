//! The MySQL and MariaDB store of the citizen-relations library.
//!
//! [`MysqlStore`] is a [`Store`](grc_core::storage::Store) and a [`BlobStore`](grc_core::storage::BlobStore),
//! [`MysqlKeyring`] a [`Keyring`](grc_core::vault::Keyring). Both run on any asynchronous runtime, or none: their work is
//! done on threads of their own.
//!
//! ```no_run
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! use grc_mysql::Options;
//! use std::sync::Arc;
//!
//! let keyring = Options::new().create(true).open_keyring("mysql://keys:…@other.example/keys").await?;
//! let stores = grc_mysql::open("mysql://grc:…@db.example/grc", Arc::new(keyring)).await?;
//! let grc = grc_core::Grc::open(stores).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it needs
//! A database (`CREATE DATABASE grc CHARACTER SET utf8mb4`) of MariaDB 10.6, MySQL 8.0 or later, and an account that may
//! SELECT, INSERT, UPDATE and DELETE in it; to make and raise the tables, and for `scrub`, also CREATE, ALTER, INDEX and
//! DROP. The tables are named `grc_…`: others may live beside them. The server must flush what it commits (see
//! [`Durability`]).
//!
//! # What it promises
//! - The whole storage contract, for any number of processes and machines at once.
//! - A commit that a deadlock, a lock or a lost connection interrupts is run again where that is safe, by the id of its
//!   batch; where it is not known what became of it, the caller is told so.
//! - A connection that leaves the machine is encrypted, unless the address says otherwise.
//! - Typed values reach the server sealed: none is in its tables, its logs or its backups in clear. What erasing means
//!   there is said by [`StoreInfo::erasure`](grc_core::storage::StoreInfo) and
//!   [`KeyringInfo::erasure`](grc_core::vault::KeyringInfo).

mod address;
mod database;
mod error;
mod keyring;
mod node;
mod nodes;
mod options;
mod runtime;
mod schema;
mod server;
mod session;
mod settings;
mod store;

pub use keyring::MysqlKeyring;
pub use options::{Durability, Options, open};
pub use store::MysqlStore;
