//! C-01 to C-05, C-16, C-19: stores that are wrong about batches.

use crate::store::{Answer, Mutant, Under, each, nothing, part, pause, remade};
use grc_core::{
    Condition, Moment,
    storage::{
        Batch, ConflictOn, Expect, IndexValue, MemoryStore, Order, Query, Receipt, Step, StorageError,
        StorageErrorKind, StoreInfo,
    },
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

fn conflict(on: ConflictOn) -> StorageError {
    StorageError::conflict("mutant", on, "so it says")
}

fn error(kind: StorageErrorKind) -> StorageError {
    StorageError::new("mutant", kind, "so it says")
}

/// Applies each step alone, as far as it can be.
fn piecemeal(under: &Under, batch: &Batch, wanted: impl Fn(&Step) -> bool) {
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

fn at(batch: &Batch, moment: i64) -> Batch {
    let empty = Batch::new(batch.id(), batch.authority().clone(), Moment::from_micros(moment));
    batch.steps().iter().cloned().fold(empty, Batch::with)
}

/// Whether somebody has this receipt's token already.
fn taken(under: &Under, batch: &Batch) -> bool {
    batch.steps().iter().any(|step| match step {
        Step::PutReceipt(receipt) => {
            let load = grc_core::storage::Load {
                authority: batch.authority().clone(),
                streams: Vec::new(),
                parts: grc_core::storage::Parts::None,
                receipt: Some(receipt.token),
            };
            under.load(load).unwrap().receipt.is_some_and(|row| row.expires > batch.at())
        }
        _ => false,
    })
}

/// With every relation in a condition, or search in a text, made a constant.
fn constant(condition: &Condition, value: bool, searches: bool) -> Condition {
    match condition {
        Condition::All(parts) => {
            Condition::All(parts.iter().map(|part| constant(part, value, searches)).collect())
        }
        Condition::Any(parts) => {
            Condition::Any(parts.iter().map(|part| constant(part, value, searches)).collect())
        }
        Condition::Not(part) => Condition::Not(Box::new(constant(part, value, searches))),
        Condition::Relation(_) if !searches => Condition::Constant(value),
        Condition::Contains(_, text) if searches && text.contains(' ') => Condition::Constant(value),
        other => other.clone(),
    }
}

fn filtered(query: Query, value: bool, searches: bool) -> Query {
    let filter = constant(&query.filter, value, searches);
    Query { filter, ..query }
}

/// The step with what is too large in it cut to the limit.
fn cut(step: Step) -> Step {
    let body = |bytes: &mut Vec<u8>| bytes.truncate(StoreInfo::MAX_BODY);
    let text = |text: &mut String| text.truncate(StoreInfo::MAX_KEY);
    let mut step = step;
    match &mut step {
        Step::PutStream { row, .. } => body(&mut row.body),
        Step::Append { events, .. } => events.iter_mut().for_each(|event| body(&mut event.body)),
        Step::PutVault { bytes, .. } | Step::PutMeasure { bytes, .. } => body(bytes),
        Step::PutDocument { document, .. } | Step::RaiseDocument(document) => body(&mut document.body),
        Step::LogAccess(access) => body(&mut access.body),
        Step::PutLink(link) => link.key.key.truncate(StoreInfo::MAX_KEY),
        Step::Schedule(task) => text(&mut task.queue),
        Step::PutIndex { values, .. } => {
            for value in values {
                if let IndexValue::Text(value) = value {
                    text(value);
                }
            }
        }
        _ => {}
    }
    step
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
    [whole(), durable(), again(), expected(), unknown(), receipts(), limits()].concat()
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
        Mutant::new("C-01", "a row and its vault are read at two moments").load(|under, load| {
            let mut rows = under
                .load(grc_core::storage::Load { parts: grc_core::storage::Parts::None, ..load.clone() })?;
            pause();
            let vaults = under.load(load)?.streams;
            for (row, vault) in rows.streams.iter_mut().flatten().zip(vaults.into_iter().flatten()) {
                row.vault = vault.vault;
            }
            Ok(rows)
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

fn unknown() -> Vec<Mutant> {
    vec![
        Mutant::new("C-05", "an unknown step is passed over").commit(|under, batch| {
            under.commit(each(&batch, |step| Some(step).filter(|step| *step != Step::Unknown)))
        }),
        Mutant::new("C-05", "an unknown step is refused after what stands before it").commit(
            |under, batch| {
                let known = batch.steps().iter().take_while(|step| **step != Step::Unknown).cloned();
                let known: Vec<_> = known.collect();
                if known.len() < batch.steps().len() {
                    let _ = under.commit(part(&batch, 1, known));
                }
                under.commit(batch)
            },
        ),
        Mutant::new("C-05", "an unknown step is called a limit").commit(|under, batch| {
            let unknown = batch.steps().contains(&Step::Unknown);
            if unknown { Err(error(StorageErrorKind::Limit)) } else { under.commit(batch) }
        }),
        Mutant::new("C-05", "a batch without a step is taken").commit(|under, batch| {
            if batch.steps().is_empty() { under.commit(batch.with(nothing())) } else { under.commit(batch) }
        }),
        Mutant::new("C-05", "an unknown order is the newest first").query(|under, query| {
            let order = if query.order == Order::Unknown { Order::NewestFirst } else { query.order };
            under.query(Query { order, ..query })
        }),
        Mutant::new("C-05", "a relation holds for all")
            .query(|under, query| under.query(filtered(query, true, false))),
        Mutant::new("C-05", "a relation holds for none")
            .query(|under, query| under.query(filtered(query, false, false))),
        Mutant::new("C-05", "a search in texts finds all")
            .query(|under, query| under.query(filtered(query, true, true))),
        Mutant::new("C-05", "a search in texts finds nothing")
            .query(|under, query| under.query(filtered(query, false, true))),
    ]
}

fn receipts() -> Vec<Mutant> {
    vec![
        Mutant::new("C-16", "receipts are written over")
            .commit(|under, batch| under.commit(at(&batch, i64::MAX))),
        Mutant::new("C-16", "a token is taken at the moment of expiry")
            .commit(|under, batch| under.commit(at(&batch, batch.at().micros() - 1))),
        Mutant::new("C-16", "a token is free a moment before expiry")
            .commit(|under, batch| under.commit(at(&batch, batch.at().micros() + 1))),
        Mutant::new("C-16", "a token is taken for ever")
            .commit(|under, batch| under.commit(at(&batch, i64::MIN))),
        Mutant::new("C-16", "an expired receipt is not loaded")
            .commit(|under, batch| {
                under.notes().count = u64::try_from(batch.at().micros()).unwrap_or(0);
                under.commit(batch)
            })
            .load(|under, load| {
                let now = under.notes().count;
                let mut loaded = under.load(load)?;
                loaded.receipt =
                    loaded.receipt.filter(|row| u64::try_from(row.expires.micros()).unwrap_or(0) > now);
                Ok(loaded)
            }),
        Mutant::new("C-16", "of two receipts in a batch the first counts").commit(|under, batch| {
            let mut seen = BTreeSet::new();
            under.commit(each(&batch, |step| match &step {
                Step::PutReceipt(receipt) if !seen.insert(receipt.token) => None,
                _ => Some(step),
            }))
        }),
        Mutant::new("C-16", "a command that was done is done again without a receipt").commit(
            |under, batch| match under.commit(batch.clone()) {
                Err(error) if error.conflict_on() == Some(ConflictOn::Receipt) => under
                    .commit(each(&batch, |step| {
                        Some(step).filter(|step| !matches!(step, Step::PutReceipt(_)))
                    })),
                result => result,
            },
        ),
        Mutant::new("C-16", "receipts are compared before the transaction").commit(|under, batch| {
            if taken(under, &batch) {
                return under.commit(batch);
            }
            pause();
            under.commit(at(&batch, i64::MAX))
        }),
    ]
}

fn limits() -> Vec<Mutant> {
    vec![
        Mutant::new("C-19", "what is too large is cut")
            .commit(|under, batch| under.commit(each(&batch, |step| Some(cut(step))))),
        Mutant::new("C-19", "a body at the limit is refused").commit(|under, batch| {
            let full = |step: &Step| match step {
                Step::PutVault { bytes, .. } => bytes.len() == StoreInfo::MAX_BODY,
                _ => false,
            };
            let refuse = batch.steps().iter().any(full);
            if refuse { Err(error(StorageErrorKind::Limit)) } else { under.commit(batch) }
        }),
        Mutant::new("C-19", "a key at the limit is refused").commit(|under, batch| {
            let full = |step: &Step| match step {
                Step::PutLink(link) => link.key.key.len() == StoreInfo::MAX_KEY,
                _ => false,
            };
            let refuse = batch.steps().iter().any(full);
            if refuse { Err(error(StorageErrorKind::Limit)) } else { under.commit(batch) }
        }),
        Mutant::new("C-19", "keys are counted in characters").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::Schedule(mut task) if task.queue.chars().count() <= StoreInfo::MAX_KEY => {
                    task.queue.truncate(StoreInfo::MAX_KEY);
                    Some(Step::Schedule(task))
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-19", "limits are met while writing").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.as_ref().is_err_and(|error| error.kind() == StorageErrorKind::Limit) {
                piecemeal(under, &batch, |_| true);
            }
            result
        }),
        Mutant::new("C-19", "a batch that is too long is applied in pieces").commit(|under, batch| {
            for (n, steps) in (1..).zip(batch.steps().chunks(StoreInfo::MAX_STEPS).skip(1)) {
                under.commit(part(&batch, n, steps.to_vec()))?;
            }
            let first = batch.steps().iter().take(StoreInfo::MAX_STEPS).cloned();
            if batch.steps().is_empty() { under.commit(batch) } else { under.commit(remade(&batch, first)) }
        }),
        Mutant::new("C-19", "a batch at the limit is refused").commit(|under, batch| {
            let full = batch.steps().len() == StoreInfo::MAX_STEPS;
            if full { Err(error(StorageErrorKind::Limit)) } else { under.commit(batch) }
        }),
        Mutant::new("C-19", "of too many streams the first are loaded").load(|under, mut load| {
            load.streams.truncate(1_000);
            under.load(load)
        }),
        Mutant::new("C-19", "a load at the limit is refused").load(|under, load| {
            let full = load.streams.len() == 1_000;
            if full { Err(error(StorageErrorKind::Limit)) } else { under.load(load) }
        }),
        Mutant::new("C-19", "a piece that is too large is cut").put(|under, (piece, at, mut bytes)| {
            bytes.truncate(StoreInfo::MAX_BODY);
            under.put((piece, at, bytes))
        }),
        Mutant::new("C-19", "a piece at the limit is refused").put(|under, (piece, at, bytes)| {
            let full = bytes.len() == StoreInfo::MAX_BODY;
            if full { Err(error(StorageErrorKind::Limit)) } else { under.put((piece, at, bytes)) }
        }),
        Mutant::new("C-19", "a claim of none takes none")
            .claim(|under, claim| if claim.limit == 0 { Ok(Vec::new()) } else { under.claim(claim) }),
        Mutant::new("C-19", "a page of no measures is refused").measures(|under, from| {
            if from.limit == 0 { Err(error(StorageErrorKind::Unsupported)) } else { under.measures(from) }
        }),
        Mutant::new("C-19", "a page of too many measures is refused").measures(|under, from| {
            if from.limit > 1_000 { Err(error(StorageErrorKind::Limit)) } else { under.measures(from) }
        }),
        Mutant::new("C-19", "a page of no changes stays where it is").changes(|under, from| {
            let after = from.after.clone();
            let mut page = under.changes(from.clone())?;
            if let (0, Some(after)) = (from.limit, after) {
                page = grc_core::storage::ChangePage { changes: Vec::new(), next: after };
            }
            Ok(page)
        }),
        Mutant::new("C-19", "documents of no name are none")
            .documents(|under, range| if range.limit == 0 { Ok(Vec::new()) } else { under.documents(range) }),
        Mutant::new("C-19", "a list of no blobs is refused").list(|under, (before, from)| {
            if from.limit == 0 {
                Err(error(StorageErrorKind::Unsupported))
            } else {
                under.list((before, from))
            }
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
