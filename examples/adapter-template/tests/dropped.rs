//! What was dropped is in the file until a scrub, as `info` says, and in no file after it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{batch, create, made, place, read, stream, town};
use grc_core::{
    BlobId, Moment,
    storage::{BlobStore, Step, Store},
};
use pollster::block_on;
use std::{collections::BTreeSet, path::Path};
use uuid::Uuid;

const ROWS: u128 = 300;

fn secret(n: u128) -> Vec<u8> {
    format!("secret-{n:06}-").repeat(20).into_bytes()
}

/// The numbers of the secrets of which something is in any file of a directory.
fn on_disk(directory: &Path) -> BTreeSet<u128> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        let numbers = file.windows(13).filter_map(|window| window.strip_prefix(b"secret-"));
        found.extend(numbers.filter_map(|number| std::str::from_utf8(number).ok()?.parse::<u128>().ok()));
    }
    found
}

#[test]
fn dropped_bytes_are_in_no_file_after_a_scrub() {
    let (directory, path) = place();
    let store = made(&path);
    let of = |n: u128| stream(n * 7_919 % ROWS);
    for n in 0..ROWS {
        let put = Step::PutVault { stream: of(n), part: 0, bytes: secret(n) };
        block_on(store.commit(create(n, n * 7_919 % ROWS).with(put))).unwrap();
    }
    let blob = BlobId::from_uuid(Uuid::from_u128(5));
    block_on(store.put(&town(), blob, 0, Moment::EPOCH, secret(999_999).repeat(100))).unwrap();
    let (kept, gone): (BTreeSet<u128>, BTreeSet<u128>) = (0..ROWS).partition(|n| n % 3 == 0);
    let mut last = batch(10_000);
    for n in &gone {
        last.push(Step::DropVault { stream: of(*n), parts: vec![0] });
    }
    block_on(store.commit(last)).unwrap();
    block_on(store.remove(&town(), blob)).unwrap();

    let before = on_disk(directory.path());
    assert!(before.is_superset(&kept), "what lives is found by this test");
    println!("dropped, and in the file still: {} of {}", before.intersection(&gone).count(), gone.len());
    assert!(before.intersection(&gone).count() > 0, "if nothing were left, `info` would say too little");

    let report = block_on(store.scrub()).unwrap();
    assert_eq!((report.done.len(), report.could_not.len()), (1, 0), "{report:?}");
    assert_eq!(on_disk(directory.path()), kept);
    let still = |store: &dyn Store, n: u128| read(store, n * 7_919 % ROWS).unwrap().vault.get(&0).cloned();
    for n in 0..ROWS {
        assert_eq!(still(&store, n), kept.contains(&n).then(|| secret(n)));
    }
    // The new file has the old one's name, and is written from now on.
    block_on(store.commit(create(20_000, 20_000))).unwrap();
    drop(store);
    let again = made(&path);
    assert!(read(&again, 20_000).is_some() && still(&again, 0).is_some());
}
