//! C-01, C-03, C-04, C-05: batches.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, conflict, put, refused, row, stream, vault},
    seen::Seen,
};
use crate::{
    Condition,
    condition::Var,
    storage::{Batch, ConflictOn, Expect, Fact, IndexValue, Order, Query, Step, StorageErrorKind, StreamKey},
};

pub(super) fn c01_all_steps_are_seen_together(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut batch = rows::batch();
    for step in rows::everything(&batch, &key, 1) {
        batch.push(step);
    }
    kit.ok(batch);
    let seen = Seen::of(&kit, std::slice::from_ref(&key), &[1]);
    let record = seen.streams[0].as_ref().unwrap();
    assert_eq!(record.row.version, 1, "C-01: the stream row was written");
    assert_eq!(record.vault.len(), 2, "C-01: both vault parts were written");
    assert_eq!(seen.events[0].len(), 2, "C-01: both events were written");
    assert_eq!(seen.access[0].len(), 1, "C-01: the access row was written");
    assert_eq!(seen.indexed, [1], "C-01: the index rows were written");
    assert_eq!((&seen.tracked[0], &seen.contacts[0]), (&vec![1], &vec![1]), "C-01: both links were made");
    assert!(seen.receipts[0].is_some(), "C-01: the receipt was written");
    assert_eq!(seen.measures, [(key, b"measured".to_vec())], "C-01: the measure row was written");
    assert_eq!(seen.documents.len(), 2, "C-01: both documents were written");
    assert_eq!(seen.feed.len(), 1, "C-01: the feed names the batch");
    assert_eq!(kit.claim(100, 200, 10).len(), 1, "C-01: the task was scheduled");
}

/// Steps that cannot succeed beside the stream `held`, which exists at version 1, and what they fail on.
fn impossible(batch: &Batch) -> Vec<(Step, ConflictOn)> {
    let held = stream(100);
    let other = stream(101);
    let procedure = rows::word("procedure");
    vec![
        (put(row(&held, 1), Expect::Absent), ConflictOn::Stream),
        (put(row(&held, 8), Expect::Version(7)), ConflictOn::Stream),
        (put(row(&other, 2), Expect::Version(1)), ConflictOn::Stream),
        (rows::append(batch, &held, 0, &[b"late"]), ConflictOn::Stream),
        (rows::link("tracking", &[100; 16], &other, true), ConflictOn::Link),
        (rows::publish("form-100", 1, b"again"), ConflictOn::Document),
        (
            Step::Current { kind: procedure.clone(), name: rows::word("form-100"), version: 2 },
            ConflictOn::Document,
        ),
        (
            Step::DropDocument { kind: procedure, name: rows::word("form-100"), version: 2 },
            ConflictOn::Document,
        ),
        (Step::PutReceipt(rows::receipt(100, &other, 9_000)), ConflictOn::Receipt),
        (Step::Finish(rows::task(999, "queue 999", &other).reference()), ConflictOn::Lease),
    ]
}

/// Each impossible step, put at a place among steps of all kinds: nothing of the batch may show.
fn rejected_at(on: On, place: impl Fn(usize) -> usize) {
    let kit = Kit::open(on);
    let (held, fresh) = (stream(100), stream(1));
    let mut batch = rows::batch();
    for step in rows::everything(&batch, &held, 100) {
        batch.push(step);
    }
    kit.ok(batch);
    let streams = [held, fresh.clone(), stream(101)];
    let before = Seen::of(&kit, &streams, &[100, 1]);
    for n in 0..impossible(&rows::batch()).len() {
        let mut batch = rows::batch();
        let (step, on) = impossible(&batch).swap_remove(n);
        let mut steps = rows::everything(&batch, &fresh, 1);
        steps.insert(place(steps.len()), step.clone());
        steps.into_iter().for_each(|step| batch.push(step));
        conflict(kit.settle(batch), on, &format!("C-01, C-04: {step:?} stands against what is stored"));
        let after = Seen::of(&kit, &streams, &[100, 1]);
        assert_eq!(after, before, "C-01: a batch refused for {step:?} leaves no trace in any row");
    }
    let ids: Vec<u128> = kit.claim(100, 200, 10).iter().map(|task| task.id.uuid().as_u128()).collect();
    assert_eq!(ids, [100], "C-01: a refused batch leaves no task");
}

pub(super) fn c01_conflict_on_the_first_step_leaves_no_trace(on: On) {
    rejected_at(on, |_| 0);
}

