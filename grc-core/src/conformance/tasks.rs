//! C-09, C-11: queues of tasks.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, at, conflict, put, row, stream, task},
};
use crate::storage::{Claim, ConflictOn, Expect, Step, Task};

/// The numbers of the tasks, in order of number.
pub(super) fn numbers(tasks: &[Task]) -> Vec<u128> {
    let mut numbers: Vec<u128> = tasks.iter().map(|task| task.id.uuid().as_u128()).collect();
    numbers.sort_unstable();
    numbers
}

pub(super) fn with_tasks(on: On, tasks: impl IntoIterator<Item = Task>) -> Kit {
    let kit = Kit::open(on);
    let mut batch = rows::create(&stream(1));
    for task in tasks {
        batch.push(Step::Schedule(task));
    }
    kit.ok(batch);
    kit
}

/// Task n, each in a queue of its own.
pub(super) fn apart(n: u128) -> Task {
    task(n, &format!("queue {n}"), &stream(1))
}

fn cancel(kinds: &[&str]) -> Step {
    Step::Cancel { stream: stream(1), kinds: kinds.iter().map(|kind| rows::word(kind)).collect() }
}

fn release(task: &Task, dead: bool) -> Step {
    Step::Release { task: task.reference(), due: at(100), dead, code: None, attempts: None }
}

pub(super) fn c09_task_is_seen_after_its_commit_only(on: On) {
    let kit = Kit::open(on);
    let batch = rows::create(&stream(1)).with(Step::Schedule(apart(1)));
    conflict(
        kit.settle(batch.clone().with(put(row(&stream(1), 1), Expect::Absent))),
        ConflictOn::Stream,
        "C-04: the second creation",
    );
    assert!(kit.claim(100, 200, 10).is_empty(), "C-09: the task of a refused batch does not exist");
    kit.ok(rows::create(&stream(1)).with(Step::Schedule(apart(1))));
    assert_eq!(numbers(&kit.claim(100, 200, 10)), [1], "C-09: the task of a committed batch does");
}

pub(super) fn c09_task_comes_back_as_it_was_written(on: On) {
    let written = Task {
        queue: "Œuvres / 🚰 'quoted' \"twice\"".to_owned(),
        order: 1 << 50,
        attempts: 3,
        lease: 7,
        code: Some(rows::word("timeout")),
        body: "{\"n\":\"é\"}".into(),
        ..apart(1)
    };
    let kit = with_tasks(on, [written.clone()]);
    let claimed = kit.claim(100, 250, 1);
    let expected = Task { attempts: 4, lease: 8, leased_until: at(250), ..written };
    assert_eq!(claimed, [expected], "C-07, C-09: as written, with attempts and lease raised");
}

pub(super) fn c09_due_exactly_now_is_due(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    assert!(kit.claim(99, 200, 10).is_empty(), "C-09: due at 100 is not due at 99");
    assert_eq!(numbers(&kit.claim(100, 200, 10)), [1], "C-09: due at 100 is due at 100");
}

pub(super) fn c09_first_of_a_queue_goes_first(on: On) {
    let queued = |n, order| Task { order, ..task(n, "q", &stream(1)) };
    // Places decide, then ids; when a task is due does not.
    let kit = with_tasks(on, [queued(4, 2), queued(3, 1), queued(2, 1), queued(1, 9)]);
    let mut order = Vec::new();
    for _ in 0..4 {
        let claimed = kit.claim(100, 200, 10);
        assert_eq!(claimed.len(), 1, "C-09: the first living task of a queue only");
        assert!(kit.claim(100, 200, 10).is_empty(), "C-09: while the first is held the queue waits");
        order.extend(numbers(&claimed));
        kit.ok(rows::batch().with(Step::Finish(claimed[0].reference())));
    }
    assert_eq!(order, [2, 3, 4, 1], "C-09: by place, equal places by id");
}

pub(super) fn c09_first_that_is_not_due_holds_its_queue_only(on: On) {
    let first = Task { due: at(500), ..task(1, "q", &stream(1)) };
    let second = Task { order: 2, ..task(2, "q", &stream(1)) };
    let kit = with_tasks(on, [first, second, apart(3)]);
    assert_eq!(numbers(&kit.claim(100, 200, 10)), [3], "C-09: other queues do not wait");
    assert_eq!(numbers(&kit.claim(500, 600, 10)), [1, 3], "C-09: the first of the queue, once it is due");
}

pub(super) fn c09_kinds_are_chosen_among_the_first(on: On) {
    let kind = |task: Task, kind: &str| Task { kind: rows::word(kind), ..task };
    let second = Task { order: 2, ..task(2, "q", &stream(1)) };
    let kit = with_tasks(
        on,
        [kind(task(1, "q", &stream(1)), "send"), kind(second, "erase"), kind(apart(3), "erase")],
    );
    let claim = |kinds: &[&str]| {
        kit.claimed(&Claim {
            authority: rows::town(),
            kinds: Some(kinds.iter().map(|kind| rows::word(kind)).collect()),
            now: at(100),
            until: at(200),
            limit: 10,
        })
    };
    assert!(claim(&[]).is_empty(), "C-09: of no kind, none");
    assert_eq!(numbers(&claim(&["erase", "other"])), [3], "C-09: a kind does not overtake in its queue");
    assert_eq!(numbers(&claim(&["send"])), [1], "C-09: of this kind");
}

