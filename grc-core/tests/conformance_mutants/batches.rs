//! C-01 to C-04: stores that are wrong about batches.

use crate::store::{Answer, Mutant, Under, each, part, pause, remade};
use grc_core::storage::{
    Batch, ConflictOn, Expect, MemoryStore, Receipt, Step, StorageError, StorageErrorKind,
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

fn conflict(on: ConflictOn) -> StorageError {
    StorageError::conflict("mutant", on, "so it says")
}

pub(crate) fn error(kind: StorageErrorKind) -> StorageError {
    StorageError::new("mutant", kind, "so it says")
}

/// Applies each step alone, as far as it can be.
pub(crate) fn piecemeal(under: &Under, batch: &Batch, wanted: impl Fn(&Step) -> bool) {
    for (n, step) in (1..).zip(batch.steps()).filter(|(_, step)| wanted(step)) {
        let _ = under.commit(part(batch, n, [step.clone()]));
    }
}

/// The rows of streams are written over whatever is there.
fn forced(under: &Under, batch: &Batch) -> Batch {
    let mut seen = BTreeSet::new();
    each(batch, |step| match step {
        Step::PutStream { row, .. } if seen.insert(row.key.clone()) => {
            let expect = under.there(&row.key);
            Some(Step::PutStream { row, expect })
        }
        other => Some(other),
    })
}

/// With what the rows of streams expect changed, given what is there.
fn expecting(under: &Under, batch: &Batch, change: impl Fn(Expect, Expect) -> Expect) -> Batch {
    each(batch, |step| match step {
        Step::PutStream { row, expect } => {
            let expect = change(expect, under.there(&row.key));
            Some(Step::PutStream { row, expect })
        }
        other => Some(other),
    })
}

fn drops(step: &Step) -> bool {
    matches!(
        step,
        Step::DropVault { .. }
            | Step::DropLink { .. }
            | Step::DropLinks { .. }
            | Step::DropDocument { .. }
            | Step::Cancel { .. }
    )
}

/// Commits under an id that nobody has used.
fn afresh(under: &Under, batch: &Batch) -> Answer<Receipt> {
    let n = {
        let mut notes = under.notes();
        notes.count += 1;
        notes.count
    };
    under.commit(part(batch, n.into(), batch.steps().to_vec()))?;
    Ok(Receipt { batch: batch.id(), replayed: false })
}

pub(crate) fn mutants() -> Vec<Mutant> {
    [whole(), durable(), again(), expected()].concat()
}

fn whole() -> Vec<Mutant> {
    vec![
        Mutant::new("C-01", "what came before a refused step stays").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.is_err() {
                let applied = (1..)
                    .zip(batch.steps())
                    .take_while(|(n, step)| under.commit(part(&batch, *n, [(*step).clone()])).is_ok());
                applied.count();
            }
            result
        }),
        Mutant::new("C-01", "what came after a refused step is applied").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.is_err() {
                piecemeal(under, &batch, |_| true);
            }
            result
        }),
        Mutant::new("C-01", "a refused batch counts as committed").commit(|under, batch| {
            if under.notes().ids.contains(&batch.id().uuid()) {
                return Ok(Receipt { batch: batch.id(), replayed: true });
            }
            let result = under.commit(batch.clone());
            if result.is_err() {
                under.notes().ids.insert(batch.id().uuid());
            }
            result
        }),
        Mutant::new("C-01", "what a refused batch drops is gone").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.is_err() {
                piecemeal(under, &batch, drops);
            }
            result
        }),
        Mutant::new("C-01", "a batch is applied in two halves").commit(|under, batch| {
            if let Ok(receipt) = under.store.copy_commit(&batch) {
                if receipt.replayed || !under.notes().ids.insert(batch.id().uuid()) {
                    return Ok(Receipt { batch: batch.id(), replayed: true });
                }
                let (first, second) = batch.steps().split_at(batch.steps().len() / 2);
                under.commit(part(&batch, 1, first.to_vec()))?;
                pause();
                under.commit(remade(&batch, second.to_vec()))
            } else {
                under.commit(batch)
            }
        }),
        Mutant::new("C-01", "a row and its vault are read at two moments")
            .load(|under, load| {
                let mut rows = under.load(grc_core::storage::Load {
                    parts: grc_core::storage::Parts::None,
                    ..load.clone()
                })?;
                pause();
                let vaults = under.load(load)?.streams;
                for (row, vault) in rows.streams.iter_mut().flatten().zip(vaults.into_iter().flatten()) {
                    row.vault = vault.vault;
                }
                Ok(rows)
            })
            // Who writes is slow too, so that the two moments are not both after the last batch.
            .commit(|under, batch| {
                pause();
                under.commit(batch)
            }),
        Mutant::new("C-01", "a kind of step is passed over").commit(|under, batch| {
            under.commit(each(&batch, |step| {
                Some(step).filter(|step| !matches!(step, Step::PutMeasure { .. }))
            }))
        }),
    ]
}

