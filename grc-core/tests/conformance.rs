//! The reference store and the reference keyring under the conformance kit.

use grc_core::{
    conformance::{Handles, Harness, KeyringHarness},
    storage::MemoryStore,
    vault::{Keyring, MemoryKeyring},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

fn next_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

struct Memory;

impl Harness for Memory {
    type Guard = ();
    const DURABLE: bool = false;

    fn open() -> ((), Handles) {
        let store = Arc::new(MemoryStore::with(next_id(), true));
        ((), (store.clone(), store))
    }

    fn reopen((): &()) -> Option<Handles> {
        None
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

impl KeyringHarness for Memory {
    type Guard = Arc<MemoryKeyring>;
    const DURABLE: bool = false;

    fn open() -> (Self::Guard, Arc<dyn Keyring>) {
        let keyring = Arc::new(MemoryKeyring::new(next_id()));
        (keyring.clone(), keyring)
    }

    fn second(guard: &Self::Guard) -> Option<Arc<dyn Keyring>> {
        Some(guard.clone())
    }

    fn reopen(_: &Self::Guard) -> Option<Arc<dyn Keyring>> {
        None
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

grc_core::store_conformance!(Memory);
grc_core::keyring_conformance!(Memory);

/// A store that its guard keeps stands in for a durable one, so that the cases that reopen run here too.
mod kept {
    use super::*;

    struct Kept;

    impl Harness for Kept {
        type Guard = Arc<MemoryStore>;
        const DURABLE: bool = true;

        fn open() -> (Self::Guard, Handles) {
            let store = Arc::new(MemoryStore::with(next_id(), true));
            (store.clone(), (store.clone(), store))
        }

        fn reopen(guard: &Self::Guard) -> Option<Handles> {
            Some((guard.clone(), guard.clone()))
        }

        fn block_on<F: Future + Send>(future: F) -> F::Output
        where
            F::Output: Send,
        {
            pollster::block_on(future)
        }
    }

    impl KeyringHarness for Kept {
        type Guard = Arc<MemoryKeyring>;
        const DURABLE: bool = true;

        fn open() -> (Self::Guard, Arc<dyn Keyring>) {
            <Memory as KeyringHarness>::open()
        }

        fn second(_: &Self::Guard) -> Option<Arc<dyn Keyring>> {
            None
        }

        fn reopen(guard: &Self::Guard) -> Option<Arc<dyn Keyring>> {
            Some(guard.clone())
        }

        fn block_on<F: Future + Send>(future: F) -> F::Output
        where
            F::Output: Send,
        {
            pollster::block_on(future)
        }
    }

    grc_core::store_conformance!(Kept);
    grc_core::keyring_conformance!(Kept);
}
