//! C-09, C-10, C-11: stores that are wrong about tasks.

use crate::store::{Answer, Mutant, Under, each, part, pause, remade};
use grc_core::{
    Moment, TaskId,
    storage::{Batch, Claim, ConflictOn, Receipt, Step, StorageError, StreamKey, Task, TaskRef},
};
use std::collections::BTreeMap;

pub(crate) fn mutants() -> Vec<Mutant> {
    [claims(), queues(), leases(), cancels()].concat()
}

fn lost() -> StorageError {
    StorageError::conflict("mutant", ConflictOn::Lease, "so it says")
}

/// Commits, and keeps a list of the tasks beside the store.
fn noted(under: &Under, batch: Batch) -> Answer<Receipt> {
    let receipt = under.commit(batch.clone())?;
    let mut notes = under.notes();
    for step in batch.steps() {
        match step {
            Step::Schedule(task) => {
                notes.tasks.entry(task.id).or_insert_with(|| task.clone());
            }
            Step::Finish(reference) => {
                notes.tasks.remove(&reference.id);
            }
            Step::Release { task, due, dead, .. } => {
                if let Some(task) = notes.tasks.get_mut(&task.id) {
                    (task.due, task.dead, task.leased_until) = (*due, *dead, Moment::EPOCH);
                    task.lease += 1;
                }
            }
            Step::Cancel { stream, kinds } => {
                notes.tasks.retain(|_, task| task.stream != *stream || !kinds.contains(&task.kind));
            }
            _ => {}
        }
    }
    Ok(receipt)
}

/// Claims, and keeps the list.
fn taken(under: &Under, claim: Claim) -> Answer<Vec<Task>> {
    let claimed = under.claim(claim)?;
    under.notes().tasks.extend(claimed.iter().map(|task| (task.id, task.clone())));
    Ok(claimed)
}

fn listed(under: &Under) -> BTreeMap<TaskId, Task> {
    under.notes().tasks.clone()
}

/// A mutant that has the list of tasks.
fn mutant(clause: &'static str, name: &'static str) -> Mutant {
    Mutant::new(clause, name).commit(noted).claim(taken)
}

fn plus(moment: Moment, micros: i64) -> Moment {
    Moment::from_micros(moment.micros() + micros)
}

fn answered(claimed: Answer<Vec<Task>>, change: impl Fn(&mut Task)) -> Answer<Vec<Task>> {
    let mut claimed = claimed?;
    claimed.iter_mut().for_each(change);
    Ok(claimed)
}

fn scheduled(batch: &Batch, change: impl Fn(&mut Task)) -> Batch {
    each(batch, |step| match step {
        Step::Schedule(mut task) => {
            change(&mut task);
            Some(Step::Schedule(task))
        }
        other => Some(other),
    })
}

fn claims() -> Vec<Mutant> {
    vec![
        Mutant::new("C-09", "a task is due a little early")
            .claim(|under, claim| under.claim(Claim { now: plus(claim.now, 1), ..claim })),
        Mutant::new("C-09", "a task is due a little late")
            .claim(|under, claim| under.claim(Claim { now: plus(claim.now, -1), ..claim })),
        mutant("C-09", "held tasks are handed out").claim(|under, claim| {
            let (now, until) = (claim.now, claim.until);
            let held: Vec<Task> = listed(under)
                .into_values()
                .filter(|task| task.lease > 0 && task.leased_until > now)
                .collect();
            let mut claimed = taken(under, claim)?;
            claimed.extend(held.into_iter().map(|task| Task { leased_until: until, ..task }));
            Ok(claimed)
        }),
        Mutant::new("C-09", "a lease is held a moment longer")
            .claim(|under, claim| under.claim(Claim { until: plus(claim.until, 1), ..claim })),
        Mutant::new("C-09", "the end of the lease is not told")
            .claim(|under, claim| answered(under.claim(claim), |task| task.leased_until = Moment::EPOCH)),
        Mutant::new("C-09", "attempts are not counted")
            .claim(|under, claim| answered(under.claim(claim), |task| task.attempts = 1)),
        Mutant::new("C-09", "the lease number stays")
            .claim(|under, claim| answered(under.claim(claim), |task| task.lease = 1)),
        Mutant::new("C-09", "the limit is not looked at")
            .claim(|under, claim| under.claim(Claim { limit: 1_000, ..claim })),
        Mutant::new("C-09", "of no kind means of every kind").claim(|under, claim| {
            let kinds = claim.kinds.filter(|kinds| !kinds.is_empty());
            under.claim(Claim { kinds, ..claim })
        }),
        mutant("C-09", "the first of the kinds is taken, not the first of the queue").claim(
            |under, claim| {
                let Some(wanted) = &claim.kinds else { return taken(under, claim) };
                let copy = Under::over(std::sync::Arc::new(under.store.copy()));
                for (n, task) in (1..).zip(listed(under).into_values()) {
                    if !wanted.contains(&task.kind) {
                        let empty = Batch::new(
                            grc_core::BatchId::from_uuid(uuid::Uuid::from_u128(n << 70)),
                            claim.authority.clone(),
                            claim.now,
                        );
                        copy.commit(
                            empty.with(Step::Cancel { stream: task.stream, kinds: vec![task.kind] }),
                        )?;
                    }
                }
                copy.claim(claim)
            },
        ),
        Mutant::new("C-09", "two claimers are given one task").claim(|under, claim| {
            let copy = under.store.copy();
            pause();
            under.claim(claim.clone())?;
            Under::over(std::sync::Arc::new(copy)).claim(claim)
        }),
        Mutant::new("C-09", "the code of the last failure is lost")
            .claim(|under, claim| answered(under.claim(claim), |task| task.code = None)),
        Mutant::new("C-09", "the task's queue is cut at a quotation mark").claim(|under, claim| {
            answered(under.claim(claim), |task| {
                task.queue = task.queue.split('\'').next().unwrap_or("").to_owned();
            })
        }),
    ]
}

