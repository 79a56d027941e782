//! C-06: histories and access logs.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, appending, conflict, stream},
};
use crate::{
    Word,
    storage::{ConflictOn, EventRange, Log, StorageErrorKind, StreamKey},
};

pub(super) fn c06_sequences_go_from_one_without_gap(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut ids = Vec::new();
    for (after, bodies) in [(0, 1), (1, 3), (4, 2)] {
        let batch = appending(&key, after, &vec![b"body".as_slice(); bodies]);
        ids.extend(std::iter::repeat_n(batch.id(), bodies));
        kit.ok(batch);
    }
    let events = kit.history(&key);
    let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6], "C-06: sequences go from 1, in order, without gap");
    let batches: Vec<_> = events.iter().map(|event| event.batch).collect();
    assert_eq!(batches, ids, "C-06: each event names the batch that wrote it");
    for event in &events {
        assert_eq!(
            event.head,
            [u8::try_from(event.sequence).unwrap(); 32],
            "C-06: heads come back as written"
        );
    }
}

pub(super) fn c06_append_after_the_past_conflicts(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(appending(&key, 0, &[b"one", b"two"]));
    for after in [0, 1] {
        let result = kit.settle(appending(&key, after, &[b"late"]));
        conflict(result, ConflictOn::Stream, "C-06: this sequence is taken");
    }
    let bodies: Vec<_> = kit.history(&key).into_iter().map(|event| event.body).collect();
    assert_eq!(bodies, [b"one", b"two"], "C-06: events are never changed");
}

pub(super) fn c06_append_after_the_future_conflicts(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    conflict(
        kit.settle(appending(&key, 1, &[b"early"])),
        ConflictOn::Stream,
        "C-06: there is no event 1 yet",
    );
    kit.ok(appending(&key, 0, &[b"one"]));
    conflict(
        kit.settle(appending(&key, 2, &[b"early"])),
        ConflictOn::Stream,
        "C-06: there is no event 2 yet",
    );
    assert_eq!(kit.history(&key).len(), 1, "C-06: no gap is ever made");
}

pub(super) fn c06_an_append_of_nothing_compares_too(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(appending(&key, 0, &[]));
    conflict(kit.settle(appending(&key, 1, &[])), ConflictOn::Stream, "C-06: there is no event 1 yet");
    kit.ok(appending(&key, 0, &[b"one", b"two"]));
    for after in [0, 1, 3] {
        let result = kit.settle(appending(&key, after, &[]));
        conflict(result, ConflictOn::Stream, "C-06: the last event is the second");
    }
    kit.ok(appending(&key, 2, &[]));
    assert_eq!(kit.history(&key).len(), 2, "C-06: nothing was appended");
}

pub(super) fn c06_append_with_a_gap_inside_is_refused(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let batch = rows::batch();
    let crate::storage::Step::Append { stream, after, mut events } =
        rows::append(&batch, &key, 0, &[b"one", b"two"])
    else {
        return;
    };
    events[1].sequence = 3;
    let result = kit.settle(batch.with(crate::storage::Step::Append { stream, after, events }));
    assert!(result.is_err(), "C-06: events 1 and 3 leave a gap: the batch must be refused");
    assert!(kit.history(&key).is_empty(), "C-01: nothing of a refused batch stays");
}

pub(super) fn c06_bodies_come_back_byte_for_byte(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let large: Vec<u8> = (0..1 << 20).map(|n: u32| u8::try_from(n * 31 % 251).unwrap()).collect();
    let bodies: [&[u8]; 7] = [
        b"",
        "Œuvre d’Élève — 100 % 🚰".as_bytes(),
        "e\u{301} is not \u{e9}".as_bytes(),
        b"trailing space and zero \0",
        b"\r\n",
        &all,
        &large,
    ];
    kit.ok(appending(&key, 0, &bodies));
    for (event, body) in kit.history(&key).iter().zip(bodies) {
        assert!(event.body == body, "C-06: body {} must come back byte for byte", event.sequence);
    }
}

pub(super) fn c06_pages_end_where_they_should(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(appending(&key, 0, &[b"body".as_slice(); 7]));
    let sequences = |after, limit| -> Vec<u64> {
        kit.events(&key, Log::History, after, limit).iter().map(|event| event.sequence).collect()
    };
    for (after, limit, expected) in [
        (0, 1, vec![1]),
        (0, 6, (1..=6).collect()),
        (0, 7, (1..=7).collect()),
        (0, 8, (1..=7).collect()),
        (0, 1_000, (1..=7).collect()),
        (3, 2, vec![4, 5]),
        (6, 1, vec![7]),
        (6, 5, vec![7]),
        (7, 5, vec![]),
        (1 << 40, 5, vec![]),
    ] {
        assert_eq!(sequences(after, limit), expected, "C-06: after {after}, at most {limit}");
    }
    assert!(kit.history(&stream(2)).is_empty(), "C-06: a stream without events has none");
}

pub(super) fn c06_page_sizes_out_of_range_are_refused(on: On) {
    let kit = Kit::open(on);
    for limit in [0, 1_001, u32::MAX] {
        let range = EventRange { stream: stream(1), log: Log::History, after: 0, limit };
        rows::refused(
            kit.try_events(&range),
            StorageErrorKind::Unsupported,
            "C-06: a page has 1 to 1000 rows",
        );
    }
}

pub(super) fn c06_streams_have_sequences_of_their_own(on: On) {
    let kit = Kit::open(on);
    let other_kind = StreamKey::new(rows::town(), rows::word("asset"), rows::uuid(1));
    let nil = StreamKey::new(rows::town(), rows::word("authority"), uuid::Uuid::nil());
    let longest = StreamKey::new(rows::town(), Word::new(&"k".repeat(64)).unwrap(), uuid::Uuid::max());
    let keys = [stream(1), stream(2), other_kind, nil, longest];
    for (n, key) in (0u8..).zip(&keys) {
        kit.ok(appending(key, 0, &[&[n]]));
    }
    for (n, key) in (0u8..).zip(&keys) {
        let bodies: Vec<_> = kit.history(key).into_iter().map(|event| event.body).collect();
        assert_eq!(bodies, [[n]], "C-06: {key:?} has its own history");
    }
}

pub(super) fn c06_access_log_is_apart_from_the_history(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(appending(&key, 0, &[b"event"]));
    let mut batches = Vec::new();
    for body in [b"first".as_slice(), b"second", b""] {
        let batch = rows::batch().with(rows::access(&key, body));
        batches.push(batch.id());
        kit.ok(batch);
    }
    kit.ok(rows::batch().with(rows::access(&stream(2), b"other")));
    let log = kit.access(&key);
    let sequences: Vec<u64> = log.iter().map(|row| row.sequence).collect();
    assert_eq!(sequences, [1, 2, 3], "C-06: the access log has sequences from 1 without gap");
    let bodies: Vec<&[u8]> = log.iter().map(|row| row.body.as_slice()).collect();
    assert_eq!(bodies, [b"first".as_slice(), b"second", b""], "C-06: its rows come back as written");
    assert_eq!(log.iter().map(|row| row.batch).collect::<Vec<_>>(), batches, "C-06: each names its batch");
    assert!(log.iter().all(|row| row.head == [0; 32]), "C-06: the access log has no heads");
    assert_eq!(kit.history(&key).len(), 1, "C-06: reading is no event");
    kit.ok(appending(&key, 1, &[b"next"]));
    let page = kit.events(&key, Log::Access, 1, 1);
    assert_eq!(page.len(), 1, "C-06: the access log is paged like the history");
    assert_eq!(page[0].sequence, 2, "C-06: the access log is paged like the history");
}
