//! The engine on the reference store, on SQLite and on MySQL: the same commands, step by step, have the same answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{fresh, options, shared};
use grc_core::{
    Definition, Stores,
    conformance::{Fault, FaultStore, Walk},
};
use pollster::block_on;
use std::{path::Path, sync::Arc};

fn definition(name: &str) -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions").join(name);
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

/// A fresh store and a keyring in another database.
async fn mysql() -> Stores {
    let keyring = options().open_keyring(&fresh(shared())).await.unwrap();
    options().open(&fresh(shared()), Arc::new(keyring)).await.unwrap()
}

/// The same store, as slow as another one to destroy the keys of past months.
fn as_slow_as(other: &Stores, mut stores: Stores) -> Stores {
    let lag = other.store.info().lag;
    stores.store = Arc::new(FaultStore::new(stores.store, Fault::Before, 0).with_lag(lag));
    stores
}

#[test]
fn memory_sqlite_and_mysql_agree_step_by_step() {
    for (name, seed) in [("voirie", 31), ("voirie", 32), ("urbanisme", 33)] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("town.db");
        let sqlite = grc_sqlite::Options::new().create(true).test(true).open(file).unwrap();
        block_on(async {
            let definition = definition(name);
            let mysql = mysql().await;
            let memory = as_slow_as(&mysql, Stores::memory());
            let sqlite = as_slow_as(&mysql, sqlite.into());
            let mut memory = Walk::begin(memory, &definition, seed).await.unwrap();
            let mut sqlite = Walk::begin(sqlite, &definition, seed).await.unwrap();
            let mut mysql = Walk::begin(mysql, &definition, seed).await.unwrap();
            for n in 0..250 {
                memory.step().await.unwrap();
                sqlite.step().await.unwrap();
                mysql.step().await.unwrap();
                // Cursors and incarnations differ between stores; what is said to the caller does not.
                let said = memory.trace.steps.last();
                assert_eq!(sqlite.trace.steps.last(), said, "SQLite: {name}, seed {seed}, step {n}");
                assert_eq!(mysql.trace.steps.last(), said, "MySQL: {name}, seed {seed}, step {n}");
            }
            let events = memory.events().await.unwrap();
            assert_eq!(sqlite.events().await.unwrap(), events, "the same events");
            assert_eq!(mysql.events().await.unwrap(), events, "the same events");
            assert_eq!(mysql.check().await, Ok(()));
            println!("{name}, seed {seed}:\n{}", mysql.trace.summary());
        });
    }
}