pub(super) fn c01_conflict_on_a_middle_step_leaves_no_trace(on: On) {
    rejected_at(on, |steps| steps / 2);
}

pub(super) fn c01_conflict_on_the_last_step_leaves_no_trace(on: On) {
    rejected_at(on, |steps| steps);
}

pub(super) fn c01_refused_batch_leaves_dropped_rows_in_place(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut batch = rows::batch();
    rows::everything(&batch, &key, 1).into_iter().for_each(|step| batch.push(step));
    kit.ok(batch);
    let before = Seen::of(&kit, std::slice::from_ref(&key), &[1]);
    let batch = rows::batch()
        .with(Step::DropVault { stream: key.clone(), parts: vec![0] })
        .with(rows::index(&key, "colour", &[]))
        .with(Step::DropLink { key: rows::link_key("tracking", &[1; 16]), stream: key.clone() })
        .with(Step::DropLinks { stream: key.clone(), prefix: "contact.".to_owned() })
        .with(Step::Cancel { stream: key.clone(), kinds: vec![rows::word("remind")] })
        .with(Step::DropDocument { kind: rows::word("procedure"), name: rows::word("form-1"), version: 1 })
        .with(put(row(&key, 1), Expect::Absent));
    conflict(kit.settle(batch), ConflictOn::Stream, "C-04: the stream exists");
    let after = Seen::of(&kit, &[key], &[1]);
    assert_eq!(after, before, "C-01: what a refused batch would have dropped is still there");
    assert_eq!(kit.claim(100, 200, 10).len(), 1, "C-01: the task is still there");
}

pub(super) fn c01_refused_batch_can_be_committed_once_nothing_stands_against_it(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let early = rows::batch().with(put(row(&key, 2), Expect::Version(1)));
    conflict(kit.settle(early.clone()), ConflictOn::Stream, "C-04: the stream does not exist");
    kit.ok(rows::create(&key));
    let receipt = kit.settle(early).unwrap();
    assert!(!receipt.replayed, "C-01: a refused batch leaves no trace of its id either: it is not a replay");
    assert_eq!(kit.version(&key), Some(2), "C-01: the same batch is applied once it can be");
}

pub(super) fn c03_same_batch_again_changes_nothing(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut batch = rows::batch();
    rows::everything(&batch, &key, 1).into_iter().for_each(|step| batch.push(step));
    assert!(!kit.settle(batch.clone()).unwrap().replayed, "C-03: the first time it is no replay");
    let before = Seen::of(&kit, std::slice::from_ref(&key), &[1]);
    for _ in 0..3 {
        let receipt = kit.settle(batch.clone()).unwrap();
        assert_eq!((receipt.batch, receipt.replayed), (batch.id(), true), "C-03: it was committed before");
    }
    assert_eq!(Seen::of(&kit, &[key], &[1]), before, "C-03: the same batch again changes nothing");
}

pub(super) fn c03_same_batch_after_later_ones_changes_nothing(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let first = rows::create(&key).with(vault(&key, 0, b"old")).with(rows::measure(&key, b"old"));
    kit.ok(first.clone());
    for version in 2..40 {
        let step = put(row(&key, version), Expect::Version(version - 1));
        kit.ok(rows::batch().with(step).with(vault(&key, 0, b"new")).with(rows::measure(&key, b"new")));
    }
    let before = Seen::of(&kit, std::slice::from_ref(&key), &[]);
    assert!(kit.settle(first).unwrap().replayed, "C-03: however late, the same batch is a replay");
    assert_eq!(Seen::of(&kit, &[key], &[]), before, "C-03: a late replay brings nothing old back");
}

pub(super) fn c03_same_id_with_other_steps_is_never_applied(on: On) {
    let kit = Kit::open(on);
    let first = rows::create(&stream(1));
    kit.ok(first.clone());
    let other =
        Batch::new(first.id(), rows::town(), first.at()).with(put(row(&stream(2), 1), Expect::Absent));
    match kit.settle(other) {
        Ok(receipt) => assert!(receipt.replayed, "C-03: a batch id is applied once"),
        Err(error) => assert_eq!(
            error.conflict_on(),
            Some(ConflictOn::Batch),
            "C-03: other steps under the same id are a replay or a conflict on the batch: {error:?}"
        ),
    }
    assert_eq!(kit.version(&stream(2)), None, "C-03: other steps under a used id are never applied");
}