fn queues() -> Vec<Mutant> {
    vec![
        Mutant::new("C-09", "the place in the queue is not looked at")
            .commit(|under, batch| under.commit(scheduled(&batch, |task| task.order = 0))),
        Mutant::new("C-09", "equal places go by when they are due").commit(|under, batch| {
            under.commit(scheduled(&batch, |task| {
                task.order = (task.order << 8) + 255 - u64::from(task.id.as_bytes()[15]);
            }))
        }),
        mutant("C-09", "each task is a queue of its own").claim(|under, claim| {
            let all = listed(under);
            let mut claimed = taken(under, claim.clone())?;
            let due = |task: &Task| !task.dead && task.due <= claim.now && task.leased_until <= claim.now;
            let more = all.into_values().filter(|task| due(task));
            let more: Vec<_> = more.filter(|task| claimed.iter().all(|one| one.id != task.id)).collect();
            claimed.extend(more);
            Ok(claimed)
        }),
        mutant("C-09", "all tasks are one queue").claim(|under, claim| {
            let now = claim.now;
            let held = listed(under).values().any(|task| task.leased_until > now);
            if held { Ok(Vec::new()) } else { taken(under, Claim { limit: 1, ..claim }) }
        }),
        Mutant::new("C-09", "a dead task is tried again").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::Release { task, due, code, attempts, .. } => {
                    Some(Step::Release { task, due, dead: false, code, attempts })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-09", "a dead task holds its queue").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::Release { task, dead: true, code, attempts, .. } => {
                    let due = Moment::from_micros(i64::MAX);
                    Some(Step::Release { task, due, dead: false, code, attempts })
                }
                other => Some(other),
            }))
        }),
        mutant("C-09", "a task put back steps aside until it is due").commit(|under, batch| {
            let tasks = listed(under);
            let steps = batch.steps().iter().flat_map(|step| match step {
                Step::Release { task, due, dead: false, code, .. } => match tasks.get(&task.id) {
                    Some(held) => {
                        let code = code.clone();
                        let back = Task { due: *due, code, queue: "aside".to_owned(), ..held.clone() };
                        vec![Step::Finish(task.clone()), Step::Schedule(back)]
                    }
                    None => vec![step.clone()],
                },
                other => vec![other.clone()],
            });
            noted(under, remade(&batch, steps.collect::<Vec<_>>()))
        }),
        mutant("C-09", "a task put back is due at once").commit(|under, batch| {
            noted(
                under,
                each(&batch, |step| match step {
                    Step::Release { task, dead, code, attempts, .. } => {
                        Some(Step::Release { task, due: Moment::EPOCH, dead, code, attempts })
                    }
                    other => Some(other),
                }),
            )
        }),
        mutant("C-09", "scheduling an id again replaces the task").commit(|under, batch| {
            let tasks = listed(under);
            let steps = batch.steps().iter().flat_map(|step| match step {
                Step::Schedule(task) if tasks.contains_key(&task.id) => {
                    let cancel = Step::Cancel { stream: task.stream.clone(), kinds: vec![task.kind.clone()] };
                    vec![cancel, step.clone()]
                }
                other => vec![other.clone()],
            });
            noted(under, remade(&batch, steps.collect::<Vec<_>>()))
        }),
        mutant("C-09", "scheduling an id again is a conflict").commit(|under, batch| {
            let tasks = listed(under);
            let again = |step: &Step| matches!(step, Step::Schedule(task) if tasks.contains_key(&task.id));
            if batch.steps().iter().any(again) { Err(lost()) } else { noted(under, batch) }
        }),
        Mutant::new("C-09", "the tasks of a refused batch are there").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.is_err() {
                let tasks = batch.steps().iter().filter(|step| matches!(step, Step::Schedule(_))).cloned();
                let _ = under.commit(part(&batch, 1, tasks.collect::<Vec<_>>()));
            }
            result
        }),
    ]
}

