//! What can be wrong with the file, and what is said of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use adapter_template::{Options, RedbStore};
use common::{create, made, options, place, read};
use grc_core::storage::{Retry, StorageError, StorageErrorKind, Store};
use pollster::block_on;
use redb::{Database, ReadableDatabase, TableDefinition};
use std::path::Path;
use uuid::Uuid;

const UNUSABLE: StorageErrorKind = StorageErrorKind::Unusable;
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// A store with something in it, closed.
fn filled(path: &Path) {
    block_on(made(path).commit(create(1, 1))).unwrap();
}

#[track_caller]
fn refused(result: Result<RedbStore, StorageError>, kind: StorageErrorKind, words: &[&str]) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn nothing_is_made_without_being_asked() {
    let (directory, path) = place();
    refused(Options::new().open(&path), UNUSABLE, &["town.redb", "there is no store", "`create`"]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    refused(options().open(directory.path().join("no/town.redb")), UNUSABLE, &["no/town.redb", "directory"]);
    refused(options().open(directory.path()), UNUSABLE, &["is a directory"]);
}

#[test]
fn other_files_are_refused_and_left_as_they_are() {
    let (_directory, path) = place();
    let text = "not a database, but longer than any header that a database could have. ".repeat(200);
    std::fs::write(&path, &text).unwrap();
    for options in [Options::new(), options()] {
        refused(options.open(&path), UNUSABLE, &["town.redb", "not a redb database", "check the path"]);
    }
    assert_eq!(std::fs::read(&path).unwrap(), text.as_bytes());

    // An empty file is somebody's: nothing is begun in it.
    let (_directory, path) = place();
    std::fs::write(&path, b"").unwrap();
    refused(options().open(&path), UNUSABLE, &["town.redb", "not a redb database", "check the path"]);

    // Somebody else's database: with other tables, or with one of the same name.
    const THEIRS: TableDefinition<'_, &str, u64> = TableDefinition::new("theirs");
    const SAME: TableDefinition<'_, &str, u64> = TableDefinition::new("rows");
    for table in [THEIRS, SAME] {
        let (_directory, path) = place();
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert("x", 1).unwrap();
        transaction.commit().unwrap();
        drop(database);
        for options in [Options::new(), options()] {
            refused(
                options.open(&path),
                UNUSABLE,
                &["town.redb", "not a store of this library", "check the path"],
            );
        }
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_read().unwrap();
        assert_eq!(transaction.list_tables().unwrap().count(), 1);
    }
}

#[test]
fn a_newer_format_is_refused() {
    let (_directory, path) = place();
    filled(&path);
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(ROWS).unwrap().insert(&b"\0format"[..], &[99][..]).unwrap();
    transaction.commit().unwrap();
    drop(database);
    refused(Options::new().open(&path), UNUSABLE, &["town.redb", "newer version", "99", "backup"]);
}

#[test]
fn a_file_that_is_open_elsewhere_is_refused_until_it_is_closed() {
    let (_directory, path) = place();
    let store = made(&path);
    let error = Options::new().open(&path).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Unavailable, Retry::Same));
    assert!(error.to_string().contains("open in another process"), "{error}");
    store.close();
    let again = Options::new().open(&path).unwrap();
    // What was closed says so, and does not open the file again.
    let error = block_on(store.commit(create(1, 1))).unwrap_err();
    assert!(error.to_string().contains("was closed"), "{error}");
    block_on(again.commit(create(1, 1))).unwrap();
}

#[test]
fn a_making_that_was_cut_short_is_in_nobodys_way() {
    let (directory, path) = place();
    let left = directory.path().join(format!("town.redb.{}", Uuid::from_u128(7).simple()));
    std::fs::write(&left, [0; 8_192]).unwrap();
    filled(&path);
    assert!(!left.exists());
    // Two who begin one store at once have one.
    let (_directory, path) = place();
    let begin = |n| Options::new().create(Uuid::from_u128(n)).open(&path);
    let incarnations: Vec<Uuid> = std::thread::scope(|scope| {
        let both: Vec<_> =
            (1..3).map(|n| scope.spawn(move || begin(n).map(|store| store.info().incarnation))).collect();
        both.into_iter().filter_map(|one| one.join().unwrap().ok()).collect()
    });
    let there = Options::new().open(&path).unwrap().info().incarnation;
    assert!(incarnations.iter().all(|one| *one == there), "{incarnations:?}, {there}");
}

#[test]
fn a_damaged_file_is_refused_by_who_asks_for_a_check() {
    let (_directory, path) = place();
    let store = made(&path);
    for n in 0..50 {
        block_on(store.commit(create(n, n))).unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[4_096..] {
        *byte = 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    refused(
        Options::new().check(true).open(&path),
        StorageErrorKind::Corrupt,
        &["town.redb", "damaged", "backup"],
    );
}

#[test]
fn a_store_keeps_its_incarnation_and_its_mark() {
    let (_directory, path) = place();
    filled(&path);
    let other = Options::new().create(Uuid::from_u128(8));
    let info = other.open(&path).unwrap().info();
    assert_eq!((info.incarnation, info.test), (Uuid::from_u128(7), true));
    let (_directory, path) = place();
    assert!(!other.open(&path).unwrap().info().test);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file_also_after_a_scrub() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = place();
    let store = made(&path);
    for _ in 0..2 {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        block_on(store.scrub()).unwrap();
    }
}

#[test]
fn what_a_killed_scrub_left_is_taken_away() {
    let (directory, path) = place();
    filled(&path);
    let left = directory.path().join("town.redb.scrub");
    std::fs::write(&left, b"a copy that was not finished").unwrap();
    let store = Options::new().open(&path).unwrap();
    assert!(!left.exists());
    assert!(read(&store, 1).is_some());
}
