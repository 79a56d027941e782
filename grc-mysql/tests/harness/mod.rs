//! The server under the conformance kit.

use crate::common::{fresh, options, shared};
use grc_core::{
    conformance::{Handles, Harness, KeyringHarness},
    vault::Keyring,
};
use grc_mysql::Options;
use std::sync::Arc;

/// Stores and keyrings that have at most so many connections, each in a database of its own.
pub(crate) struct Mysql<const CONNECTIONS: u32>;

impl<const CONNECTIONS: u32> Mysql<CONNECTIONS> {
    fn options() -> Options {
        options().connections(CONNECTIONS)
    }

    fn store(address: &str) -> Handles {
        let store = Arc::new(pollster::block_on(Self::options().open_store(address)).unwrap());
        (store.clone(), store)
    }

    fn keyring(address: &str) -> Arc<dyn Keyring> {
        Arc::new(pollster::block_on(Self::options().open_keyring(address)).unwrap())
    }
}

impl<const CONNECTIONS: u32> Harness for Mysql<CONNECTIONS> {
    type Guard = String;
    const DURABLE: bool = true;

    fn open() -> (String, Handles) {
        let address = fresh(shared());
        let handles = Self::store(&address);
        (address, handles)
    }

    fn reopen(address: &String) -> Option<Handles> {
        Some(Self::store(address))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        // No runtime of the caller's is needed.
        pollster::block_on(future)
    }
}

impl<const CONNECTIONS: u32> KeyringHarness for Mysql<CONNECTIONS> {
    type Guard = String;
    const DURABLE: bool = true;

    fn open() -> (String, Arc<dyn Keyring>) {
        let address = fresh(shared());
        let keyring = Self::keyring(&address);
        (address, keyring)
    }

    fn second(address: &String) -> Option<Arc<dyn Keyring>> {
        Some(Self::keyring(address))
    }

    fn reopen(address: &String) -> Option<Arc<dyn Keyring>> {
        Some(Self::keyring(address))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}
