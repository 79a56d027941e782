//! What was dropped is not in the store's files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod disk;

use common::{batch, create, read, stream, town};
use disk::on_disk;
use grc_core::{
    Moment,
    storage::{BlobStore, Step, Store},
};
use grc_sqlite::{Durability, Options};
use pollster::block_on;
use rusqlite::Connection;
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("town.db");
    (directory, path)
}

fn options() -> Options {
    Options::new().create(true).test(true).durability(Durability::Relaxed)
}

#[test]
fn dropped_bytes_are_in_no_file_after_a_scrub() {
    let (directory, path) = place();
    let opened = options().open(&path).unwrap();
    let secret = |n: u128| format!("secret-{n:06}-").repeat(20).into_bytes();
    for n in 0..300 {
        let put = Step::PutVault { stream: stream(n * 7_919 % 300), part: 0, bytes: secret(n) };
        block_on(opened.store.commit(create(n, n).with(put))).unwrap();
    }
    let blob = grc_core::BlobId::from_uuid(uuid::Uuid::from_u128(5));
    block_on(opened.store.put(&town(), blob, 0, Moment::EPOCH, b"the bytes of an attachment".repeat(900)))
        .unwrap();
    for n in (0..300).filter(|n| n % 3 != 0) {
        let drop = Step::DropVault { stream: stream(n * 7_919 % 300), parts: vec![0] };
        block_on(opened.store.commit(batch(10_000 + n).with(drop))).unwrap();
    }
    block_on(opened.store.remove(&town(), blob)).unwrap();
    let report = block_on(opened.store.scrub()).unwrap();
    assert_eq!((report.done.len(), report.could_not.len()), (2, 0), "{report:?}");
    for n in 0..300 {
        let at = n * 7_919 % 300;
        assert_eq!(read(&*opened.store, at).unwrap().vault.get(&0), (n % 3 == 0).then(|| secret(n)).as_ref());
    }
    let disk = on_disk(directory.path());
    for n in 0..300 {
        let found = secret(n).windows(12).all(|stretch| disk.contains(stretch));
        assert_eq!(found, n % 3 == 0, "{n}");
        // The number is in the middle of each of these.
        assert!(found || !disk.contains(&secret(n)[4..16]), "{n}");
    }
    assert!(!disk.contains(&b"an attachment"[..12]));
}

#[test]
fn a_scrub_says_what_it_could_not_do() {
    let (_directory, path) = place();
    let opened = options().busy_timeout(Duration::from_millis(50)).open(&path).unwrap();
    block_on(opened.store.commit(create(1, 1))).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN; SELECT count(*) FROM stream").unwrap();
    block_on(opened.store.commit(create(2, 2))).unwrap();
    let report = block_on(opened.store.scrub()).unwrap();
    assert!(report.could_not.iter().any(|line| line.contains("log was not cut")), "{report:?}");
    other.execute_batch("COMMIT").unwrap();
    assert!(block_on(opened.store.scrub()).unwrap().could_not.is_empty());
}
