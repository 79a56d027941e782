//! The tables are not there, or not as they should be.

use crate::{
    batches::{Call, change, changes, commit, create, list, put, read, version},
    common::{fresh, options, run, shared},
    database, impatient, open, refused,
};
use grc_core::storage::StorageErrorKind::{self, Corrupt, Unusable};
use grc_mysql::MysqlStore;

/// A store with a stream, and who changes its tables behind its back.
fn made() -> (String, MysqlStore, impl Fn(&str)) {
    let address = fresh(shared());
    let store = open(&address, &options()).unwrap();
    commit(&store, create(1, 10)).unwrap();
    put(&store, 1, 10).unwrap();
    let name = database(&address).to_owned();
    (address, store, move |sql: &str| run(shared(), &format!("USE {name}; {sql}")))
}

#[test]
fn tables_are_not_made_by_chance_and_not_used_if_they_are_newer() {
    let address = fresh(shared());
    let old = impatient().create(false);
    let error = open(&address, &old).unwrap_err();
    refused(&error, &address, Unusable, &["there is no store", "check the address", "`create`"]);
    let (address, store, sql) = made();
    drop(store);
    sql("UPDATE grc_schema SET version = 99");
    for options in [old.clone(), options()] {
        let error = open(&address, &options).unwrap_err();
        refused(&error, &address, Unusable, &["newer version", "99", "knows 1", "backup"]);
    }
    sql("UPDATE grc_schema SET version = 1");
    assert_eq!(version(&open(&address, &old).unwrap(), 1), 1);
    let error = open(&crate::common::fresh(shared()), &old).unwrap_err();
    assert_eq!(error.kind(), Unusable);
}

const LOAD: Call = |store| read(store, 1).map(|_| ());
const LIST: Call = |store| list(store).map(|_| ());
const FEED: Call = |store| changes(store).map(|_| ());
const COMMIT: Call = |store| commit(store, change(1, 2));

#[test]
fn what_was_changed_behind_its_back_is_told_and_mended() {
    let damaged = ["cannot be read", "restore a backup"];
    let altered = ["not as this library made", "restore a backup"];
    let rows: &[(&str, &str, Call, StorageErrorKind, &[&str])] = &[
        (
            "RENAME TABLE grc_vault TO away",
            "RENAME TABLE away TO grc_vault",
            LOAD,
            Unusable,
            &["a table is missing", "restore a backup"],
        ),
        (
            "RENAME TABLE grc_stream TO away",
            "RENAME TABLE away TO grc_stream",
            COMMIT,
            Unusable,
            &["a table is missing"],
        ),
        (
            "RENAME TABLE grc_change TO away",
            "RENAME TABLE away TO grc_change",
            FEED,
            Unusable,
            &["a table is missing"],
        ),
        (
            "UPDATE grc_stream SET f_state = 'No Word!'",
            "UPDATE grc_stream SET f_state = 'new'",
            LOAD,
            Corrupt,
            &["a word", "restore a backup"],
        ),
        (
            "UPDATE grc_stream SET f_state = 'No Word!'",
            "UPDATE grc_stream SET f_state = 'new'",
            LIST,
            Corrupt,
            &["a word", "restore a backup"],
        ),
        (
            "UPDATE grc_stream SET birth = x'ff00'",
            "UPDATE grc_stream SET birth = 'rennes'",
            LOAD,
            Corrupt,
            &["UTF-8", "restore a backup"],
        ),
        ("UPDATE grc_change SET touched = 'x'", "", FEED, Corrupt, &["the feed", "restore a backup"]),
        (
            "ALTER TABLE grc_stream MODIFY version VARBINARY(20) NOT NULL",
            "ALTER TABLE grc_stream MODIFY version BIGINT UNSIGNED NOT NULL",
            LOAD,
            Corrupt,
            &damaged,
        ),
        (
            "ALTER TABLE grc_stream MODIFY fold BIGINT UNSIGNED NULL; UPDATE grc_stream SET fold = NULL",
            "UPDATE grc_stream SET fold = 1",
            LOAD,
            Corrupt,
            &damaged,
        ),
        (
            "ALTER TABLE grc_stream CHANGE head hat BINARY(32) NOT NULL",
            "ALTER TABLE grc_stream CHANGE hat head BINARY(32) NOT NULL",
            LOAD,
            Unusable,
            &altered,
        ),
        (
            "ALTER TABLE grc_stream MODIFY head VARBINARY(32) NOT NULL; UPDATE grc_stream SET head = 'short'",
            "",
            LOAD,
            Corrupt,
            &["wrong length", "restore a backup"],
        ),
        (
            "ALTER TABLE grc_change ADD more INT NOT NULL",
            "ALTER TABLE grc_change DROP more",
            COMMIT,
            Unusable,
            &altered,
        ),
        (
            "ALTER TABLE grc_stream ADD CONSTRAINT low CHECK (version < 3)",
            "ALTER TABLE grc_stream DROP CONSTRAINT low",
            COMMIT,
            Unusable,
            &altered,
        ),
    ];
    for (damage, mend, call, kind, words) in rows {
        let (address, store, sql) = made();
        call(&open(&address, &options()).unwrap()).map_or_else(|error| panic!("{damage}: {error}"), drop);
        let again = if *call as usize == COMMIT as usize { 2 } else { 1 };
        let call: Call = if again == 2 { |store| commit(store, change(1, 3)) } else { *call };
        sql(damage);
        let error = call(&store).unwrap_err();
        println!("{damage}: {error}");
        refused(&error, &address, *kind, words);
        if !mend.is_empty() {
            sql(mend);
            call(&store).unwrap_or_else(|error| panic!("{mend}: {error}"));
        }
    }
    assert!(rows.len() >= 13);
}

#[test]
fn a_store_that_does_not_know_itself_is_not_opened() {
    for (damage, words) in [
        ("UPDATE grc_meta SET value = 'x' WHERE name = 'incarnation'", "the store's own id cannot be read"),
        ("DROP TABLE grc_meta", "a table is missing"),
        ("ALTER TABLE grc_meta DROP value", "not as this library made"),
        ("ALTER TABLE grc_schema DROP version", "not as this library made"),
    ] {
        let (address, store, sql) = made();
        drop(store);
        sql(damage);
        for options in [options(), options().create(false)] {
            let error = open(&address, &options).unwrap_err();
            let kind = if words.contains("id") { Corrupt } else { Unusable };
            refused(&error, &address, kind, &[words, "restore a backup"]);
        }
    }
}
