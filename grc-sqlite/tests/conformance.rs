//! The SQLite store and its keyring under the conformance kit.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use grc_core::{
    conformance::{Handles, Harness, KeyringHarness},
    vault::Keyring,
};
use grc_sqlite::{Durability, Options, SqliteKeyring};
use std::sync::Arc;
use tempfile::TempDir;

struct Sqlite;

/// Not flushed: what the kit reopens has not lost its power.
fn options() -> Options {
    Options::new().create(true).test(true).durability(Durability::Relaxed)
}

fn store(directory: &TempDir) -> Handles {
    let store = options().open(directory.path().join("town.db")).unwrap().store;
    (store.clone(), store)
}

fn keyring(directory: &TempDir) -> Arc<dyn Keyring> {
    Arc::new(SqliteKeyring::open(directory.path().join("town.keys"), &options()).unwrap())
}

impl Harness for Sqlite {
    type Guard = TempDir;
    const DURABLE: bool = true;

    fn open() -> (TempDir, Handles) {
        let directory = tempfile::tempdir().unwrap();
        let handles = store(&directory);
        (directory, handles)
    }

    fn reopen(directory: &TempDir) -> Option<Handles> {
        Some(store(directory))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

impl KeyringHarness for Sqlite {
    type Guard = TempDir;
    const DURABLE: bool = true;

    fn open() -> (TempDir, Arc<dyn Keyring>) {
        let directory = tempfile::tempdir().unwrap();
        let keyring = keyring(&directory);
        (directory, keyring)
    }

    fn second(directory: &TempDir) -> Option<Arc<dyn Keyring>> {
        Some(keyring(directory))
    }

    fn reopen(directory: &TempDir) -> Option<Arc<dyn Keyring>> {
        Some(keyring(directory))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

grc_core::store_conformance!(Sqlite);
grc_core::keyring_conformance!(Sqlite);