/// The batch with the references to tasks changed, given the task as it is.
fn referred(under: &Under, batch: &Batch, change: impl Fn(&Task, &mut TaskRef)) -> Batch {
    let tasks = listed(under);
    let changed = |mut reference: TaskRef| {
        if let Some(task) = tasks.get(&reference.id) {
            change(task, &mut reference);
        }
        reference
    };
    each(batch, |step| match step {
        Step::Finish(task) => Some(Step::Finish(changed(task))),
        Step::Release { task, due, dead, code, attempts } => {
            Some(Step::Release { task: changed(task), due, dead, code, attempts })
        }
        other => Some(other),
    })
}

fn ends(step: &Step) -> bool {
    matches!(step, Step::Finish(_) | Step::Release { .. })
}

fn counted(batch: &Batch, change: fn(Option<u32>) -> Option<u32>) -> Batch {
    each(batch, |step| match step {
        Step::Release { task, due, dead, code, attempts } => {
            Some(Step::Release { task, due, dead, code, attempts: change(attempts) })
        }
        other => Some(other),
    })
}

fn leases() -> Vec<Mutant> {
    vec![
        mutant("C-10", "the number of the lease is not compared").commit(|under, batch| {
            noted(under, referred(under, &batch, |task, reference| reference.lease = task.lease))
        }),
        mutant("C-10", "a later lease is as good").commit(|under, batch| {
            noted(
                under,
                referred(under, &batch, |task, reference| reference.lease = reference.lease.min(task.lease)),
            )
        }),
        mutant("C-10", "an earlier lease is as good").commit(|under, batch| {
            noted(
                under,
                referred(under, &batch, |task, reference| reference.lease = reference.lease.max(task.lease)),
            )
        }),
        mutant("C-10", "a lease that has ended cannot commit").commit(|under, batch| {
            let tasks = listed(under);
            let late = |id: TaskId| tasks.get(&id).is_some_and(|task| task.leased_until < batch.at());
            let refused = batch.steps().iter().any(|step| match step {
                Step::Finish(task) | Step::Release { task, .. } => late(task.id),
                _ => false,
            });
            if refused { Err(lost()) } else { noted(under, batch) }
        }),
        mutant("C-10", "finishing what is gone is fine").commit(|under, batch| {
            let tasks = listed(under);
            let gone = |step: &Step| matches!(step, Step::Finish(task) if !tasks.contains_key(&task.id));
            noted(under, each(&batch, |step| Some(step).filter(|step| !gone(step))))
        }),
        mutant("C-10", "who was overtaken writes all but the end").commit(|under, batch| {
            match noted(under, batch.clone()) {
                Err(error) if error.conflict_on() == Some(ConflictOn::Lease) => {
                    noted(under, each(&batch, |step| Some(step).filter(|step| !ends(step))))?;
                    Err(error)
                }
                result => result,
            }
        }),
        mutant("C-10", "putting back does not end the lease").commit(|under, batch| {
            let free = |task: &Task| task.leased_until == Moment::EPOCH;
            noted(
                under,
                referred(under, &batch, |task, reference| {
                    reference.lease += u64::from(free(task) && reference.lease + 1 == task.lease);
                }),
            )
        }),
        Mutant::new("C-10", "putting back starts the count anew")
            .commit(|under, batch| under.commit(counted(&batch, |attempts| attempts.or(Some(0))))),
        Mutant::new("C-10", "the count that putting back sets is not taken")
            .commit(|under, batch| under.commit(counted(&batch, |_| None))),
        Mutant::new("C-10", "putting back in a refused batch ends the lease").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.is_err() {
                let ends = batch.steps().iter().filter(|step| ends(step)).cloned();
                let _ = under.commit(part(&batch, 1, ends.collect::<Vec<_>>()));
            }
            result
        }),
        mutant("C-10", "two that finish one task both succeed").commit(|under, batch| {
            let tasks = listed(under);
            let mine = |step: &Step| match step {
                Step::Finish(task) => tasks.get(&task.id).is_some_and(|held| held.lease == task.lease),
                _ => false,
            };
            let held = batch.steps().iter().any(mine);
            pause();
            match noted(under, batch.clone()) {
                Err(error) if held && error.conflict_on() == Some(ConflictOn::Lease) => {
                    Ok(Receipt { batch: batch.id(), replayed: false })
                }
                result => result,
            }
        }),
        mutant("C-10", "a task that was never claimed can be finished").commit(|under, batch| {
            let tasks = listed(under);
            let steps = batch.steps().iter().map(|step| match step {
                Step::Finish(TaskRef { id, lease: 0, .. }) => match tasks.get(id) {
                    Some(task) => {
                        Step::Cancel { stream: task.stream.clone(), kinds: vec![task.kind.clone()] }
                    }
                    None => step.clone(),
                },
                other => other.clone(),
            });
            noted(under, remade(&batch, steps.collect::<Vec<_>>()))
        }),
        mutant("C-10", "a dead task can be finished").commit(|under, batch| {
            let tasks = listed(under);
            let steps = batch.steps().iter().map(|step| match step {
                Step::Finish(reference) => match tasks.get(&reference.id) {
                    Some(task) if task.dead && task.lease == reference.lease => {
                        Step::Cancel { stream: task.stream.clone(), kinds: vec![task.kind.clone()] }
                    }
                    _ => step.clone(),
                },
                other => other.clone(),
            });
            noted(under, remade(&batch, steps.collect::<Vec<_>>()))
        }),
        Mutant::new("C-10", "finishing leaves the task")
            .commit(|under, batch| {
                let tasks: Vec<Task> = listed(under).into_values().collect();
                let steps = batch.steps().iter().flat_map(|step| match step {
                    Step::Finish(reference) => {
                        let back = tasks.iter().find(|task| task.id == reference.id).cloned();
                        let back =
                            back.map(|task| Step::Schedule(Task { leased_until: Moment::EPOCH, ..task }));
                        std::iter::once(step.clone()).chain(back).collect()
                    }
                    other => vec![other.clone()],
                });
                under.commit(remade(&batch, steps.collect::<Vec<_>>()))
            })
            .claim(taken),
    ]
}

