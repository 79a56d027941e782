//! C-10: what a lease protects.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, at, conflict, put, row, stream},
    tasks::{apart, numbers, with_tasks},
};
use crate::storage::{ConflictOn, Expect, Step, Task, TaskRef};

fn finish(task: &Task) -> Step {
    Step::Finish(task.reference())
}

fn release(task: &Task, due: i64, attempts: Option<u32>) -> Step {
    Step::Release {
        task: task.reference(),
        due: at(due),
        dead: false,
        code: Some(rows::word("busy")),
        attempts,
    }
}

/// A store with one task that a first holder let slip and a second one holds.
fn overtaken(on: On) -> (Kit, Task, Task) {
    let kit = with_tasks(on, [apart(1)]);
    let slow = kit.claim(100, 200, 1).remove(0);
    let quick = kit.claim(200, 300, 1).remove(0);
    (kit, slow, quick)
}

pub(super) fn c10_holder_finishes_with_its_commit(on: On) {
    let kit = with_tasks(on, [apart(1), apart(2)]);
    let held = kit.claim(100, 200, 10);
    kit.ok(rows::batch().with(put(row(&stream(1), 2), Expect::Version(1))).with(finish(&held[0])));
    assert_eq!(kit.version(&stream(1)), Some(2), "C-01: what the task did is written with its end");
    let left = kit.claim(1_000, 2_000, 10);
    assert_eq!(numbers(&left), numbers(&held[1..]), "C-10: the finished task is gone, the other one is not");
    let result = kit.settle(rows::batch().with(finish(&held[0])));
    conflict(result, ConflictOn::Lease, "C-10: a task is finished once");
}

pub(super) fn c10_overtaken_holder_writes_nothing(on: On) {
    let (kit, slow, quick) = overtaken(on);
    let write = || put(row(&stream(1), 2), Expect::Version(1));
    for step in [finish(&slow), release(&slow, 500, None)] {
        let before = rows::batch().with(step.clone()).with(write());
        conflict(kit.settle(before), ConflictOn::Lease, "C-10: somebody else took the task over");
        let after = rows::batch().with(write()).with(step);
        conflict(kit.settle(after), ConflictOn::Lease, "C-10: somebody else took the task over");
        assert_eq!(
            kit.version(&stream(1)),
            Some(1),
            "C-10: the whole batch of an overtaken holder is refused"
        );
    }
    kit.ok(rows::batch().with(write()).with(finish(&quick)));
    assert_eq!(kit.version(&stream(1)), Some(2), "C-10: the present holder can commit");
    assert!(kit.claim(1_000, 2_000, 10).is_empty(), "C-10: and the task is done");
}

pub(super) fn c10_ended_lease_that_nobody_took_over_still_commits(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let held = kit.claim(100, 200, 1).remove(0);
    // The batch is written long after the lease ended: its number is still the present one.
    kit.ok(rows::batch_of(rows::town(), 5_000).with(finish(&held)));
    assert!(kit.claim(9_000, 9_100, 10).is_empty(), "C-10: the number of the lease decides, not a clock");
}

pub(super) fn c10_invented_lease_conflicts(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let held = kit.claim(100, 200, 1).remove(0);
    for lease in [held.lease + 1, held.lease + 1_000, 1 << 60] {
        let step = Step::Finish(TaskRef { lease, ..held.reference() });
        conflict(kit.settle(rows::batch().with(step)), ConflictOn::Lease, "C-10: this is not its lease");
    }
    let step = Step::Finish(rows::task(77, &held.queue, &stream(1)).reference());
    conflict(kit.settle(rows::batch().with(step)), ConflictOn::Lease, "C-10: there is no such task");
    kit.ok(rows::batch().with(finish(&held)));
}

pub(super) fn c10_a_task_that_nobody_holds_has_no_lease(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    for step in [finish(&apart(1)), release(&apart(1), 500, None)] {
        let result = kit.settle(rows::batch().with(step));
        conflict(result, ConflictOn::Lease, "C-10: a task that was never claimed has no lease");
    }
    let held = kit.claim(100, 200, 1).remove(0);
    let dead = Step::Release { task: held.reference(), due: at(100), dead: true, code: None, attempts: None };
    kit.ok(rows::batch().with(dead));
    for lease in held.lease..held.lease + 3 {
        let task = Task { lease, ..held.clone() };
        for step in [finish(&task), release(&task, 100, None)] {
            let result = kit.settle(rows::batch().with(step));
            conflict(result, ConflictOn::Lease, "C-10: a dead task is held by nobody");
        }
    }
}

pub(super) fn c10_release_ends_the_lease(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let held = kit.claim(100, 200, 1).remove(0);
    kit.ok(rows::batch().with(release(&held, 100, None)));
    for step in [finish(&held), release(&held, 100, None)] {
        let result = kit.settle(rows::batch().with(step));
        conflict(result, ConflictOn::Lease, "C-10: who gave a task back holds it no more");
    }
    let again = kit.claim(100, 200, 1).remove(0);
    assert!(again.lease > held.lease, "C-09: the lease number grows with each claim");
    assert_eq!(again.attempts, 2, "C-09: a release without a count leaves the attempts");
    assert_eq!(again.code, Some(rows::word("busy")), "C-07: the code of the last failure is kept");
}

pub(super) fn c10_release_sets_the_attempts(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    for _ in 0..3 {
        let held = kit.claim(100, 200, 1).remove(0);
        kit.ok(rows::batch().with(release(&held, 100, None)));
    }
    let held = kit.claim(100, 200, 1).remove(0);
    assert_eq!(held.attempts, 4, "C-09: each claim raises attempts by one");
    kit.ok(rows::batch().with(release(&held, 100, Some(0))));
    assert_eq!(kit.claim(100, 200, 1)[0].attempts, 1, "C-09: counted again from what the release said");
}

pub(super) fn c10_refused_release_leaves_the_lease(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let held = kit.claim(100, 200, 1).remove(0);
    let refused =
        rows::batch().with(release(&held, 1, Some(0))).with(put(row(&stream(1), 1), Expect::Absent));
    conflict(kit.settle(refused), ConflictOn::Stream, "C-04: the stream exists");
    assert!(kit.claim(150, 300, 1).is_empty(), "C-01: the task is still held");
    kit.ok(rows::batch().with(finish(&held)));
}