fn durable() -> Vec<Mutant> {
    vec![
        Mutant::new("C-02", "the last batch is lost with the handle")
            .commit(|under, batch| {
                let copy = under.store.copy();
                under.notes().copy = Some(copy);
                under.commit(batch)
            })
            .reopen(|under| {
                let copy = under.notes().copy.take();
                copy.map_or_else(|| under.again(), |copy| Under::over(Arc::new(copy)))
            }),
        Mutant::new("C-02", "leases are lost with the handle")
            .commit(|under, batch| {
                under.notes().copy = None;
                under.commit(batch)
            })
            .claim(|under, claim| {
                let copy = under.store.copy();
                under.notes().copy.get_or_insert(copy);
                under.claim(claim)
            })
            .reopen(|under| {
                let copy = under.notes().copy.take();
                copy.map_or_else(|| under.again(), |copy| Under::over(Arc::new(copy)))
            }),
        Mutant::new("C-02", "a refused batch is there after all")
            .commit(|under, batch| {
                let result = under.commit(batch.clone());
                if result.is_err() {
                    under.notes().batches.push(batch);
                }
                result
            })
            .reopen(|under| {
                for batch in &under.notes().batches {
                    piecemeal(under, batch, |_| true);
                }
                under.again()
            }),
        Mutant::new("C-02", "another incarnation each time")
            .info(|under| {
                let mut info = under.info();
                if under.notes().count > 0 {
                    info.incarnation = Uuid::max();
                }
                info
            })
            .reopen(|under| {
                let again = under.again();
                again.notes().count = 1;
                again
            }),
    ]
}

fn again() -> Vec<Mutant> {
    vec![
        Mutant::new("C-03", "every batch is a new one").commit(|under, batch| afresh(under, &batch)),
        Mutant::new("C-03", "a replay is not said to be one")
            .commit(|under, batch| Ok(Receipt { replayed: false, ..under.commit(batch)? })),
        Mutant::new("C-03", "everything is said to be a replay")
            .commit(|under, batch| Ok(Receipt { replayed: true, ..under.commit(batch)? })),
        Mutant::new("C-03", "old batches are forgotten").commit(|under, batch| {
            let known = under.notes().batches.iter().rposition(|known| known.id() == batch.id());
            let count = under.notes().batches.len();
            if known.is_some_and(|place| place + 8 < count) {
                return afresh(under, &batch);
            }
            under.notes().batches.push(batch.clone());
            under.commit(batch)
        }),
        Mutant::new("C-03", "other steps under a used id are applied").commit(|under, batch| {
            match under.commit(batch.clone()) {
                Err(error) if error.conflict_on() == Some(ConflictOn::Batch) => afresh(under, &batch),
                result => result,
            }
        }),
        Mutant::new("C-03", "batches are forgotten with the handle")
            .commit(|under, batch| {
                let reopened = under.notes().count > 0;
                if reopened { afresh(under, &batch) } else { under.commit(batch) }
            })
            .reopen(|under| {
                let again = under.again();
                again.notes().count = 1;
                again
            }),
        Mutant::new("C-03", "whether a batch is known is asked before the transaction").commit(
            |under, batch| {
                if under.notes().ids.contains(&batch.id().uuid()) {
                    return Ok(Receipt { batch: batch.id(), replayed: true });
                }
                pause();
                let result = afresh(under, &batch);
                under.notes().ids.insert(batch.id().uuid());
                result
            },
        ),
    ]
}

