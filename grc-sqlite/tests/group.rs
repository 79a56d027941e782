//! Many who write at once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{batch, create, read, row, stream};
use grc_core::storage::{BlobStore, Expect, Step, Store};
use grc_sqlite::{Opened, Options};
use pollster::block_on;
use rusqlite::Connection;
use std::{sync::Barrier, time::Duration};
use tempfile::TempDir;

fn opened() -> (TempDir, Opened) {
    let directory = tempfile::tempdir().unwrap();
    let opened = Options::new().create(true).test(true).open(directory.path().join("town.db")).unwrap();
    (directory, opened)
}

/// Holds the store's lock while others hand in their work, so that the writer takes it all at once.
fn together(directory: &TempDir, n: usize, work: impl Fn(u128) + Sync) {
    let other = Connection::open(directory.path().join("town.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ready = Barrier::new(n + 1);
    std::thread::scope(|scope| {
        for n in 0..n as u128 {
            let (ready, work) = (&ready, &work);
            scope.spawn(move || {
                ready.wait();
                work(n);
            });
        }
        ready.wait();
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("ROLLBACK").unwrap();
    });
}

#[test]
fn each_acknowledged_batch_is_there() {
    let (directory, opened) = opened();
    let store = &*opened.store;
    together(&directory, 16, |thread| {
        for n in 0..20 {
            let n = thread * 1_000 + n;
            assert!(!block_on(store.commit(create(n, n))).unwrap().replayed);
            // What was acknowledged is read at once.
            assert!(read(store, n).is_some());
        }
    });
    let mut batches = Vec::new();
    let mut after = None;
    loop {
        let page = block_on(store.changes(&common::town(), after.as_ref(), 100)).unwrap();
        if page.changes.is_empty() {
            break;
        }
        batches.extend(page.changes.iter().map(|change| change.batch));
        after = Some(page.next);
    }
    assert_eq!(batches.len(), 320);
    batches.sort();
    batches.dedup();
    assert_eq!(batches.len(), 320, "each batch is in the feed once");
}

#[test]
fn a_batch_that_fails_does_not_hurt_its_group() {
    let (directory, opened) = opened();
    let store = &*opened.store;
    block_on(store.commit(create(9_999, 9_999))).unwrap();
    together(&directory, 32, |n| {
        if n % 4 == 0 {
            // Writes much, and fails at its last step.
            let put = Step::PutVault { stream: stream(9_999), part: 7, bytes: vec![1; 10_000] };
            let late = Step::PutStream { row: row(9_999, 3), expect: Expect::Version(2) };
            let error = block_on(store.commit(create(n, n).with(put).with(late))).unwrap_err();
            assert!(error.conflict_on().is_some(), "{error}");
        } else {
            block_on(store.commit(create(n, n))).unwrap();
        }
    });
    for n in 0..32 {
        assert_eq!(read(store, n).is_some(), n % 4 != 0, "{n}");
    }
    assert!(read(store, 9_999).unwrap().vault.is_empty());
}

#[test]
fn the_same_batch_from_many_is_applied_once() {
    let (directory, opened) = opened();
    let store = &*opened.store;
    let fresh = std::sync::atomic::AtomicU32::new(0);
    together(&directory, 16, |_| {
        if !block_on(store.commit(create(1, 1))).unwrap().replayed {
            fresh.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    assert_eq!(fresh.into_inner(), 1);
    assert!(block_on(store.commit(create(1, 1))).unwrap().replayed);
}

#[test]
fn one_of_many_who_expect_the_same_wins() {
    let (directory, opened) = opened();
    let store = &*opened.store;
    block_on(store.commit(create(500, 1))).unwrap();
    let won = std::sync::atomic::AtomicU32::new(0);
    together(&directory, 16, |n| {
        let put = Step::PutStream { row: row(1, 2), expect: Expect::Version(1) };
        match block_on(store.commit(batch(n).with(put))) {
            Ok(_) => _ = won.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            Err(error) => assert!(error.conflict_on().is_some(), "{error}"),
        }
    });
    assert_eq!(won.into_inner(), 1);
}

#[test]
fn blobs_and_commits_share_a_group() {
    let (directory, opened) = opened();
    let store = &*opened.store;
    let id = |n| grc_core::BlobId::from_uuid(uuid::Uuid::from_u128(n));
    let at = grc_core::Moment::EPOCH;
    together(&directory, 16, |n| {
        block_on(store.put(&common::town(), id(n), 0, at, vec![7; 65_536])).unwrap();
        block_on(store.commit(create(n, n))).unwrap();
    });
    for n in 0..16 {
        assert_eq!(block_on(store.get(&common::town(), id(n), 0)).unwrap(), Some(vec![7; 65_536]));
        assert!(read(store, n).is_some());
    }
}

#[test]
fn what_was_handed_in_is_done_before_the_store_is_closed() {
    let (directory, opened) = opened();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let store = opened.store.clone();
            scope.spawn(move || match block_on(store.commit(create(n, n))) {
                Ok(_) => {}
                Err(error) => assert!(error.to_string().contains("closed"), "{error}"),
            });
        }
        opened.store.close();
    });
    drop(opened);
    let again = Options::new().open(directory.path().join("town.db")).unwrap();
    // Each is there whole, or not at all.
    for n in 0..8 {
        let range = grc_core::storage::EventRange {
            stream: stream(n),
            log: grc_core::storage::Log::History,
            after: 0,
            limit: 10,
        };
        let events = block_on(again.store.events(&range)).unwrap();
        assert_eq!(read(&*again.store, n).is_some(), events.len() == 1);
    }
}
