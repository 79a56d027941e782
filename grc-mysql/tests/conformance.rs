//! The MySQL store and its keyring under the conformance kit, on a private server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod common;

use common::{block_on, fresh, options, shared};
use grc_core::{
    conformance::{Handles, Harness, KeyringHarness},
    vault::Keyring,
};
use std::sync::Arc;

struct Mysql;

fn store(address: &str) -> Handles {
    let store = Arc::new(pollster::block_on(options().open_store(address)).unwrap());
    (store.clone(), store)
}

fn keyring(address: &str) -> Arc<dyn Keyring> {
    Arc::new(pollster::block_on(options().open_keyring(address)).unwrap())
}

impl Harness for Mysql {
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
        // No runtime of the caller's is needed.
        pollster::block_on(future)
    }
}

impl KeyringHarness for Mysql {
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

grc_core::store_conformance!(Mysql);
grc_core::keyring_conformance!(Mysql);

#[test]
fn any_runtime_will_do() {
    let (_, (store, _)) = <Mysql as Harness>::open();
    let page = block_on(async {
        let query = grc_core::storage::Query::new("rennes".parse().unwrap(), "request".parse().unwrap());
        store.query(&query).await.unwrap()
    });
    assert!(page.rows.is_empty());
}
