//! Two commands, workers or publications at once, whose calls to the store are made in every order that there is: on
//! SQLite and on a server. On a cluster it is a case of `galera.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;
mod stepped;

use common::{fresh, options, shared};
use grc_core::Stores;
use std::{cell::RefCell, sync::Arc};

#[test]
fn every_order_on_a_file() {
    let folders = RefCell::new(Vec::new());
    let counts = stepped::all(|| {
        let folder = tempfile::tempdir().unwrap();
        let stores = grc_sqlite::open(folder.path().join("town.db")).unwrap();
        folders.borrow_mut().push(folder);
        [stores.clone(), stores]
    });
    println!("{counts:?}");
}

#[test]
fn every_order_on_a_server() {
    let counts = stepped::all(|| {
        let (address, keys) = (fresh(shared()), fresh(shared()));
        let open = || -> Stores {
            let keyring = Arc::new(pollster::block_on(options().open_keyring(&keys)).unwrap());
            pollster::block_on(options().open(&address, keyring)).unwrap()
        };
        [open(), open()]
    });
    println!("{counts:?}");
}