fn expected() -> Vec<Mutant> {
    vec![
        Mutant::new("C-04", "versions are not compared").commit(|under, batch| {
            let batch = forced(under, &batch);
            under.commit(batch)
        }),
        Mutant::new("C-04", "`Absent` writes over what is there").commit(|under, batch| {
            let absent = |expect, there| if expect == Expect::Absent { there } else { expect };
            under.commit(expecting(under, &batch, absent))
        }),
        Mutant::new("C-04", "a version makes what is not there").commit(|under, batch| {
            let made = |expect, there| if there == Expect::Absent { there } else { expect };
            under.commit(expecting(under, &batch, made))
        }),
        Mutant::new("C-04", "only a lower version is a conflict").commit(|under, batch| {
            under.commit(expecting(under, &batch, |expect, there| match (expect, there) {
                (Expect::Version(expected), Expect::Version(stored)) if expected > stored => there,
                _ => expect,
            }))
        }),
        Mutant::new("C-04", "only a higher version is a conflict").commit(|under, batch| {
            under.commit(expecting(under, &batch, |expect, there| match (expect, there) {
                (Expect::Version(expected), Expect::Version(stored)) if expected < stored => there,
                _ => expect,
            }))
        }),
        Mutant::new("C-04", "a row that changes nothing is a conflict").commit(|under, batch| {
            let same = |step: &Step| match step {
                Step::PutStream { row, .. } => under.one(&row.key).is_some_and(|there| there.row == *row),
                _ => false,
            };
            if batch.steps().iter().any(same) {
                Err(conflict(ConflictOn::Stream))
            } else {
                under.commit(batch)
            }
        }),
        Mutant::new("C-04", "steps are compared with what was there before the batch").commit(
            |under, batch| {
                let (mut seen, mut stale) = (BTreeSet::new(), false);
                let batch = each(&batch, |step| match step {
                    Step::PutStream { row, expect } if !seen.insert(row.key.clone()) => {
                        stale |= expect != Expect::Absent;
                        None
                    }
                    other => Some(other),
                });
                if stale { Err(conflict(ConflictOn::Stream)) } else { under.commit(batch) }
            },
        ),
        Mutant::new("C-04", "of several streams the first is compared").commit(|under, batch| {
            let forced = forced(under, &batch);
            let mut first = true;
            let steps = batch.steps().iter().zip(forced.steps()).map(|(step, forced)| {
                let rows = matches!(step, Step::PutStream { .. } | Step::Append { .. });
                let keep = rows && std::mem::take(&mut first);
                if keep { step.clone() } else { forced.clone() }
            });
            under.commit(remade(&batch, steps))
        }),
        Mutant::new("C-04", "versions are compared before the transaction").commit(|under, batch| {
            let met = |step: &Step| match step {
                Step::PutStream { row, expect } => under.there(&row.key) == *expect,
                _ => true,
            };
            if !batch.steps().iter().all(met) {
                return under.commit(batch);
            }
            pause();
            for _ in 0..100 {
                let result = under.commit(forced(under, &batch));
                if result.is_ok() {
                    return result;
                }
            }
            under.commit(batch)
        }),
        Mutant::new("C-04", "sequences are compared before the transaction").commit(|under, batch| {
            let [Step::Append { stream, after, events }] = batch.steps() else { return under.commit(batch) };
            if under.last(stream) != *after {
                return Err(conflict(ConflictOn::Stream));
            }
            pause();
            loop {
                let after = under.last(stream);
                let mut events = events.clone();
                for (sequence, event) in (after + 1..).zip(&mut events) {
                    event.sequence = sequence;
                }
                let step = Step::Append { stream: stream.clone(), after, events };
                match under.commit(remade(&batch, [step])) {
                    Err(error) if error.conflict_on() == Some(ConflictOn::Stream) => {}
                    result => return result,
                }
            }
        }),
        Mutant::new("C-04", "who writes while another writes is refused").commit(|under, batch| {
            if std::mem::replace(&mut under.notes().count, 1) == 1 {
                return Err(conflict(ConflictOn::Stream));
            }
            pause();
            let result = under.commit(batch);
            under.notes().count = 0;
            result
        }),
        Mutant::new("C-04", "a conflict is not called one").commit(|under, batch| {
            under.commit(batch).map_err(|failed| match failed.conflict_on() {
                Some(ConflictOn::Stream) => error(StorageErrorKind::Other),
                _ => failed,
            })
        }),
    ]
}

/// What a batch would do, tried on a copy.
trait CopyCommit {
    fn copy_commit(&self, batch: &Batch) -> Answer<Receipt>;
}

impl CopyCommit for MemoryStore {
    fn copy_commit(&self, batch: &Batch) -> Answer<Receipt> {
        Under::over(Arc::new(self.copy())).commit(batch.clone())
    }
}
