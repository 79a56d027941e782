//! C-05, C-16, C-19: stores that take what they should refuse.

use crate::{
    batches::{error, piecemeal},
    store::{Mutant, Reading, Under, each, nothing, part, pause, remade},
};
use grc_core::{
    Condition, Moment,
    storage::{
        Batch, ConflictOn, DocumentRange, IndexValue, Order, Query, Step, StorageErrorKind, StoreInfo,
    },
};
use std::collections::BTreeSet;

pub(crate) fn mutants() -> Vec<Mutant> {
    [unknown(), receipts(), limits()].concat()
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
        Mutant::new("C-19", "pages of measures have no end").measures(|under, from| {
            let mut page = under.measures(from.clone())?;
            while let (true, Some(after)) = (from.limit > 1_000, page.next.take()) {
                let more = under.measures(Reading { after: Some(after), ..from.clone() })?;
                page.rows.extend(more.rows);
                page.next = more.next;
            }
            Ok(page)
        }),
        Mutant::new("C-19", "claims have no end").claim(|under, claim| {
            let mut claimed = under.claim(claim.clone())?;
            if claim.limit > 1_000 && claimed.len() == 1_000 {
                claimed.extend(under.claim(claim)?);
            }
            Ok(claimed)
        }),
        Mutant::new("C-19", "pages of documents have no end").documents(|under, range| {
            let mut found = under.documents(range.clone())?;
            if range.limit > 1_000 && found.len() == 1_000 {
                let after = found.last().map(|document| document.name.clone());
                found.extend(under.documents(DocumentRange { after, ..range })?);
            }
            Ok(found)
        }),
        Mutant::new("C-19", "the body of a task has no limit").commit(|under, batch| {
            let full =
                |step: &Step| matches!(step, Step::Schedule(task) if task.body.len() > StoreInfo::MAX_BODY);
            if !batch.steps().iter().any(full) {
                return under.commit(batch);
            }
            // It is taken as large as it is let.
            under.commit(each(&batch, |step| match step {
                Step::Schedule(mut task) => {
                    task.body.truncate(StoreInfo::MAX_BODY);
                    Some(Step::Schedule(task))
                }
                other => Some(other),
            }))
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
