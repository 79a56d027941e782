//! C-17: the feed; C-18: measures.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, measure, put, refused, row, stream},
};
use crate::{
    TaskId,
    storage::{
        Batch, Change, Cursor, Document, Expect, IndexValue, Step, StorageErrorKind, StreamKey, Touched,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

fn touched(change: &Change) -> BTreeSet<Touched> {
    change.touched.iter().cloned().collect()
}

/// Commits, and gives what the feed says of it.
#[track_caller]
fn told(kit: &Kit, after: &mut Option<Cursor>, batch: Batch) -> BTreeSet<Touched> {
    let id = batch.id();
    kit.ok(batch);
    let (changes, next) = kit.feed(&rows::town(), after.take(), 100);
    *after = Some(next);
    assert_eq!(changes.len(), 1, "C-17: one batch, one change");
    assert_eq!(changes[0].batch, id, "C-17: the change names its batch");
    touched(&changes[0])
}

#[track_caller]
fn names(told: &BTreeSet<Touched>, expected: impl IntoIterator<Item = Touched>) {
    for touched in expected {
        assert!(told.contains(&touched), "C-17: the batch wrote {touched:?}, the feed says {told:?}");
    }
}

pub(super) fn c17_everything_that_a_batch_writes_is_named(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut batch = rows::batch();
    rows::everything(&batch, &key, 1).into_iter().for_each(|step| batch.push(step));
    let link = |kind| Touched::Link(rows::link_key(kind, &[1; 16]));
    let document = |kind, version| Touched::Document(rows::word(kind), rows::word("form-1"), version);
    let told_first = told(&kit, &mut None, batch);
    names(
        &told_first,
        [
            Touched::Stream(key.clone(), 1),
            Touched::Events(key.clone(), 2),
            Touched::Vault(key.clone(), 0),
            Touched::Vault(key.clone(), 7),
            link("tracking"),
            link("contact.email"),
            Touched::Task("queue 1".to_owned(), TaskId::from_uuid(rows::uuid(1))),
            document("procedure", 1),
            document("keyring", 9),
            Touched::Receipt([1; 16]),
            Touched::Access(key),
        ],
    );
}

pub(super) fn c17_everything_that_a_batch_drops_is_named(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut batch = rows::batch();
    rows::everything(&batch, &key, 1).into_iter().for_each(|step| batch.push(step));
    batch.push(Step::Schedule(rows::task(2, "other", &key)));
    let mut after = None;
    told(&kit, &mut after, batch);
    let held = kit.claim(100, 200, 10);
    let claimed = kit.feed(&rows::town(), after.clone(), 10).0;
    assert!(claimed.is_empty(), "C-17: a claim is no batch, and not in the feed");
    let other = held.iter().find(|task| task.queue == "other").unwrap();
    let batch = rows::batch()
        .with(Step::DropVault { stream: key.clone(), parts: vec![7] })
        .with(Step::DropLink { key: rows::link_key("tracking", &[1; 16]), stream: key.clone() })
        .with(Step::DropLinks { stream: key.clone(), prefix: "contact.".to_owned() })
        .with(Step::Finish(other.reference()))
        .with(Step::Cancel { stream: key.clone(), kinds: vec![rows::word("remind")] })
        .with(Step::DropDocument { kind: rows::word("procedure"), name: rows::word("form-1"), version: 1 });
    let told_last = told(&kit, &mut after, batch);
    names(
        &told_last,
        [
            Touched::Vault(key.clone(), 7),
            Touched::Link(rows::link_key("tracking", &[1; 16])),
            Touched::Links(key.clone(), "contact.".to_owned()),
            Touched::Task("other".to_owned(), other.id),
            Touched::Tasks(key),
            Touched::Document(rows::word("procedure"), rows::word("form-1"), 0),
        ],
    );
}

pub(super) fn c17_measure_and_index_rows_are_named_with_their_stream(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut after = None;
    told(&kit, &mut after, rows::create(&key));
    let alone = told(&kit, &mut after, rows::batch().with(measure(&key, b"m")));
    names(&alone, [Touched::Stream(key.clone(), 1)]);
    let alone = told(&kit, &mut after, rows::batch().with(rows::index(&key, "f", &[IndexValue::Number(1)])));
    names(&alone, [Touched::Stream(key.clone(), 1)]);
    let first = rows::batch().with(measure(&key, b"n")).with(put(row(&key, 2), Expect::Version(1)));
    names(&told(&kit, &mut after, first), [Touched::Stream(key, 2)]);
}

pub(super) fn c17_release_and_raise_are_named(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut after = None;
    told(&kit, &mut after, rows::batch().with(Step::Schedule(rows::task(1, "q", &key))));
    let held = kit.claim(100, 200, 1).remove(0);
    let release =
        Step::Release { task: held.reference(), due: rows::at(900), dead: false, code: None, attempts: None };
    let raise =
        Step::RaiseDocument(Document { kind: rows::word("keyring"), ..rows::document("main", 4, b"") });
    let told = told(&kit, &mut after, rows::batch().with(release).with(raise));
    names(
        &told,
        [
            Touched::Task("q".to_owned(), held.id),
            Touched::Document(rows::word("keyring"), rows::word("main"), 4),
        ],
    );
}

pub(super) fn c17_a_batch_that_changes_nothing_is_there_too(on: On) {
    let kit = Kit::open(on);
    let mut after = None;
    let raise = |version| {
        Step::RaiseDocument(Document { kind: rows::word("keyring"), ..rows::document("main", version, b"") })
    };
    told(&kit, &mut after, rows::batch().with(raise(4)));
    let compare = Step::Current { kind: rows::word("keyring"), name: rows::word("main"), version: 4 };
    // `told` asserts that the batch is there; there is nothing that it could name.
    for step in [compare, raise(3), raise(4)] {
        let told = told(&kit, &mut after, rows::batch().with(step));
        assert!(told.is_empty(), "C-17: nothing was written, the feed says {told:?}");
    }
}

pub(super) fn c17_each_batch_once_in_order(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut ids = Vec::new();
    for version in 1..=12u64 {
        let expect = if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
        let batch = rows::batch().with(put(row(&key, version), expect));
        ids.push(batch.id());
        kit.ok(batch.clone());
        assert!(kit.settle(batch).unwrap().replayed, "C-03: a replay");
        assert!(
            kit.settle(rows::batch().with(put(row(&key, 99), Expect::Version(98)))).is_err(),
            "C-04: a conflict"
        );
    }
    for limit in [1, 2, 5, 12, 1_000] {
        let (changes, _) = kit.feed(&rows::town(), None, limit);
        let told: Vec<_> = changes.iter().map(|change| change.batch).collect();
        assert_eq!(told, ids, "C-17: each batch once, replays and refused ones not at all, pages of {limit}");
    }
}

pub(super) fn c17_end_of_the_feed_is_a_place_to_go_on(on: On) {
    let kit = Kit::open(on);
    let town = rows::town();
    let (none, mut end) = kit.feed(&town, None, 10);
    assert!(none.is_empty(), "C-17: the feed of an empty store is empty, and has a cursor");
    for n in 1..=4 {
        let batch = rows::create(&stream(n));
        let id = batch.id();
        kit.ok(batch);
        let text = end.to_string();
        let (changes, next) = kit.feed(&town, Some(text.parse().unwrap()), 10);
        let told: Vec<_> = changes.iter().map(|change| change.batch).collect();
        assert_eq!(told, [id], "C-17: from the end on, exactly what came after it");
        end = next;
        assert!(kit.feed(&town, Some(end.clone()), 10).0.is_empty(), "C-17: and nothing again");
    }
}

pub(super) fn c17_cursor_of_another_store_is_refused(on: On) {
    let (one, two) = (Kit::open(on), Kit::open(on));
    assert_ne!(
        one.store.info().incarnation,
        two.store.info().incarnation,
        "C-17: each store is made with an incarnation of its own"
    );
    for kit in [&one, &two] {
        kit.ok(rows::create(&stream(1)));
    }
    let (_, foreign) = one.feed(&rows::town(), None, 10);
    let result = two.block_on(two.store.changes(&rows::town(), Some(&foreign), 10));
    refused(result, StorageErrorKind::Unsupported, "C-17: what follows another store must read all again");
    let mut short = foreign.as_bytes().to_vec();
    short.pop();
    for bad in [short, Vec::new(), vec![0; 200]] {
        let cursor = Cursor::from_bytes(bad);
        let result = one.block_on(one.store.changes(&rows::town(), Some(&cursor), 10));
        refused(result, StorageErrorKind::Unsupported, "C-14: this cursor is damaged");
    }
}

pub(super) fn c17_follower_misses_nothing_while_others_write(on: On) {
    const WRITERS: usize = 4;
    const EACH: u64 = 20;
    let kit = Kit::open(on);
    let writing = AtomicUsize::new(WRITERS);
    let (followed, written) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (kit, writing) = (&kit, &writing);
                scope.spawn(move || {
                    let key = stream(u128::try_from(writer).unwrap() + 1);
                    let mut ids = Vec::new();
                    for version in 1..=EACH {
                        let expect = if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
                        let batch = rows::batch().with(put(row(&key, version), expect));
                        ids.push(batch.id());
                        let result = kit.settle(batch);
                        if result.is_err() {
                            writing.fetch_sub(1, Ordering::SeqCst);
                        }
                        assert!(result.is_ok(), "C-04: a stream's only writer does not lose: {result:?}");
                    }
                    writing.fetch_sub(1, Ordering::SeqCst);
                    ids
                })
            })
            .collect();
        let follower = scope.spawn(|| {
            let mut all = Vec::new();
            let mut after = None;
            loop {
                // Looked at before reading: what was committed by then must be in this reading or an earlier one.
                let last = writing.load(Ordering::SeqCst) == 0;
                let (changes, next) = kit.feed(&rows::town(), after, 3);
                all.extend(changes);
                after = Some(next);
                if last {
                    return all;
                }
                std::thread::yield_now();
            }
        });
        let written: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        (follower.join().unwrap(), written)
    });
    let ids: BTreeSet<_> = followed.iter().map(|change| change.batch).collect();
    assert_eq!(ids.len(), followed.len(), "C-17: each batch once");
    assert_eq!(ids, written.into_iter().collect(), "C-17: a reader that follows the feed misses nothing");
    let mut versions: BTreeMap<StreamKey, u64> = BTreeMap::new();
    for touched in followed.iter().flat_map(|change| &change.touched) {
        if let Touched::Stream(key, version) = touched {
            let last = versions.insert(key.clone(), *version).unwrap_or(0);
            assert_eq!(last + 1, *version, "C-17: the order of the feed agrees with each stream's versions");
        }
    }
}

