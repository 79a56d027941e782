//! The conformance kit on a store that has one connection: nothing waits for a second one while it holds the first.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod common;

use common::{fresh, options, shared};
use grc_core::{
    conformance::{Handles, Harness, KeyringHarness},
    vault::Keyring,
};
use std::sync::Arc;

struct One;

fn store(address: &str) -> Handles {
    let store = Arc::new(pollster::block_on(options().connections(1).open_store(address)).unwrap());
    (store.clone(), store)
}

fn keyring(address: &str) -> Arc<dyn Keyring> {
    Arc::new(pollster::block_on(options().connections(1).open_keyring(address)).unwrap())
}

impl Harness for One {
    type Guard = String;
    const DURABLE: bool = true;

    fn open() -> (String, Handles) {
        let address = fresh(shared());
        let handles = store(&address);
        (address, handles)
    }

    fn reopen(address: &String) -> Option<Handles> {
        Some(store(address))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

impl KeyringHarness for One {
    type Guard = String;
    const DURABLE: bool = true;

    fn open() -> (String, Arc<dyn Keyring>) {
        let address = fresh(shared());
        let keyring = keyring(&address);
        (address, keyring)
    }

    fn second(address: &String) -> Option<Arc<dyn Keyring>> {
        Some(keyring(address))
    }

    fn reopen(address: &String) -> Option<Arc<dyn Keyring>> {
        Some(keyring(address))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

grc_core::store_conformance!(One);
grc_core::keyring_conformance!(One);
