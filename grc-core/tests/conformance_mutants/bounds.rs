//! C-20 to C-22: stores with a clock of their own, or that show what is dropped, or what is another authority's.

use crate::store::{Answer, Mutant, Reading, Under, each, part, remade, word};
use grc_core::{
    Moment, Word,
    storage::{
        Batch, ChangePage, Claim, Document, DocumentRange, Load, Loaded, MeasurePage, Page, Parts, Query,
        Receipt, ScrubReport, Step, StorageError, StorageErrorKind, StreamKey, Which,
    },
};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) fn mutants() -> Vec<Mutant> {
    [clocks(), dropped(), returned(), shared(), written()].concat()
}

/// A mutant that does not take a kind of step to heart.
macro_rules! deaf {
    ($name:literal, $pattern:pat) => {
        Mutant::new("C-21", $name).commit(|under, batch| {
            under.commit(each(&batch, |step| Some(step).filter(|step| !matches!(step, $pattern))))
        })
    };
}

/// The measures or parts that a batch would write over what is there are written beside it.
fn dropped() -> Vec<Mutant> {
    vec![
        deaf!("dropped parts of vaults stay", Step::DropVault { .. }),
        deaf!("dropped links stay", Step::DropLinks { .. }),
        deaf!("cancelled tasks stay", Step::Cancel { .. }),
        deaf!("dropped documents stay", Step::DropDocument { .. }),
        Mutant::new("C-21", "dropped index values stay").commit(|under, batch| {
            under.commit(each(&batch, |step| {
                Some(step).filter(|step| !matches!(step, Step::PutIndex { values, .. } if values.is_empty()))
            }))
        }),
        Mutant::new("C-21", "replaced index values stay").commit(|under, batch| {
            let mut values: BTreeMap<String, Vec<_>> = BTreeMap::new();
            for step in under.notes().batches.iter().flat_map(Batch::steps) {
                if let Step::PutIndex { stream, field, values: put } = step {
                    values.entry(format!("{stream:?} {field}")).or_default().extend(put.clone());
                }
            }
            under.notes().batches.push(batch.clone());
            under.commit(each(&batch, |step| match step {
                Step::PutIndex { stream, field, values: put } if !put.is_empty() => {
                    let mut all = values.remove(&format!("{stream:?} {field}")).unwrap_or_default();
                    all.extend(put);
                    Some(Step::PutIndex { stream, field, values: all })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-21", "a dropped part can be listed")
            .commit(|under, batch| {
                let drops = batch.steps().iter().any(|step| matches!(step, Step::DropVault { .. }));
                if drops {
                    let copy = under.store.copy();
                    under.notes().copy.get_or_insert(copy);
                }
                under.commit(batch)
            })
            .query(|under, query| {
                let mut page = under.query(query.clone())?;
                if let Some(copy) = &under.notes().copy {
                    let before = Under::over(Arc::new(copy.copy())).query(query)?;
                    for (row, before) in page.rows.iter_mut().zip(before.rows) {
                        for (part, bytes) in before.vault {
                            row.vault.entry(part).or_insert(bytes);
                        }
                    }
                }
                Ok(page)
            }),
        Mutant::new("C-21", "an old version of a dropped document is read by its number")
            .commit(|under, batch| {
                let drops = batch.steps().iter().any(|step| matches!(step, Step::DropDocument { .. }));
                if drops {
                    let copy = under.store.copy();
                    under.notes().copy.get_or_insert(copy);
                }
                under.commit(batch)
            })
            .documents(|under, range| {
                let notes = under.notes();
                match (&notes.copy, range.which) {
                    (Some(copy), Which::Version(_)) => Under::over(Arc::new(copy.copy())).documents(range),
                    _ => under.documents(range),
                }
            }),
        Mutant::new("C-21", "the measure that was written over is read").commit(|under, batch| {
            let first = under.notes().batches.is_empty();
            if first {
                under.notes().batches.push(batch.clone());
                return under.commit(batch);
            }
            under.commit(each(&batch, |step| {
                Some(step).filter(|step| !matches!(step, Step::PutMeasure { .. }))
            }))
        }),
        Mutant::new("C-21", "a removed blob is read").remove(|_, _| Ok(())),
    ]
}

/// Keeps a copy of the store as it was before anything was dropped.
fn keeping(under: &Under, batch: Batch) -> Answer<Receipt> {
    if batch.steps().iter().any(|step| matches!(step, Step::DropVault { .. })) {
        let copy = under.store.copy();
        under.notes().copy.get_or_insert(copy);
    }
    under.commit(batch)
}

/// Brings back the parts of the vault of a stream that were dropped.
fn back(under: &Under) {
    let key = StreamKey::new(word("town"), word("request"), uuid::Uuid::from_u128(1));
    let copy = under.notes().copy.take();
    let Some(before) = copy.and_then(|copy| Under::over(Arc::new(copy)).one(&key)) else { return };
    let there = under.one(&key).map(|record| record.vault).unwrap_or_default();
    let steps = before.vault.into_iter().filter(|(part, _)| !there.contains_key(part));
    let steps = steps.map(|(part, bytes)| Step::PutVault { stream: key.clone(), part, bytes });
    let id = grc_core::BatchId::from_uuid(uuid::Uuid::from_u128(7 << 90));
    let batch = Batch::new(id, word("town"), grc_core::Moment::EPOCH);
    let _ = under.commit(remade(&batch, steps.collect::<Vec<_>>()));
}

fn returned() -> Vec<Mutant> {
    vec![
        Mutant::new("C-21", "scrubbing brings back what was dropped").commit(keeping).scrub(|under, ()| {
            back(under);
            Ok(ScrubReport::default())
        }),
        Mutant::new("C-21", "scrubbing takes away what lives").scrub(|under, ()| {
            let key = StreamKey::new(word("town"), word("request"), uuid::Uuid::from_u128(1));
            let id = grc_core::BatchId::from_uuid(uuid::Uuid::from_u128(8 << 90));
            let batch = Batch::new(id, word("town"), grc_core::Moment::EPOCH);
            let _ = under.commit(batch.with(Step::DropVault { stream: key, parts: vec![0, 7] }));
            Ok(ScrubReport::default())
        }),
        Mutant::new("C-21", "opening brings back what was dropped").commit(keeping).reopen(|under| {
            back(under);
            under.again()
        }),
    ]
}

/// The other authority of the kit.
fn other(authority: &Word) -> Word {
    if *authority == word("town") { word("county") } else { word("town") }
}

/// The town for who asks with the beginning of its name.
fn longer(authority: &Word) -> Word {
    if authority.as_str() == "tow" { word("town") } else { authority.clone() }
}

/// An authority whose name begins like another's, taken for it.
fn short(authority: &Word) -> Word {
    if authority.as_str().starts_with("town") { word("town") } else { authority.clone() }
}

fn shared() -> Vec<Mutant> {
    vec![
        Mutant::new("C-22", "a stream is loaded whoever asks").load(|under, load| {
            let mut loaded = under.load(load.clone())?;
            for (record, key) in loaded.streams.iter_mut().zip(load.streams) {
                let authority = key.authority.clone();
                let mine = Load { authority, streams: vec![key], parts: load.parts.clone(), receipt: None };
                *record = under.load(mine)?.streams.remove(0);
            }
            Ok(loaded)
        }),
        Mutant::new("C-22", "the names of authorities are compared by their beginning, for streams").load(
            |under, load| {
                let authority = short(&load.authority);
                let streams = load.streams.into_iter();
                let streams = streams.map(|key| StreamKey { authority: short(&key.authority), ..key });
                under.load(Load { authority, streams: streams.collect(), ..load })
            },
        ),
        Mutant::new("C-22", "receipts are shared").load(|under, load| {
            let loaded = under.load(load.clone())?;
            if loaded.receipt.is_none() && load.receipt.is_some() {
                let theirs = Load {
                    authority: other(&load.authority),
                    streams: Vec::new(),
                    parts: Parts::None,
                    receipt: load.receipt,
                };
                return Ok(Loaded { receipt: under.load(theirs)?.receipt, ..loaded });
            }
            Ok(loaded)
        }),
        Mutant::new("C-22", "lists are shared").query(|under, query| {
            let mut page = under.query(query.clone())?;
            let theirs = Query { authority: other(&query.authority), after: None, ..query };
            page.rows.extend(under.query(theirs)?.rows);
            Ok(page)
        }),
        Mutant::new("C-22", "lists are of all whose names begin so").query(|under, query| {
            let authority = short(&query.authority);
            let after = query.after.clone().filter(|_| authority == query.authority);
            let page = under.query(Query { authority, after, ..query })?;
            Ok(Page { ..page })
        }),
        Mutant::new("C-22", "links are shared").query(|under, query| {
            let mut page = under.query(query.clone())?;
            if query.linked.is_some() {
                let theirs = Query { authority: other(&query.authority), after: None, ..query };
                page.rows.extend(under.query(theirs)?.rows);
            }
            Ok(page)
        }),
        Mutant::new("C-22", "measures are shared").measures(|under, from| {
            let mut page = under.measures(from.clone())?;
            let theirs = Reading { authority: other(&from.authority), after: None, ..from };
            page.rows.extend(under.measures(theirs)?.rows);
            Ok(MeasurePage { ..page })
        }),
        Mutant::new("C-22", "measures are of all whose names begin so")
            .measures(|under, from| under.measures(Reading { authority: short(&from.authority), ..from })),
        Mutant::new("C-22", "the feed is shared").changes(|under, from| {
            let begins = from.after.is_none();
            let mut page = under.changes(from.clone())?;
            if begins {
                let theirs = Reading { authority: other(&from.authority), ..from };
                page.changes.extend(under.changes(theirs)?.changes);
            }
            Ok(ChangePage { ..page })
        }),
        Mutant::new("C-22", "the feed is of all whose names begin so")
            .changes(|under, from| under.changes(Reading { authority: short(&from.authority), ..from })),
        Mutant::new("C-22", "the feed is of all that begin with the name")
            .changes(|under, from| under.changes(Reading { authority: longer(&from.authority), ..from })),
        Mutant::new("C-22", "tasks are claimed whoever's they are").claim(|under, claim| {
            let mut claimed = under.claim(claim.clone())?;
            let theirs = Claim { authority: other(&claim.authority), ..claim };
            claimed.extend(under.claim(theirs)?);
            Ok(claimed)
        }),
        Mutant::new("C-22", "documents are shared").documents(|under, range| {
            let mut found: Vec<Document> = under.documents(range.clone())?;
            found.extend(under.documents(DocumentRange { authority: other(&range.authority), ..range })?);
            Ok(found)
        }),
        Mutant::new("C-22", "histories are shared").events(|under, range| {
            let mut found = under.events(range.clone())?;
            let authority = other(&range.stream.authority);
            let stream = StreamKey { authority, ..range.stream.clone() };
            found.extend(under.events(grc_core::storage::EventRange { stream, ..range })?);
            Ok(found)
        }),
    ]
}

fn written() -> Vec<Mutant> {
    vec![
        Mutant::new("C-22", "a batch writes whichever authority it names").commit(|under, batch| {
            let mut theirs: BTreeMap<Word, Vec<Step>> = BTreeMap::new();
            for step in batch.steps() {
                if let Some(key) = step.stream().filter(|key| key.authority != *batch.authority()) {
                    theirs.entry(key.authority.clone()).or_default().push(step.clone());
                }
            }
            if theirs.is_empty() {
                return under.commit(batch);
            }
            for (n, (authority, steps)) in (1..).zip(theirs) {
                let empty = Batch::new(batch.id(), authority, batch.at());
                under.commit(part(&empty, n, steps))?;
            }
            Ok(Receipt { batch: batch.id(), replayed: false })
        }),
        Mutant::new("C-19", "steps of another authority are passed over").commit(|under, batch| {
            let foreign = |step: &Step| step.stream().is_some_and(|key| key.authority != *batch.authority());
            under.commit(each(&batch, |step| Some(step).filter(|step| !foreign(step))))
        }),
        Mutant::new("C-22", "dropping reaches another authority").commit(|under, batch| {
            let theirs = batch.steps().iter().filter_map(|step| match step {
                Step::DropVault { stream, .. }
                | Step::DropLinks { stream, .. }
                | Step::Cancel { stream, .. }
                    if stream.authority != *batch.authority() =>
                {
                    Some((stream.authority.clone(), step.clone()))
                }
                _ => None,
            });
            for (authority, step) in theirs.collect::<Vec<_>>() {
                let empty = Batch::new(batch.id(), authority, batch.at());
                under.commit(part(&empty, 1, [step]))?;
            }
            under.commit(batch)
        }),
    ]
}

/// A moment of a store's own, in 2026.
const NOW: i64 = 1_790_000_000_000_000;

fn clocks() -> Vec<Mutant> {
    vec![
        Mutant::new("C-20", "tasks are due by the store's clock")
            .claim(|under, claim| under.claim(Claim { now: Moment::from_micros(NOW), ..claim })),
        Mutant::new("C-20", "leases are held by the store's clock").claim(|under, claim| {
            let length = claim.until.micros() - claim.now.micros();
            under.claim(Claim { until: Moment::from_micros(NOW + length), ..claim })
        }),
        Mutant::new("C-20", "receipts expire by the store's clock").commit(|under, batch| {
            let empty = Batch::new(batch.id(), batch.authority().clone(), Moment::from_micros(NOW));
            under.commit(batch.steps().iter().cloned().fold(empty, Batch::with))
        }),
        Mutant::new("C-20", "moments before 1970 are refused").commit(|under, batch| {
            if batch.at().micros() < 0 {
                let message = "so it says";
                return Err(StorageError::new("mutant", StorageErrorKind::Other, message));
            }
            under.commit(batch)
        }),
        Mutant::new("C-20", "rows hold something random").commit(|under, batch| {
            let random = under.info().incarnation.as_u128().to_be_bytes().to_vec();
            under.commit(each(&batch, |step| match step {
                Step::PutMeasure { stream, mut bytes } => {
                    bytes.extend_from_slice(&random);
                    Some(Step::PutMeasure { stream, bytes })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-20", "the feed names batches by an id of the store's own").changes(|under, from| {
            let mut page = under.changes(from)?;
            let own = under.info().incarnation.as_u128();
            for change in &mut page.changes {
                let id = change.batch.uuid().as_u128() ^ (own << 64);
                change.batch = grc_core::BatchId::from_uuid(uuid::Uuid::from_u128(id));
            }
            Ok(page)
        }),
    ]
}