pub(super) fn c18_each_measure_once_over_all_pages(on: On) {
    let kit = Kit::open(on);
    let mut keys: Vec<StreamKey> = (1..=7).map(stream).collect();
    // The same id under another kind is another stream.
    keys.push(StreamKey::new(rows::town(), rows::word("asset"), rows::uuid(3)));
    keys.push(StreamKey::new(rows::town(), rows::word("intervention"), rows::uuid(3)));
    let expected: BTreeMap<StreamKey, Vec<u8>> =
        (0u8..).zip(&keys).map(|(n, key)| (key.clone(), vec![n; usize::from(n)])).collect();
    for (key, bytes) in &expected {
        kit.ok(rows::create(key).with(measure(key, bytes)));
    }
    for limit in [1, 2, 3, 8, 9, 10, 1_000] {
        let found = kit.measures(&rows::town(), limit);
        assert_eq!(found.len(), expected.len(), "C-18: each once, in pages of {limit}");
        let found: BTreeMap<_, _> = found.into_iter().collect();
        assert_eq!(found, expected, "C-18: each as it was written, in pages of {limit}");
    }
}

pub(super) fn c18_measure_is_written_over(on: On) {
    let kit = Kit::open(on);
    assert!(kit.measures(&rows::town(), 10).is_empty(), "C-18: an empty store has no measures");
    for n in 1..=3 {
        kit.ok(rows::batch().with(measure(&stream(n), b"first")));
    }
    kit.ok(rows::batch().with(measure(&stream(2), b"second")));
    let found: Vec<Vec<u8>> = kit.measures(&rows::town(), 2).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(found.len(), 3, "C-18: one row a stream");
    assert_eq!(found.iter().filter(|bytes| *bytes == b"second").count(), 1, "C-18: the newest bytes");
}

pub(super) fn c18_rows_written_between_pages_hide_no_others(on: On) {
    let kit = Kit::open(on);
    for n in 1..=10 {
        kit.ok(rows::batch().with(measure(&stream(n * 10), b"old")));
    }
    let town = rows::town();
    let mut found = Vec::new();
    let mut after: Option<Cursor> = None;
    for step in 1..100u128 {
        let page = kit.block_on(kit.store.measures(&town, after.as_ref(), 2)).unwrap();
        found.extend(page.rows.into_iter().map(|(key, _)| key.id.as_u128()));
        kit.ok(rows::batch()
            .with(measure(&stream(step % 10 + 1), b"new"))
            .with(measure(&stream((step % 10 + 1) * 10), b"new"))
            .with(measure(&stream(step % 10 + 95), b"new")));
        match page.next {
            None => break,
            next => after = next,
        }
    }
    let mut old: Vec<u128> = found.into_iter().filter(|n| n % 10 == 0).collect();
    old.sort_unstable();
    let expected: Vec<u128> = (1..=10).map(|n| n * 10).collect();
    assert_eq!(old, expected, "C-18: each row that was there throughout, once");
}
