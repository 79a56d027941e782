//! C-19: limits.

use super::{
    erased::On,
    harness::{Kit, done},
    rows::{self, refused, stream, vault},
    seen::Seen,
    tasks::{apart, with_tasks},
};
use crate::{
    BlobId,
    storage::{
        DocumentRange, Expect, IndexValue, Load, Parts, Step, StorageErrorKind, StoreInfo, StreamRow, Task,
        Which,
    },
};

/// The step with something of a size is applied, or refused as too large, with all that stands beside it.
#[track_caller]
fn sized(kit: &Kit, fits: bool, n: u128, step: Step) {
    let batch = rows::create(&stream(n)).with(step);
    if fits {
        kit.ok(batch);
        return;
    }
    let before = Seen::of(kit, &[stream(n)], &[]);
    refused(kit.settle(batch), StorageErrorKind::Limit, "C-19: this is larger than the limit");
    assert_eq!(Seen::of(kit, &[stream(n)], &[]), before, "C-19: nothing was written");
}

/// A step that writes a body, of each kind that does, about the stream of its number.
const LARGE: [fn(u128, &[u8]) -> Step; 8] = [
    |n, body| {
        let row = StreamRow { body: body.to_vec(), ..rows::row(&stream(n), 2) };
        rows::put(row, Expect::Version(1))
    },
    |n, body| rows::append(&rows::batch(), &stream(n), 0, &[b"small", body]),
    |n, body| vault(&stream(n), 0, body),
    |n, body| rows::measure(&stream(n), body),
    |_, body| rows::publish("form", 1, body),
    |_, body| Step::RaiseDocument(rows::document("raised", 1, body)),
    |n, body| rows::access(&stream(n), body),
    |n, body| Step::Schedule(Task { body: body.to_vec(), ..rows::task(n, "", &stream(n)) }),
];

pub(super) fn c19_bodies_at_the_limit_are_stored_whole(on: On) {
    let kit = Kit::open(on);
    let body = vec![b'x'; StoreInfo::MAX_BODY];
    for (n, step) in (1..).zip(LARGE) {
        sized(&kit, true, n, step(n, &body));
    }
    assert!(kit.one(&stream(1)).unwrap().row.body == body, "C-07: the largest state comes back whole");
    assert!(kit.history(&stream(2))[1].body == body, "C-07: so does an event");
    assert!(kit.one(&stream(3)).unwrap().vault[&0] == body, "C-07: so does a part of a vault");
    assert!(kit.measures(&rows::town(), 10)[0].1 == body, "C-07: so does a measure");
    for (name, version, found) in kit.procedures(None, Which::All) {
        assert!(version == 1 && found == body, "C-07: so does the document `{name}`");
    }
    assert!(kit.access(&stream(7))[0].body == body, "C-07: so does a row of the access log");
    assert!(kit.claim(100, 200, 1)[0].body == body, "C-09: so does a task");
}

pub(super) fn c19_bodies_above_the_limit_are_refused(on: On) {
    let kit = Kit::open(on);
    let body = vec![b'x'; StoreInfo::MAX_BODY + 1];
    for (n, step) in (1..).zip(LARGE) {
        sized(&kit, false, n, step(n, &body));
    }
}

pub(super) fn c19_keys_at_and_above_the_limit(on: On) {
    let kit = Kit::open(on);
    for (base, size) in [(1, StoreInfo::MAX_KEY), (101, StoreInfo::MAX_KEY + 1)] {
        let fits = size <= StoreInfo::MAX_KEY;
        let text = "k".repeat(size);
        sized(&kit, fits, base, rows::link("tracking", text.as_bytes(), &stream(base), true));
        let task = rows::task(base, &text, &stream(base + 1));
        sized(&kit, fits, base + 1, Step::Schedule(task));
        let value = IndexValue::Text(text.clone());
        sized(&kit, fits, base + 2, rows::index(&stream(base + 2), "f", &[value]));
        // Limits count bytes, not characters.
        let accents = "é".repeat(size.div_ceil(2));
        let task = Task { queue: accents, ..rows::task(base + 3, "", &stream(base + 3)) };
        sized(&kit, fits, base + 3, Step::Schedule(task));
    }
    let mut queues: Vec<usize> = kit.claim(100, 200, 10).iter().map(|task| task.queue.len()).collect();
    queues.sort_unstable();
    assert_eq!(queues, [200, 200], "C-19: what is at the limit is stored whole");
}

pub(super) fn c19_batches_at_and_above_the_limit(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let of = |steps: usize| {
        (0..u32::try_from(steps).unwrap())
            .fold(rows::batch(), |batch, part| batch.with(vault(&key, part, b"part")))
    };
    let result = kit.settle(of(StoreInfo::MAX_STEPS + 1).with(rows::measure(&key, b"m")));
    refused(result, StorageErrorKind::Limit, "C-19: a batch has at most 2000 steps");
    assert!(kit.measures(&rows::town(), 10).is_empty(), "C-19: nothing was written");
    kit.ok(rows::create(&key));
    kit.ok(of(StoreInfo::MAX_STEPS));
    let parts = kit.one(&key).unwrap().vault.len();
    assert_eq!(parts, StoreInfo::MAX_STEPS, "C-19: the largest batch is applied whole");
}

