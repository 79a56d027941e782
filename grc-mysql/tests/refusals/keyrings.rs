//! The keys are not there, or are another store's.

use crate::{
    common::{fresh, options, run, shared},
    database, impatient, keyring_refused, open,
};
use grc_core::{Grc, GrcError, Stores, vault::Keyring};
use grc_mysql::{MysqlKeyring, Options};
use grc_sqlite::SqliteKeyring;
use pollster::block_on;
use std::sync::Arc;

fn keyring(address: &str, options: &Options) -> Result<MysqlKeyring, grc_core::vault::KeyringError> {
    block_on(options.open_keyring(address))
}

#[test]
fn keys_are_never_made_anew_by_chance() {
    let address = fresh(shared());
    let old = impatient().create(false);
    let words = ["there is no keyring", "check the address", "`create`"];
    keyring_refused(&keyring(&address, &old).unwrap_err(), &address, false, &words);
    // A store is no keyring.
    drop(open(&address, &options()).unwrap());
    keyring_refused(&keyring(&address, &old).unwrap_err(), &address, false, &words);
    let other = fresh(shared());
    drop(keyring(&other, &options()).unwrap());
    drop(keyring(&other, &old).unwrap());
    run(shared(), &format!("UPDATE {}.grc_schema SET version = 99", database(&other)));
    let words = ["the keyring in", "newer version", "99"];
    keyring_refused(&keyring(&other, &old).unwrap_err(), &other, false, &words);

    let directory = tempfile::tempdir().unwrap();
    let missing =
        SqliteKeyring::open(directory.path().join("keys"), &grc_sqlite::Options::new()).unwrap_err();
    assert!(!missing.is_unavailable(), "{missing}");
    println!("{missing}");
}

#[test]
fn the_keys_of_another_store_are_refused_and_the_right_ones_are_not() {
    let address = fresh(shared());
    let keys = [fresh(shared()), fresh(shared())];
    let directory = tempfile::tempdir().unwrap();
    let with = |keyring: Arc<dyn Keyring>| {
        let stores: Stores = block_on(options().open(&address, keyring)).unwrap();
        block_on(Grc::open(stores)).map(|_| ())
    };
    let mysql = |n: usize| -> Arc<dyn Keyring> { Arc::new(keyring(&keys[n], &options()).unwrap()) };
    with(mysql(0)).unwrap();
    let file = SqliteKeyring::open(directory.path().join("keys"), &grc_sqlite::Options::new().create(true));
    for other in [mysql(1), Arc::new(file.unwrap())] {
        let error = with(other).unwrap_err();
        assert!(matches!(error, GrcError::KeyringForeign), "{error}");
        assert!(error.to_string().contains("give the keys that were made with this store"), "{error}");
    }
    with(mysql(0)).unwrap();
}

#[test]
fn a_keyring_that_is_damaged_says_so() {
    let address = fresh(shared());
    let open = keyring(&address, &options()).unwrap();
    let sql = |sql: &str| run(shared(), &format!("USE {}; {sql}", database(&address)));
    sql("DELETE FROM grc_keyring");
    keyring_refused(
        &block_on(open.epoch()).unwrap_err(),
        &address,
        false,
        &["the keyring has no id", "backup"],
    );
    sql("DROP TABLE grc_keyring");
    keyring_refused(&block_on(open.epoch()).unwrap_err(), &address, false, &["a table is missing", "backup"]);
    block_on(open.close());
    keyring_refused(&block_on(open.epoch()).unwrap_err(), &address, false, &["was closed", "open it again"]);
}
