//! C-02: what survives the handles. That it survives the death of a process and of a machine is for the adapter's
//! own tests to show: the kit cannot kill what it runs in.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, conflict, put, row, stream},
    seen::Seen,
};
use crate::storage::{ConflictOn, Expect, Step};

pub(super) fn c02_everything_acknowledged_is_there_after_reopening(on: On) {
    let kit = Kit::open(on);
    let keys = [stream(1), stream(2)];
    for (n, key) in (1u8..).zip(&keys) {
        let mut batch = rows::batch();
        rows::everything(&batch, key, n).into_iter().for_each(|step| batch.push(step));
        kit.ok(batch);
    }
    let before = Seen::of(&kit, &keys, &[1, 2]);
    let info = kit.store.info();
    let name = "c02_everything_acknowledged_is_there_after_reopening";
    let Some(kit) = kit.reopened(name) else { return };
    assert_eq!(Seen::of(&kit, &keys, &[1, 2]), before, "C-02: all that was acknowledged is there");
    assert_eq!(kit.store.info(), info, "C-02: it is the same store, of the same incarnation");
    assert_eq!(kit.claim(100, 200, 10).len(), 2, "C-02: tasks are there");
}

pub(super) fn c02_nothing_refused_is_there_after_reopening(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(rows::create(&key));
    let mut batch = rows::batch();
    rows::everything(&batch, &stream(2), 2).into_iter().for_each(|step| batch.push(step));
    let batch = batch.with(put(row(&key, 1), Expect::Absent));
    conflict(kit.settle(batch), ConflictOn::Stream, "C-04: the stream exists");
    let before = Seen::of(&kit, &[key.clone(), stream(2)], &[2]);
    let Some(kit) = kit.reopened("c02_nothing_refused_is_there_after_reopening") else { return };
    assert_eq!(Seen::of(&kit, &[key, stream(2)], &[2]), before, "C-01: a refused batch leaves no trace");
    assert!(kit.claim(100, 200, 10).is_empty(), "C-01: nor a task");
}

pub(super) fn c02_leases_are_there_after_reopening(on: On) {
    let kit = super::tasks::with_tasks(on, [super::tasks::apart(1)]);
    let held = kit.claim(100, 200, 1).remove(0);
    let Some(kit) = kit.reopened("c02_leases_are_there_after_reopening") else { return };
    assert!(kit.claim(199, 300, 1).is_empty(), "C-09: a task is held until its lease ends, by whom ever");
    kit.ok(rows::batch().with(Step::Finish(held.reference())));
    assert!(kit.claim(900, 999, 1).is_empty(), "C-10: its holder could finish it");
}

pub(super) fn c03_same_batch_after_reopening_changes_nothing(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let batch = rows::create(&key);
    kit.ok(batch.clone());
    kit.ok(rows::batch().with(put(row(&key, 2), Expect::Version(1))));
    let Some(kit) = kit.reopened("c03_same_batch_after_reopening_changes_nothing") else { return };
    assert!(kit.settle(batch).unwrap().replayed, "C-03: however late, the same batch is a replay");
    assert_eq!(kit.version(&key), Some(2), "C-03: and changes nothing");
}

pub(super) fn c17_feed_goes_on_after_reopening(on: On) {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1)));
    let (_, end) = kit.feed(&rows::town(), None, 10);
    let Some(kit) = kit.reopened("c17_feed_goes_on_after_reopening") else { return };
    let batch = rows::create(&stream(2));
    let id = batch.id();
    kit.ok(batch);
    let told: Vec<_> = kit.feed(&rows::town(), Some(end), 10).0.iter().map(|change| change.batch).collect();
    assert_eq!(told, [id], "C-17: a follower goes on where it was");
}