pub(super) fn c04_absent_on_an_existing_stream_conflicts(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(rows::create(&key));
    let result = kit.settle(rows::batch().with(put(row(&key, 9), Expect::Absent)));
    conflict(result, ConflictOn::Stream, "C-04: `Absent` means that there is no row");
    assert_eq!(kit.version(&key), Some(1), "C-04: the row that was there stays");
}

pub(super) fn c04_version_on_a_missing_stream_conflicts(on: On) {
    let kit = Kit::open(on);
    for version in [0, 1, 7] {
        let result = kit.settle(rows::batch().with(put(row(&stream(1), 1), Expect::Version(version))));
        conflict(result, ConflictOn::Stream, "C-04: `Version` means that there is a row");
    }
    assert_eq!(kit.version(&stream(1)), None, "C-04: nothing was made");
}

pub(super) fn c04_wrong_version_conflicts(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(rows::create(&key));
    kit.ok(rows::batch().with(put(row(&key, 2), Expect::Version(1))));
    for wrong in [0, 1, 3, 1 << 40] {
        let result = kit.settle(rows::batch().with(put(row(&key, 9), Expect::Version(wrong))));
        conflict(result, ConflictOn::Stream, "C-04: the stream is at version 2");
    }
    assert_eq!(kit.version(&key), Some(2), "C-04: the row that was there stays");
}

pub(super) fn c04_writing_the_same_row_again_succeeds(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(rows::create(&key));
    let record = kit.one(&key);
    // A database that counts changed rows, not found ones, must not take this for a conflict.
    kit.ok(rows::batch().with(put(row(&key, 1), Expect::Version(1))));
    assert_eq!(kit.one(&key), record, "C-04: an expectation that is met is no conflict, whatever changes");
}

pub(super) fn c04_each_step_sees_the_steps_before_it(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let batch = rows::create(&key);
    let one = rows::append(&batch, &key, 0, &[b"one"]);
    let two = rows::append(&batch, &key, 1, &[b"two"]);
    kit.ok(batch
        .with(one)
        .with(put(row(&key, 2), Expect::Version(1)))
        .with(two)
        .with(vault(&key, 0, b"first"))
        .with(vault(&key, 0, b"second"))
        .with(vault(&key, 1, b"gone"))
        .with(Step::DropVault { stream: key.clone(), parts: vec![1] })
        .with(rows::index(&key, "colour", &[IndexValue::Number(1)]))
        .with(rows::index(&key, "colour", &[]))
        .with(rows::link("tracking", b"a", &key, true))
        .with(Step::DropLink { key: rows::link_key("tracking", b"a"), stream: key.clone() })
        .with(Step::Schedule(rows::task(1, "q", &key)))
        .with(Step::Cancel { stream: key.clone(), kinds: vec![rows::word("remind")] })
        .with(rows::publish("form", 1, b"1"))
        .with(rows::publish("form", 2, b"2")));
    let record = kit.one(&key).unwrap();
    assert_eq!(record.row.version, 2, "C-04: the second step on a key is checked against the first");
    assert_eq!(record.vault, [(0, b"second".to_vec())].into(), "C-01: steps are applied in order");
    assert_eq!(kit.history(&key).len(), 2, "C-06: the second append goes on where the first ended");
    assert_eq!(kit.procedures(None, crate::storage::Which::Newest)[0].1, 2, "C-15: so do documents");
    let seen = Seen::of(&kit, &[], &[]);
    assert!(seen.indexed.is_empty(), "C-01: what a later step dropped is gone");
    let linked = Some(rows::link_key("tracking", b"a"));
    let query = Query { linked, ..Query::new(rows::town(), rows::word("request")) };
    assert!(kit.walk(&query).is_empty(), "C-01: what a later step dropped is gone");
    assert!(kit.claim(100, 200, 10).is_empty(), "C-01: what a later step cancelled is gone");
}

pub(super) fn c04_two_creations_of_one_stream_in_a_batch_conflict(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let result = kit.settle(rows::create(&key).with(put(row(&key, 1), Expect::Absent)));
    conflict(result, ConflictOn::Stream, "C-04: the second step finds what the first one wrote");
    assert_eq!(kit.version(&key), None, "C-01: nothing of the batch stays");
}