pub(super) fn c09_claim_takes_at_most_its_limit(on: On) {
    let kit = with_tasks(on, (1..=7).map(apart));
    let mut all = Vec::new();
    for expected in [3, 3, 1, 0] {
        let claimed = kit.claim(100, 200, 3);
        assert_eq!(claimed.len(), expected, "C-09: at most the limit, and never one that is held");
        all.extend(claimed);
    }
    assert_eq!(numbers(&all), [1, 2, 3, 4, 5, 6, 7], "C-09: each once");
}

pub(super) fn c09_dead_task_steps_aside(on: On) {
    let second = Task { order: 2, ..task(2, "q", &stream(1)) };
    let kit = with_tasks(on, [task(1, "q", &stream(1)), second]);
    let first = kit.claim(100, 200, 10).remove(0);
    kit.ok(rows::batch().with(release(&first, true)));
    assert_eq!(numbers(&kit.claim(100, 200, 10)), [2], "C-09: a dead task does not hold its queue");
    assert!(kit.claim(10_000, 20_000, 10).iter().all(|task| task.id != first.id), "C-09: nor is it claimed");
}

pub(super) fn c09_retry_later_holds_its_queue_only(on: On) {
    let second = Task { order: 2, ..task(2, "q", &stream(1)) };
    let kit = with_tasks(on, [task(1, "q", &stream(1)), second, apart(3)]);
    let claimed = kit.claim(100, 200, 10);
    let first = claimed.iter().find(|task| task.queue == "q").unwrap();
    let other = claimed.iter().find(|task| task.queue != "q").unwrap();
    let later = |task: &Task, due| Step::Release {
        task: task.reference(),
        due: at(due),
        dead: false,
        code: Some(rows::word("busy")),
        attempts: None,
    };
    kit.ok(rows::batch().with(later(first, 900)).with(later(other, 300)));
    assert!(kit.claim(299, 400, 10).is_empty(), "C-09: neither is due, and the second of `q` waits");
    assert_eq!(numbers(&kit.claim(300, 400, 10)), [3], "C-09: the other queue goes on");
    assert_eq!(
        numbers(&kit.claim(900, 950, 10)),
        [1, 3],
        "C-09: the first of `q` is tried again, in its place"
    );
}

pub(super) fn c09_lease_ends_by_the_callers_clock(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let first = kit.claim(100, 200, 10).remove(0);
    assert_eq!((first.attempts, first.lease, first.leased_until), (1, 1, at(200)), "C-09: the first claim");
    assert!(kit.claim(199, 300, 10).is_empty(), "C-09: held until 200, it is not free at 199");
    let second = kit.claim(200, 300, 10).remove(0);
    assert_eq!(second.attempts, 2, "C-09: each claim raises attempts");
    assert!(second.lease > first.lease, "C-09: each claim raises the lease number");
    assert_eq!(second.leased_until, at(300), "C-09: held until the new moment");
}

pub(super) fn c09_scheduling_the_same_id_again_changes_nothing(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let again = Task { due: at(1), body: b"other".to_vec(), ..apart(1) };
    kit.ok(rows::batch().with(Step::Schedule(again.clone())));
    assert!(kit.claim(99, 200, 10).is_empty(), "C-09: the task that was there stays as it is");
    let held = kit.claim(100, 200, 10).remove(0);
    assert_eq!(held.body, b"{}", "C-09: the task that was there stays as it is");
    kit.ok(rows::batch().with(Step::Schedule(again)));
    assert!(kit.claim(150, 200, 10).is_empty(), "C-09: scheduling it again does not end its lease");
    kit.ok(rows::batch().with(Step::Finish(held.reference())));
    assert!(kit.claim(1_000, 2_000, 10).is_empty(), "C-09: there was one task, and it is done");
}

pub(super) fn c11_cancel_takes_waiting_tasks(on: On) {
    let other_kind = Task { kind: rows::word("erase"), ..apart(2) };
    let other_stream = task(3, "queue 3", &stream(2));
    let kit = with_tasks(on, [apart(1), other_kind, other_stream, Task { due: at(9_000), ..apart(4) }]);
    kit.ok(rows::batch().with(cancel(&["remind", "none"])));
    let left = numbers(&kit.claim(10_000, 20_000, 10));
    assert_eq!(left, [2, 3], "C-11: due or not, those of the stream and the kinds are gone, and no others");
}

pub(super) fn c11_cancel_takes_held_tasks(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let held = kit.claim(100, 200, 10).remove(0);
    kit.ok(rows::batch().with(cancel(&["remind"])));
    let result = kit.settle(rows::batch().with(Step::Finish(held.reference())));
    conflict(result, ConflictOn::Lease, "C-10, C-11: a cancelled task is gone under its holder's hands");
    assert!(kit.claim(1_000, 2_000, 10).is_empty(), "C-11: it does not come back when its lease ends");
}

pub(super) fn c11_cancel_takes_dead_tasks(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    let held = kit.claim(100, 200, 10).remove(0);
    kit.ok(rows::batch().with(release(&held, true)));
    kit.ok(rows::batch().with(Step::Schedule(apart(1))));
    assert!(kit.claim(100, 200, 10).is_empty(), "C-09: the id is still taken by the dead task");
    kit.ok(rows::batch().with(cancel(&["remind"])));
    kit.ok(rows::batch().with(Step::Schedule(apart(1))));
    assert_eq!(kit.claim(100, 200, 10).len(), 1, "C-11: the dead task is gone, and its id is free");
}

pub(super) fn c11_cancel_without_such_tasks_is_fine(on: On) {
    let kit = with_tasks(on, [apart(1)]);
    kit.ok(rows::batch().with(cancel(&[])));
    kit.ok(rows::batch().with(cancel(&["none"])));
    assert_eq!(kit.claim(100, 200, 10).len(), 1, "C-11: nothing else is taken away");
}
