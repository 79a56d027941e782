//! C-19: limits.

use super::{
    Harness,
    harness::Kit,
    rows::{self, refused, stream, vault},
    seen::Seen,
};
use crate::{
    BlobId,
    storage::{IndexValue, Load, Parts, Step, StorageErrorKind, StoreInfo, Task},
};

/// The step with something of a size is applied, or refused as too large, with all that stands beside it.
#[track_caller]
fn sized<H: Harness>(kit: &Kit<H>, fits: bool, n: u128, step: Step) {
    let batch = rows::create(&stream(n)).with(step);
    if fits {
        kit.ok(batch);
        return;
    }
    let before = Seen::of(kit, &[stream(n)], &[]);
    refused(kit.settle(batch), StorageErrorKind::Limit, "C-19: this is larger than the limit");
    assert_eq!(Seen::of(kit, &[stream(n)], &[]), before, "C-19: nothing was written");
}

pub(super) fn c19_bodies_at_and_above_the_limit<H: Harness>() {
    let kit = Kit::<H>::open();
    for (n, size) in [(1, StoreInfo::MAX_BODY), (2, StoreInfo::MAX_BODY + 1)] {
        let fits = size <= StoreInfo::MAX_BODY;
        let body = vec![b'x'; size];
        let steps = |key: &crate::storage::StreamKey| {
            let mut row = rows::row(key, 2);
            row.body = body.clone();
            [
                rows::put(row, crate::storage::Expect::Version(1)),
                rows::append(&rows::batch(), key, 0, &[b"small", &body]),
                vault(key, 0, &body),
                rows::measure(key, &body),
                rows::publish(&format!("form-{}", key.id.as_u128()), 1, &body),
                Step::RaiseDocument(rows::document(&format!("raised-{}", key.id.as_u128()), 1, &body)),
                rows::access(key, &body),
            ]
        };
        for kind in 0..7 {
            let n = n * 100 + kind;
            let step = steps(&stream(n)).into_iter().nth(usize::try_from(kind).unwrap()).unwrap();
            sized(&kit, fits, n, step);
        }
    }
    let record = kit.one(&stream(102)).unwrap();
    assert_eq!(record.vault[&0].len(), StoreInfo::MAX_BODY, "C-07: the largest body comes back whole");
    assert_eq!(kit.history(&stream(101))[1].body.len(), StoreInfo::MAX_BODY, "C-07: so does an event's");
}

pub(super) fn c19_keys_at_and_above_the_limit<H: Harness>() {
    let kit = Kit::<H>::open();
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

pub(super) fn c19_batches_at_and_above_the_limit<H: Harness>() {
    let kit = Kit::<H>::open();
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

pub(super) fn c19_loads_at_and_above_the_limit<H: Harness>() {
    let kit = Kit::<H>::open();
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

pub(super) fn c19_blob_pieces_at_and_above_the_limit<H: Harness>() {
    let kit = Kit::<H>::open();
    let id = BlobId::from_uuid(rows::uuid(1));
    let town = rows::town();
    kit.put_blob(&town, id, 0, rows::at(1), &vec![b'x'; StoreInfo::MAX_BODY]);
    let size = kit.blob(&town, id, 0).unwrap().len();
    assert_eq!(size, StoreInfo::MAX_BODY, "B-2: the largest piece comes back whole");
    let result = kit.try_put_blob(&town, id, 1, rows::at(1), &vec![b'x'; StoreInfo::MAX_BODY + 1]);
    refused(result, StorageErrorKind::Limit, "C-19: a piece has at most 4 MiB");
    assert_eq!(kit.blob(&town, id, 1), None, "C-19: nothing was written");
}
