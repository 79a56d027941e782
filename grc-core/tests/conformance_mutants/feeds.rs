//! C-17, C-18: stores that are wrong about the feed and the measures.

use crate::store::{Answer, Mutant, Reading, Under, each, nothing, part, word};
use grc_core::{
    BatchId,
    storage::{Batch, Change, ChangePage, Cursor, MeasurePage, Step, StorageErrorKind, StreamKey, Touched},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(crate) fn mutants() -> Vec<Mutant> {
    [named(), told(), followed(), measures()].concat()
}

/// The feed with each change altered, or left out.
fn altered(page: Answer<ChangePage>, change: impl Fn(&mut Change) -> bool) -> Answer<ChangePage> {
    let mut page = page?;
    page.changes = page.changes.into_iter().filter_map(|mut one| change(&mut one).then_some(one)).collect();
    Ok(page)
}

/// A mutant whose feed does not name something.
macro_rules! silent {
    ($name:literal, $pattern:pat) => {
        Mutant::new("C-17", $name).changes(|under, from| {
            altered(under.changes(from), |change| {
                change.touched.retain(|one| !matches!(one, $pattern));
                true
            })
        })
    };
}

fn named() -> Vec<Mutant> {
    vec![
        silent!("streams are not named", Touched::Stream(..)),
        silent!("events are not named", Touched::Events(..)),
        silent!("parts of vaults are not named", Touched::Vault(..)),
        silent!("links are not named", Touched::Link(_)),
        silent!("links dropped together are not named", Touched::Links(..)),
        silent!("tasks are not named", Touched::Task(..)),
        silent!("cancelled tasks are not named", Touched::Tasks(_)),
        silent!("documents are not named", Touched::Document(..)),
        silent!("dropped documents are not named", Touched::Document(_, _, 0)),
        silent!("receipts are not named", Touched::Receipt(_)),
        silent!("access rows are not named", Touched::Access(_)),
        silent!("the last part of a vault is not named", Touched::Vault(_, 7)),
        Mutant::new("C-17", "a measure or index row alone is not named").changes(|under, from| {
            altered(under.changes(from), |change| {
                if let [Touched::Stream(..)] = change.touched.as_slice() {
                    change.touched.clear();
                }
                true
            })
        }),
        Mutant::new("C-17", "events are named by their first").changes(|under, from| {
            altered(under.changes(from), |change| {
                for one in &mut change.touched {
                    if let Touched::Events(_, last) = one {
                        *last = 1;
                    }
                }
                true
            })
        }),
        Mutant::new("C-17", "a stream is named at the version before").changes(|under, from| {
            altered(under.changes(from), |change| {
                for one in &mut change.touched {
                    if let Touched::Stream(_, version) = one {
                        *version -= 1;
                    }
                }
                true
            })
        }),
        Mutant::new("C-17", "a batch that only compared is not in the feed")
            .changes(|under, from| altered(under.changes(from), |change| !change.touched.is_empty())),
    ]
}

/// Writes something that is only in the feed.
fn told_of(under: &Under, batch: &Batch, n: u128) {
    let _ = under.commit(part(batch, n, [nothing()]));
}

fn told() -> Vec<Mutant> {
    vec![
        Mutant::new("C-17", "every third batch is lost").changes(|under, from| {
            altered(under.changes(from), |change| change.batch.uuid().as_u128() % 3 != 0)
        }),
        Mutant::new("C-17", "the last batch of a full page is lost").changes(|under, from| {
            let limit = from.limit as usize;
            let mut page = under.changes(from)?;
            if limit > 1 && page.changes.len() == limit {
                page.changes.pop();
            }
            Ok(page)
        }),
        Mutant::new("C-17", "the newest come first").changes(|under, from| {
            let mut page = under.changes(from)?;
            page.changes.reverse();
            Ok(page)
        }),
        Mutant::new("C-17", "the last of the first page comes again").changes(|under, from| {
            let first = from.after.is_none();
            let mut page = under.changes(from)?;
            if first && !page.changes.is_empty() {
                let (incarnation, last) = page.next.as_bytes().split_last_chunk::<8>().unwrap();
                let last = u64::from_be_bytes(*last) - 1;
                page.next = Cursor::from_bytes([incarnation, &last.to_be_bytes()].concat());
            }
            Ok(page)
        }),
        Mutant::new("C-17", "a page has one change too many")
            .changes(|under, from| under.changes(Reading { limit: from.limit.saturating_add(1), ..from })),
        Mutant::new("C-17", "replays are in the feed").commit(|under, batch| {
            let receipt = under.commit(batch.clone())?;
            if receipt.replayed {
                let n = under.notes().ids.len() as u128 + 1;
                under.notes().ids.insert(Uuid::from_u128(n));
                told_of(under, &batch, n);
            }
            Ok(receipt)
        }),
        Mutant::new("C-17", "refused batches are in the feed").commit(|under, batch| {
            let result = under.commit(batch.clone());
            if result.is_err() {
                told_of(under, &batch, 1);
            }
            result
        }),
        Mutant::new("C-17", "claims are in the feed").claim(|under, claim| {
            let claimed = under.claim(claim.clone())?;
            if let Some(task) = claimed.first() {
                let id = Uuid::from_u128((u128::from(task.lease) << 100) + task.id.uuid().as_u128());
                told_of(under, &Batch::new(BatchId::from_uuid(id), claim.authority, claim.now), 1);
            }
            Ok(claimed)
        }),
        Mutant::new("C-17", "changes name no batch").changes(|under, from| {
            altered(under.changes(from), |change| {
                change.batch = BatchId::from_uuid(Uuid::nil());
                true
            })
        }),
    ]
}

fn followed() -> Vec<Mutant> {
    vec![
        Mutant::new("C-17", "the cursor of another store is taken").changes(|under, from| {
            let own = under.info().incarnation;
            let after = from.after.clone().map(|cursor| match cursor.as_bytes().split_at_checked(16) {
                Some((_, place)) if cursor.as_bytes().len() == 24 => {
                    Cursor::from_bytes([own.as_bytes().as_slice(), place].concat())
                }
                _ => cursor,
            });
            under.changes(Reading { after, ..from })
        }),
        Mutant::new("C-17", "the cursor of another store is the beginning").changes(
            |under, from| match under.changes(from.clone()) {
                Err(error)
                    if error.kind() == StorageErrorKind::Unsupported
                        && from.after.as_ref().is_some_and(|cursor| cursor.as_bytes().len() == 24) =>
                {
                    under.changes(Reading { after: None, ..from })
                }
                result => result,
            },
        ),
        Mutant::new("C-17", "the end of the feed is its beginning").changes(|under, from| {
            let mut page = under.changes(from)?;
            if page.changes.is_empty() {
                let place = [under.info().incarnation.as_bytes().as_slice(), &[0; 8]].concat();
                page.next = Cursor::from_bytes(place);
            }
            Ok(page)
        }),
        Mutant::new("C-17", "the end of the feed passes over what comes next").changes(|under, from| {
            let mut page = under.changes(from)?;
            if page.changes.is_empty() {
                let (incarnation, last) = page.next.as_bytes().split_last_chunk::<8>().unwrap();
                let last = u64::from_be_bytes(*last) + 1;
                page.next = Cursor::from_bytes([incarnation, &last.to_be_bytes()].concat());
            }
            Ok(page)
        }),
        Mutant::new("C-17", "a follower passes who has not committed yet")
            .changes(|under, from| {
                // What the newest batch wrote is not seen yet, and the cursor is behind it already.
                let newest = under.notes().batches.last().map(Batch::id);
                let fresh = std::mem::take(&mut under.notes().count) > 0;
                altered(under.changes(from), |change| !(fresh && Some(change.batch) == newest))
            })
            .commit(|under, batch| {
                let receipt = under.commit(batch.clone())?;
                let mut notes = under.notes();
                notes.count = 1;
                notes.batches.push(batch);
                Ok(receipt)
            }),
        Mutant::new("C-17", "cursors are of a handle and not of the store")
            .changes(|under, from| {
                let again = under.notes().count > 0;
                let after = from.after.clone().filter(|_| !again);
                under.notes().count = 0;
                under.changes(Reading { after, ..from })
            })
            .reopen(|under| {
                let again = under.again();
                again.notes().count = 1;
                again
            }),
        Mutant::new("C-17", "all stores have one incarnation").info(|under| {
            let mut info = under.info();
            info.incarnation = Uuid::nil();
            info
        }),
    ]
}

fn all_measures(under: &Under, from: &Reading) -> Answer<Vec<(StreamKey, Vec<u8>)>> {
    Ok(under.measures(Reading { after: None, limit: 1_000, ..from.clone() })?.rows)
}

fn measured(batch: &Batch, change: impl Fn(&StreamKey, Vec<u8>) -> Option<Vec<u8>>) -> Batch {
    each(batch, |step| match step {
        Step::PutMeasure { stream, bytes } => {
            change(&stream, bytes).map(|bytes| Step::PutMeasure { stream, bytes })
        }
        other => Some(other),
    })
}

fn measures() -> Vec<Mutant> {
    vec![
        Mutant::new("C-18", "a page begins with the last row of the one before").measures(|under, from| {
            let mut page = under.measures(from.clone())?;
            let last = from.after.as_ref().and_then(|cursor| cursor.stream("mutant", &from.authority).ok());
            if let Some(last) = last {
                page.rows
                    .splice(0..0, all_measures(under, &from)?.into_iter().filter(|(key, _)| *key == last));
                page.rows.truncate(from.limit as usize);
            }
            Ok(page)
        }),
        Mutant::new("C-18", "the first row after a page is passed over").measures(|under, from| {
            let begun = from.after.is_some();
            let mut page = under.measures(from)?;
            if begun && !page.rows.is_empty() {
                page.rows.remove(0);
            }
            Ok(page)
        }),
        Mutant::new("C-18", "one row an id, whatever its kind").measures(|under, from| {
            let mut page = under.measures(from)?;
            let ids: BTreeMap<Uuid, StreamKey> =
                page.rows.iter().map(|(key, _)| (key.id, key.clone())).collect();
            page.rows.retain(|(key, _)| ids.get(&key.id) == Some(key));
            Ok(page)
        }),
        Mutant::new("C-18", "a page has one row too many")
            .measures(|under, from| under.measures(Reading { limit: from.limit.saturating_add(1), ..from })),
        Mutant::new("C-18", "a reading ends after its first page")
            .measures(|under, from| Ok(MeasurePage { next: None, ..under.measures(from)? })),
        Mutant::new("C-18", "a reading never ends").measures(|under, from| {
            let mut page = under.measures(from)?;
            if page.next.is_none() {
                let key = StreamKey::new(word("town"), word("request"), Uuid::nil());
                page.next = Some(Cursor::after_stream(page.rows.last().map_or(&key, |(key, _)| key)));
            }
            Ok(page)
        }),
        Mutant::new("C-18", "a measure is written once").commit(|under, batch| {
            let there = |key: &StreamKey| {
                let from = Reading { authority: key.authority.clone(), after: None, limit: 1_000 };
                all_measures(under, &from).unwrap().iter().any(|(one, _)| one == key)
            };
            under.commit(measured(&batch, |key, bytes| Some(bytes).filter(|_| !there(key))))
        }),
        Mutant::new("C-18", "a measure is cut at 4 bytes").commit(|under, batch| {
            under.commit(measured(&batch, |_, mut bytes| {
                bytes.truncate(4);
                Some(bytes)
            }))
        }),
        Mutant::new("C-18", "a cursor counts rows").measures(|under, from| {
            let place = match &from.after {
                None => 0,
                Some(cursor) => match cursor.as_bytes().try_into() {
                    Ok(bytes) => usize::from_be_bytes(bytes),
                    Err(_) => return under.measures(from),
                },
            };
            let all = all_measures(under, &from)?;
            let end = all.len();
            let rows: Vec<_> = all.into_iter().skip(place).take(from.limit as usize).collect();
            let reached = place + rows.len();
            let next = (reached < end).then(|| Cursor::from_bytes(reached.to_be_bytes().to_vec()));
            Ok(MeasurePage { rows, next })
        }),
        Mutant::new("C-18", "rows that were written during the reading are left out")
            .measures(|under, from| {
                let begun = from.after.is_some();
                let mut page = under.measures(from)?;
                let mut notes = under.notes();
                if begun {
                    let new = |key: &StreamKey| {
                        notes.batches.iter().flat_map(Batch::steps).any(|step| step.stream() == Some(key))
                    };
                    page.rows.retain(|(key, _)| !new(key));
                } else {
                    notes.batches.clear();
                }
                Ok(page)
            })
            .commit(|under, batch| {
                under.notes().batches.push(batch.clone());
                under.commit(batch)
            }),
    ]
}
