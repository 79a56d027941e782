//! The MySQL store and its keyring under the conformance kit, on a private server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod common;
mod harness;

use common::block_on;
use grc_core::conformance::Harness;

/// As many connections as a store has unless it is told otherwise.
type Mysql = harness::Mysql<16>;

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
