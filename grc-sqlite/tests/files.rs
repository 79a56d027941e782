//! What can be wrong with files, and what is said of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{batch, create, read, row, stream, town};
use grc_core::{
    Moment,
    storage::{BlobStore, Expect, Retry, Step, StorageError, StorageErrorKind, Store},
    vault::Keyring,
};
use grc_sqlite::{Durability, Opened, Options, SqliteKeyring};
use pollster::block_on;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("town.db");
    (directory, path)
}

fn options() -> Options {
    Options::new().create(true).test(true).durability(Durability::Relaxed)
}

fn made(path: &Path) -> Opened {
    options().open(path).unwrap()
}

/// A store with something in it, closed.
fn filled(path: &Path) {
    block_on(made(path).store.commit(create(1, 1))).unwrap();
}

#[track_caller]
fn refused(result: Result<Opened, StorageError>, kind: StorageErrorKind, words: &[&str]) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

const UNUSABLE: StorageErrorKind = StorageErrorKind::Unusable;

#[test]
fn nothing_is_made_without_being_asked() {
    let (directory, path) = place();
    refused(Options::new().open(&path), UNUSABLE, &["town.db", "there is no store", "`create`"]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    std::fs::write(&path, b"").unwrap();
    refused(Options::new().open(&path), UNUSABLE, &["town.db", "empty", "`create`"]);
    refused(options().open(directory.path().join("no/town.db")), UNUSABLE, &["no/town.db", "directory"]);
    refused(options().open(directory.path()), UNUSABLE, &["is a directory"]);
    refused(
        options().open(directory.path().join("town.keys")),
        UNUSABLE,
        &["town.keys", "path of the store"],
    );
}

#[test]
fn other_files_are_refused() {
    let (_directory, path) = place();
    std::fs::write(&path, "not a database, but long enough to have a header of a hundred bytes. ".repeat(20))
        .unwrap();
    refused(options().open(&path), UNUSABLE, &["town.db", "not an SQLite database", "check the path"]);

    let (_directory, path) = place();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    refused(options().open(&path), UNUSABLE, &["town.db", "not a store file of this library"]);

    let (_directory, path) = place();
    filled(&path);
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    refused(options().open(&path), UNUSABLE, &["town.db", "newer version", "99", "backup"]);

    // A store is no keyring.
    let (_directory, path) = place();
    filled(&path);
    std::fs::copy(&path, path.with_extension("keys")).unwrap();
    refused(options().open(&path), UNUSABLE, &["town.keys", "not a keys file of this library"]);
}

#[test]
fn a_damaged_file_is_not_written() {
    let (_directory, path) = place();
    filled(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[4_096..] {
        *byte = 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    refused(options().open(&path), StorageErrorKind::Corrupt, &["town.db", "damaged", "backup"]);
}

#[test]
fn a_read_only_file_is_refused_when_it_is_opened() {
    let (_directory, path) = place();
    filled(&path);
    for file in [path.clone(), path.with_extension("keys")] {
        let rights = file.metadata().unwrap().permissions();
        let mut narrow = rights.clone();
        narrow.set_readonly(true);
        std::fs::set_permissions(&file, narrow).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        refused(options().open(&path), UNUSABLE, &[&name, "read-only", "right to write"]);
        std::fs::set_permissions(&file, rights).unwrap();
    }
    assert!(read(&*made(&path).store, 1).is_some());
}

#[test]
fn keys_are_never_made_anew_for_a_store_with_rows() {
    let (_directory, path) = place();
    let keys = path.with_extension("keys");
    drop(made(&path));
    std::fs::remove_file(&keys).unwrap();
    // Nothing is lost: there is nothing in it yet.
    filled(&path);
    std::fs::remove_file(&keys).unwrap();
    refused(options().open(&path), UNUSABLE, &["town.keys", "missing", "put the keys file back"]);
    assert!(!keys.exists());

    // The keys of another store.
    let (_other, other) = place();
    filled(&other);
    std::fs::copy(other.with_extension("keys"), &keys).unwrap();
    refused(options().open(&path), UNUSABLE, &["town.keys", "of another store", "right keys"]);

    // Keys without their store.
    std::fs::remove_file(&path).unwrap();
    refused(options().open(&path), UNUSABLE, &["town.keys", "put the store back"]);
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, path) = place();
    let opened = made(&path);
    block_on(opened.store.commit(create(1, 1))).unwrap();
    block_on(opened.keyring.destroy(&[grc_core::KeyId::from_uuid(uuid::Uuid::max())])).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().to_string_lossy().into_owned());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{names:?}");
    }
    names.sort();
    assert_eq!(names, ["town.db", "town.db-shm", "town.db-wal", "town.keys", "town.keys-journal"]);
    drop(opened);
    assert!(!path.with_extension("db-wal").exists(), "a closed store is one file");
}