pub(super) fn c19_loads_at_and_above_the_limit(on: On) {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1_000)));
    let load = |count: u128| Load {
        authority: rows::town(),
        streams: (1..=count).map(stream).collect(),
        parts: Parts::All,
        receipt: None,
    };
    let loaded = kit.loaded(&load(1_000));
    assert_eq!(loaded.streams.len(), 1_000, "C-19: 1000 streams may be asked for at once");
    assert!(loaded.streams[999].is_some(), "C-07: the last one is there");
    refused(kit.try_load(&load(1_001)), StorageErrorKind::Limit, "C-19: at most 1000 streams at once");
}

pub(super) fn c19_blob_pieces_at_and_above_the_limit(on: On) {
    let kit = Kit::open(on);
    let id = BlobId::from_uuid(rows::uuid(1));
    let town = rows::town();
    kit.put_blob(&town, id, 0, rows::at(1), &vec![b'x'; StoreInfo::MAX_BODY]);
    let size = kit.blob(&town, id, 0).unwrap().len();
    assert_eq!(size, StoreInfo::MAX_BODY, "B-2: the largest piece comes back whole");
    let result = kit.try_put_blob(&town, id, 1, rows::at(1), &vec![b'x'; StoreInfo::MAX_BODY + 1]);
    refused(result, StorageErrorKind::Limit, "C-19: a piece has at most 4 MiB");
    assert_eq!(kit.blob(&town, id, 1), None, "C-19: nothing was written");
}

pub(super) fn c19_page_sizes_out_of_range_are_brought_into_it(on: On) {
    let kit = with_tasks(on, [apart(1), apart(2)]);
    let town = rows::town();
    kit.ok(rows::batch().with(rows::measure(&stream(1), b"1")).with(rows::measure(&stream(2), b"2")));
    kit.ok(rows::batch().with(rows::publish("a", 1, b"1")).with(rows::publish("b", 1, b"1")));
    for n in 1..=2 {
        kit.put_blob(&town, BlobId::from_uuid(rows::uuid(n)), 0, rows::at(1), b"piece");
    }
    // 0 is brought up to 1, and all that is above 1000 down to it, where there are two of each.
    for (limit, expected) in [(0, 1), (1, 1), (1_000, 2), (1_001, 2), (u32::MAX, 2)] {
        let page = done(kit.block_on(kit.store.measures(&town, None, limit)));
        assert_eq!(page.rows.len(), expected, "C-19: a page of {limit} measures");
        assert_eq!(page.next.is_some(), expected == 1, "C-18: it goes on if there is more");
        let page = done(kit.block_on(kit.store.changes(&town, None, limit)));
        assert!((1..=3).contains(&page.changes.len()), "C-19: a page of {limit} changes");
        let page = done(kit.block_on(kit.blobs.list(&town, rows::at(9), None, limit)));
        assert_eq!(page.blobs.len(), expected, "C-19: a page of {limit} blobs");
        let range = DocumentRange {
            authority: town.clone(),
            kind: rows::word("procedure"),
            name: None,
            after: None,
            which: Which::Newest,
            limit,
        };
        assert_eq!(kit.documents(&range).len(), expected, "C-19: a page of {limit} documents");
    }
    let (_, start) = kit.feed(&town, None, 1_000);
    kit.ok(rows::batch().with(rows::measure(&stream(3), b"3")));
    let page = done(kit.block_on(kit.store.changes(&town, Some(&start), 0)));
    assert_eq!(page.changes.len(), 1, "C-19: who follows the feed in pages of 0 gets on");
    for limit in [0, u32::MAX] {
        assert_eq!(kit.claim(100, 200, limit).len(), 1, "C-19: a claim of {limit}, where there is one");
    }
}

pub(super) fn c19_pages_have_at_most_a_thousand(on: On) {
    const MORE: u128 = 1_001;
    let kit = with_tasks(on, (1..=MORE).map(apart));
    let town = rows::town();
    let of = |step: fn(u128) -> Step| (1..=MORE).fold(rows::batch(), |batch, n| batch.with(step(n)));
    kit.ok(of(|n| rows::measure(&stream(n), b"m")));
    kit.ok(of(|n| rows::publish(&format!("n{n}"), 1, b"d")));
    let page = done(kit.block_on(kit.store.measures(&town, None, u32::MAX)));
    assert_eq!((page.rows.len(), page.next.is_some()), (1_000, true), "C-19: a page of measures");
    let range = DocumentRange {
        authority: town,
        kind: rows::word("procedure"),
        name: None,
        after: None,
        which: Which::Newest,
        limit: u32::MAX,
    };
    assert_eq!(kit.documents(&range).len(), 1_000, "C-19: a page of documents");
    assert_eq!(kit.claim(100, 200, u32::MAX).len(), 1_000, "C-19: a claim");
    assert_eq!(kit.claim(100, 200, u32::MAX).len(), 1, "C-09: what was left is claimed next");
}

pub(super) fn c19_a_batch_that_names_another_authority_is_refused_whole(on: On) {
    let kit = Kit::open(on);
    let foreign = vault(&rows::stream_of(rows::county(), 1), 0, b"theirs");
    let before = Seen::of(&kit, &[stream(1)], &[1]);
    for place in [0, 5, 13] {
        let mut batch = rows::batch();
        let mut steps = rows::everything(&batch, &stream(1), 1);
        steps.insert(place, foreign.clone());
        steps.into_iter().for_each(|step| batch.push(step));
        refused(kit.settle(batch), StorageErrorKind::Unsupported, "C-19: a batch writes its own authority");
        assert_eq!(Seen::of(&kit, &[stream(1)], &[1]), before, "C-19: nothing was written");
    }
    assert!(kit.claim(100, 200, 10).is_empty(), "C-19: nothing was written");
}
