//! The template under the conformance kit: every clause, none left out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use adapter_template::Options;
use grc_core::conformance::{Handles, Harness};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tempfile::TempDir;
use uuid::Uuid;

struct Redb;

fn store(directory: &TempDir, options: &Options) -> Handles {
    let store = Arc::new(options.open(directory.path().join("town.redb")).unwrap());
    (store.clone(), store)
}

impl Harness for Redb {
    type Guard = TempDir;
    const DURABLE: bool = true;

    fn open() -> (TempDir, Handles) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let incarnation = Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into());
        let directory = tempfile::tempdir().unwrap();
        let handles = store(&directory, &Options::new().create(incarnation).test(true));
        (directory, handles)
    }

    fn reopen(directory: &TempDir) -> Option<Handles> {
        Some(store(directory, &Options::new()))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        pollster::block_on(future)
    }
}

grc_core::store_conformance!(Redb);