/// The batch without cancelling streams that have a task of a sort.
fn sparing(under: &Under, batch: &Batch, spared: fn(&Task) -> bool) -> Batch {
    let tasks = listed(under);
    each(batch, |step| {
        Some(step).filter(|step| match step {
            Step::Cancel { stream, .. } => !tasks.values().any(|task| task.stream == *stream && spared(task)),
            _ => true,
        })
    })
}

fn cancelling(
    under: &Under,
    batch: &Batch,
    change: impl Fn(&Task, &mut StreamKey, &mut Vec<grc_core::Word>),
) -> Batch {
    let tasks = listed(under);
    let steps = batch.steps().iter().flat_map(|step| match step {
        Step::Cancel { stream, kinds } => {
            let more = tasks.values().map(|task| {
                let (mut stream, mut kinds) = (stream.clone(), kinds.clone());
                change(task, &mut stream, &mut kinds);
                Step::Cancel { stream, kinds }
            });
            std::iter::once(step.clone()).chain(more).collect()
        }
        other => vec![other.clone()],
    });
    remade(batch, steps.collect::<Vec<_>>())
}

fn cancels() -> Vec<Mutant> {
    vec![
        mutant("C-11", "held tasks are not cancelled").commit(|under, batch| {
            noted(under, sparing(under, &batch, |task| task.lease > 0 && task.leased_until > Moment::EPOCH))
        }),
        mutant("C-11", "dead tasks are not cancelled")
            .commit(|under, batch| noted(under, sparing(under, &batch, |task| task.dead))),
        mutant("C-11", "tasks that are not due are not cancelled").commit(|under, batch| {
            noted(under, sparing(under, &batch, |task| task.due > Moment::from_micros(1_000)))
        }),
        mutant("C-11", "tasks of every kind are cancelled").commit(|under, batch| {
            noted(under, cancelling(under, &batch, |task, _, kinds| kinds.push(task.kind.clone())))
        }),
        mutant("C-11", "tasks of every stream are cancelled").commit(|under, batch| {
            noted(under, cancelling(under, &batch, |task, stream, _| stream.clone_from(&task.stream)))
        }),
        mutant("C-11", "no kind means every kind").commit(|under, batch| {
            noted(
                under,
                cancelling(under, &batch, |task, _, kinds| {
                    if kinds.is_empty() {
                        kinds.push(task.kind.clone());
                    }
                }),
            )
        }),
        mutant("C-11", "nothing to cancel is a conflict").commit(|under, batch| {
            let tasks = listed(under);
            let some = |stream: &StreamKey, kinds: &[grc_core::Word]| {
                tasks.values().any(|task| task.stream == *stream && kinds.contains(&task.kind))
            };
            let none = |step: &Step| matches!(step, Step::Cancel { stream, kinds } if !some(stream, kinds));
            if batch.steps().iter().any(none) { Err(lost()) } else { noted(under, batch) }
        }),
    ]
}
