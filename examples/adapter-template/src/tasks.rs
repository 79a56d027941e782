//! Tasks, their queues and their leases.
//!
//! A claim asks for what is due, free and the first living task of its queue (C-09). To look at every queue would cost
//! as much as there are open requests, so the first of each is kept in an order of its own, the *front*, by when it can
//! be claimed: when it is due and its lease is over. Every change goes through [`change`], which keeps it so.

use crate::{
    bytes::{Bytes, Reader},
    engine::{Draft, Read},
    error::{Outcome, conflict, whole},
    keys,
    rows::{read_task, write_task},
};
use grc_core::{
    Moment, TaskId, Word,
    storage::{Claim, ConflictOn, StoreInfo, StreamKey, Task, TaskRef},
};
use std::ops::Bound;

fn by_id(rows: &dyn Read, authority: &Word, id: TaskId) -> Outcome<Option<Task>> {
    rows.get(&keys::task(authority, id))?.map(|bytes| read_task(authority, id, &bytes)).transpose()
}

/// The id at the end of a key.
fn id_in(rest: Option<uuid::Uuid>) -> Outcome<TaskId> {
    whole("the key of a task cannot be read", rest).map(TaskId::from_uuid)
}

/// The first living task of a queue, by its key in the front.
fn front(rows: &dyn Read, authority: &Word, queue: &str) -> Outcome<Option<Bytes>> {
    let all = keys::queue(authority, queue);
    let Some((key, _)) = rows.first(&all)? else { return Ok(None) };
    let mut reader = Reader::after(&all, &key);
    let id = id_in(reader.number().and_then(|_| reader.uuid()))?;
    let task = whole("a queue has a task that is not there", by_id(rows, authority, id)?)?;
    let ready = task.due.max(task.leased_until);
    Ok(Some(keys::front(authority).signed(ready.micros()).uuid(id.uuid())))
}

/// Replaces a task by what it is from now on, of the same id and queue; none: it is not there.
fn change(draft: &mut Draft<'_>, before: Option<&Task>, after: Option<&Task>) -> Outcome<()> {
    let Some(task) = before.or(after) else { return Ok(()) };
    let authority = &task.stream.authority;
    if let Some(front) = front(draft, authority, &task.queue)? {
        draft.remove(&front)?;
    }
    let of_task = |task: &Task| {
        let id = task.id.uuid();
        (
            keys::task(authority, task.id),
            keys::tasks_of(&task.stream, &task.kind).uuid(id),
            keys::queue(authority, &task.queue).number(task.order).uuid(id),
        )
    };
    if let Some(before) = before {
        let (row, of_stream, in_queue) = of_task(before);
        draft.remove(&row)?;
        draft.remove(&of_stream)?;
        draft.remove(&in_queue)?;
    }
    if let Some(after) = after {
        let (row, of_stream, in_queue) = of_task(after);
        draft.put(&row, &write_task(after))?;
        draft.put(&of_stream, &[])?;
        // A dead one steps aside.
        if !after.dead {
            draft.put(&in_queue, &[])?;
        }
    }
    match front(draft, authority, &task.queue)? {
        Some(front) => draft.put(&front, &[]),
        None => Ok(()),
    }
}

/// Puts a task in its queue; one that is there stays as it is.
pub(crate) fn schedule(draft: &mut Draft<'_>, task: &Task) -> Outcome<()> {
    match by_id(draft, &task.stream.authority, task.id)? {
        Some(_) => Ok(()),
        None => change(draft, None, Some(task)),
    }
}

/// The task, for who holds it under this lease (C-10). The number decides, not a clock.
pub(crate) fn held(rows: &dyn Read, authority: &Word, reference: &TaskRef) -> Outcome<Task> {
    by_id(rows, authority, reference.id)?
        .filter(|task| reference.lease > 0 && task.lease == reference.lease && !task.dead)
        .ok_or_else(|| conflict(ConflictOn::Lease, "the task is held by somebody else, done or gone"))
}

pub(crate) fn finish(draft: &mut Draft<'_>, authority: &Word, reference: &TaskRef) -> Outcome<()> {
    let task = held(draft, authority, reference)?;
    change(draft, Some(&task), None)
}

/// Puts a held task back as it is now. Its lease ends here, so that its holder cannot write under it any more.
pub(crate) fn release(draft: &mut Draft<'_>, mut task: Task) -> Outcome<()> {
    let before = by_id(draft, &task.stream.authority, task.id)?;
    task.lease = task.lease.saturating_add(1);
    task.leased_until = Moment::EPOCH;
    change(draft, before.as_ref(), Some(&task))
}

/// Takes the tasks of a stream of these kinds out: living, held and dead ones (C-11).
pub(crate) fn cancel(draft: &mut Draft<'_>, stream: &StreamKey, kinds: &[Word]) -> Outcome<()> {
    for kind in kinds {
        let all = keys::tasks_of(stream, kind);
        let keys: Vec<Vec<u8>> = draft.under(&all)?.map(|row| Ok(row?.0)).collect::<Outcome<_>>()?;
        for key in keys {
            let id = id_in(Reader::after(&all, &key).uuid())?;
            let task = by_id(draft, &stream.authority, id)?;
            change(draft, task.as_ref(), None)?;
        }
    }
    Ok(())
}

/// Leases what is due, the longest due first.
pub(crate) fn claim(draft: &mut Draft<'_>, claim: &Claim) -> Outcome<Vec<Task>> {
    let all = keys::front(&claim.authority);
    let past = all.clone().signed(claim.now.micros()).end();
    let mut due = Vec::new();
    for row in draft.range(Bound::Included(&all), Bound::Excluded(&past))? {
        let (key, _) = row?;
        let mut reader = Reader::after(&all, &key);
        let id = id_in(reader.signed().and_then(|_| reader.uuid()))?;
        let task = whole("the front has a task that is not there", by_id(draft, &claim.authority, id)?)?;
        if claim.kinds.as_ref().is_none_or(|kinds| kinds.contains(&task.kind)) {
            due.push(task);
        }
    }
    due.sort_by_key(|task| (task.due, task.id));
    due.truncate(claim.limit.clamp(1, StoreInfo::MAX_PAGE) as usize);
    for task in &mut due {
        let before = task.clone();
        task.attempts = task.attempts.saturating_add(1);
        task.lease = task.lease.saturating_add(1);
        task.leased_until = claim.until;
        change(draft, Some(&before), Some(task))?;
    }
    Ok(due)
}