#[test]
fn a_lock_is_waited_for_and_then_said() {
    let (_directory, path) = place();
    let opened = options().busy_timeout(Duration::from_millis(50)).open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = block_on(opened.store.commit(create(1, 1))).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Unavailable, Retry::Same));
    assert!(error.to_string().contains("locked"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(!block_on(opened.store.commit(create(1, 1))).unwrap().replayed);

    let keys = Connection::open(path.with_extension("keys")).unwrap();
    keys.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = block_on(opened.keyring.epoch()).unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("locked"), "{error}");
    let error = SqliteKeyring::open(
        path.with_extension("keys"),
        &Options::new().busy_timeout(Duration::from_millis(20)),
    )
    .unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}

#[test]
fn a_full_disk_leaves_all_or_nothing() {
    let (_directory, path) = place();
    let opened = made(&path);
    block_on(opened.store.commit(create(1, 1))).unwrap();
    drop(opened);
    let pages = u32::try_from(path.metadata().unwrap().len() / 4_096).unwrap();
    let mut applied = 0;
    for more in 0..40 {
        // Each try needs some thirty pages, and stops at another one.
        let id = 100 + u128::from(more);
        let mut large = create(id, id);
        for part in 0..3 {
            large.push(Step::PutVault { stream: stream(id), part, bytes: vec![7; 40_000] });
        }
        let opened = options().max_pages(pages + more).open(&path).unwrap();
        match block_on(opened.store.commit(large.clone())) {
            Ok(_) => {
                applied += 1;
                assert_eq!(read(&*opened.store, id).unwrap().vault.len(), 3);
                break;
            }
            Err(error) => {
                assert_eq!((error.kind(), error.retry()), (StorageErrorKind::Unavailable, Retry::Same));
                assert!(error.to_string().contains("the disk is full"), "{error}");
                assert!(read(&*opened.store, id).is_none());
                assert!(read(&*opened.store, 1).is_some());
            }
        }
        let put = block_on(opened.store.put(
            &town(),
            grc_core::BlobId::from_uuid(uuid::Uuid::max()),
            0,
            Moment::EPOCH,
            vec![1; 1 << 20],
        ));
        assert_eq!(put.unwrap_err().kind(), StorageErrorKind::Unavailable);
    }
    assert_eq!(applied, 1, "with enough pages it is applied");
}

#[test]
fn two_handles_share_a_store() {
    let (_directory, path) = place();
    let (one, two) = (made(&path), made(&path));
    assert_eq!(one.store.info(), two.store.info());
    assert!(one.store.info().test);
    let writers = [(&one, 0), (&two, 1_000)].map(|(opened, base)| {
        let opened = opened.clone();
        std::thread::spawn(move || {
            for n in 0..100 {
                block_on(opened.store.commit(create(base + n, base + n))).unwrap();
            }
        })
    });
    for writer in writers {
        writer.join().unwrap();
    }
    for n in (0..100).chain(1_000..1_100) {
        assert!(read(&*one.store, n).is_some() && read(&*two.store, n).is_some());
    }
    // Of two that expect the same, one wins.
    let next = |id| batch(id).with(Step::PutStream { row: row(5, 2), expect: Expect::Version(1) });
    block_on(one.store.commit(next(5_001))).unwrap();
    assert!(block_on(two.store.commit(next(5_002))).unwrap_err().conflict_on().is_some());
}

#[test]
fn a_closed_store_says_so() {
    let (_directory, path) = place();
    let opened = made(&path);
    opened.store.close();
    let error = block_on(opened.store.commit(create(1, 1))).unwrap_err();
    assert_eq!(error.kind(), UNUSABLE);
    assert!(error.to_string().contains("closed"), "{error}");
}

#[test]
fn many_may_make_the_same_file_at_once() {
    for _ in 0..40 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("town.db");
        let ids: Vec<_> = std::thread::scope(|scope| {
            let open =
                || Options::new().create(true).open(&path).map(|opened| opened.store.info().incarnation);
            let openers: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            openers.into_iter().map(|opener| opener.join().unwrap().unwrap()).collect()
        });
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "one file, whoever made it: {ids:?}");
    }
}