pub(super) fn c04_of_many_streams_in_a_batch_one_that_is_stale_refuses_all(on: On) {
    let kit = Kit::open(on);
    // Work on site writes its own stream, of another kind, and those of all the requests that it serves.
    let site = StreamKey::new(rows::town(), rows::word("intervention"), stream(1).id);
    let keys: Vec<StreamKey> = (1..=50).map(stream).chain([site]).collect();
    for key in &keys {
        kit.ok(rows::create(key));
    }
    let all = |from: u64| {
        let mut batch = rows::batch();
        for key in &keys {
            let written = rows::append(&batch, key, from - 1, &[b"charged"]);
            batch.push(put(row(key, from + 1), Expect::Version(from)));
            batch.push(written);
            batch.push(Step::PutMeasure { stream: key.clone(), bytes: from.to_be_bytes().to_vec() });
        }
        batch
    };
    kit.ok(all(1));
    let versions = || keys.iter().map(|key| kit.version(key)).collect::<Vec<_>>();
    assert_eq!(versions(), vec![Some(2); keys.len()], "C-01: all streams of a batch are written");
    // Somebody else writes one of them first: the first, one in the middle, the last.
    for ahead in [0, 25, keys.len() - 1] {
        let before = Seen::of(&kit, &keys, &[]);
        let batch = all(2);
        kit.ok(rows::batch().with(put(row(&keys[ahead], 3), Expect::Version(2))));
        conflict(kit.settle(batch), ConflictOn::Stream, "C-04: one stream of many is stale");
        kit.ok(rows::batch().with(put(row(&keys[ahead], 2), Expect::Version(3))));
        let after = Seen::of(&kit, &keys, &[]);
        assert_eq!(
            (after.streams, after.events, after.measures),
            (before.streams, before.events, before.measures),
            "C-01: nothing of the other streams was written"
        );
    }
    kit.ok(all(2));
    assert_eq!(versions(), vec![Some(3); keys.len()], "C-04: where none is stale, all are written");
}

pub(super) fn c05_unknown_step_is_refused_whole(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let before = Seen::of(&kit, std::slice::from_ref(&key), &[1]);
    for place in [0, 5, 13] {
        let mut batch = rows::batch();
        let mut steps = rows::everything(&batch, &key, 1);
        steps.insert(place, Step::Unknown);
        steps.into_iter().for_each(|step| batch.push(step));
        refused(kit.settle(batch), StorageErrorKind::Unsupported, "C-05: a step that is not known");
        assert_eq!(
            Seen::of(&kit, std::slice::from_ref(&key), &[1]),
            before,
            "C-05: nothing of the batch is done"
        );
    }
    assert!(kit.claim(100, 200, 10).is_empty(), "C-05: nothing of the batch is done");
}

pub(super) fn c05_empty_batch_is_refused(on: On) {
    let kit = Kit::open(on);
    refused(kit.settle(rows::batch()), StorageErrorKind::Unsupported, "C-05: a batch has a step");
    assert!(kit.feed(&rows::town(), None, 10).0.is_empty(), "C-05: an empty batch is not in the feed");
}

pub(super) fn c05_unknown_order_is_refused(on: On) {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1)));
    let query = Query { order: Order::Unknown, ..Query::new(rows::town(), rows::word("request")) };
    refused(kit.try_query(&query), StorageErrorKind::Unsupported, "C-05: an order that is not known");
}

pub(super) fn c05_relation_in_a_filter_is_refused(on: On) {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1)));
    let relation = Condition::Relation(rows::word("assignee"));
    let filters = [
        relation.clone(),
        Condition::Not(Box::new(relation.clone())),
        Condition::Any(vec![Condition::Constant(true), relation.clone()]),
        Condition::All(vec![Condition::Constant(false), relation]),
    ];
    for filter in filters {
        let query = Query { filter, ..Query::new(rows::town(), rows::word("request")) };
        refused(
            kit.try_query(&query),
            StorageErrorKind::Unsupported,
            "C-05: a relation is not known to a store, and ignoring it would show too much",
        );
    }
}

pub(super) fn c05_search_in_text_is_refused(on: On) {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1)));
    for var in [Var::Fact(Fact::Opened), Var::Field(rows::word("colour"))] {
        let filter = Condition::Contains(var, "Part of".to_owned());
        let query = Query { filter, ..Query::new(rows::town(), rows::word("request")) };
        refused(
            kit.try_query(&query),
            StorageErrorKind::Unsupported,
            "C-05: a list does not search in texts",
        );
    }
}
