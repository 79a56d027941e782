//! C-06, C-07, C-08: stores that are wrong about rows.

use crate::store::{Mutant, Under, each, part, pause, remade, word};
use grc_core::storage::{
    Batch, ConflictOn, EventRange, Fact, LinkKey, Load, Log, Parts, Query, Step, StorageError, StoredEvent,
    StreamKey,
};
use std::collections::BTreeSet;

fn conflict(on: ConflictOn) -> StorageError {
    StorageError::conflict("mutant", on, "so it says")
}

pub(crate) fn mutants() -> Vec<Mutant> {
    [events(), loads(), links()].concat()
}

/// The batch with its events changed.
fn appended(batch: &Batch, change: impl Fn(&StreamKey, &mut u64, &mut Vec<StoredEvent>)) -> Batch {
    each(batch, |step| match step {
        Step::Append { stream, mut after, mut events } => {
            change(&stream, &mut after, &mut events);
            Some(Step::Append { stream, after, events })
        }
        other => Some(other),
    })
}

fn bodies(batch: &Batch, change: fn(&mut Vec<u8>)) -> Batch {
    appended(batch, |_, _, events| events.iter_mut().for_each(|event| change(&mut event.body)))
}

fn renumber(last: u64, after: &mut u64, events: &mut [StoredEvent]) {
    *after = last;
    for (sequence, event) in (last + 1..).zip(events) {
        event.sequence = sequence;
    }
}

fn events() -> Vec<Mutant> {
    vec![
        Mutant::new("C-06", "bodies are kept as text").commit(|under, batch| {
            under.commit(bodies(&batch, |body| {
                *body = String::from_utf8_lossy(body).into_owned().into_bytes()
            }))
        }),
        Mutant::new("C-06", "bodies lose the zeros at their end").commit(|under, batch| {
            under.commit(bodies(&batch, |body| {
                while body.last() == Some(&0) {
                    body.pop();
                }
            }))
        }),
        Mutant::new("C-06", "line ends are made alike").commit(|under, batch| {
            under.commit(bodies(&batch, |body| {
                if *body == b"\r\n" {
                    *body = b"\n".to_vec();
                }
            }))
        }),
        Mutant::new("C-06", "bodies are cut at 64 KiB")
            .commit(|under, batch| under.commit(bodies(&batch, |body| body.truncate(1 << 16)))),
        Mutant::new("C-06", "a late append goes to the end").commit(|under, batch| {
            under.commit(appended(&batch, |stream, after, events| {
                let last = under.last(stream);
                if *after < last {
                    renumber(last, after, events);
                }
            }))
        }),
        Mutant::new("C-06", "an early append closes its gap").commit(|under, batch| {
            under.commit(appended(&batch, |stream, after, events| {
                let last = under.last(stream);
                if *after > last {
                    renumber(last, after, events);
                }
            }))
        }),
        Mutant::new("C-06", "an append of nothing compares nothing").commit(|under, batch| {
            under.commit(each(&batch, |step| match &step {
                Step::Append { events, .. } if events.is_empty() => None,
                _ => Some(step),
            }))
        }),
        Mutant::new("C-06", "a gap among events is closed").commit(|under, batch| {
            under.commit(appended(&batch, |_, after, events| renumber(*after, after, events)))
        }),
        Mutant::new("C-06", "heads are lost").commit(|under, batch| {
            under.commit(appended(&batch, |_, _, events| {
                events.iter_mut().for_each(|event| event.head = [0; 32])
            }))
        }),
        Mutant::new("C-06", "all events name the first batch").events(|under, range| {
            let mut events = under.events(range)?;
            if let Some(first) = events.first().map(|event| event.batch) {
                events.iter_mut().for_each(|event| event.batch = first);
            }
            Ok(events)
        }),
        Mutant::new("C-06", "a page has one event too many").events(|under, range| {
            let limit = range.limit + u32::from((1..1_000).contains(&range.limit));
            under.events(EventRange { limit, ..range })
        }),
        Mutant::new("C-06", "a page begins at the event it should begin after").events(|under, range| {
            under.events(EventRange { after: range.after.saturating_sub(1), ..range })
        }),
        Mutant::new("C-06", "events come newest first").events(|under, range| {
            let mut events = under.events(range)?;
            events.reverse();
            Ok(events)
        }),
        Mutant::new("C-06", "pages of any size are given")
            .events(|under, range| under.events(EventRange { limit: range.limit.clamp(1, 1_000), ..range })),
        Mutant::new("C-06", "the kind of a stream is not looked at")
            .commit(|under, batch| {
                under.commit(each(&batch, |step| match step {
                    Step::Append { stream, after, events } => {
                        let stream = StreamKey { kind: word("request"), ..stream };
                        Some(Step::Append { stream, after, events })
                    }
                    other => Some(other),
                }))
            })
            .events(|under, range| {
                let stream = StreamKey { kind: word("request"), ..range.stream };
                under.events(EventRange { stream, ..range })
            }),
        Mutant::new("C-06", "the access log is the history")
            .events(|under, range| under.events(EventRange { log: Log::History, ..range })),
        Mutant::new("C-06", "the access log is not paged").events(|under, range| match range.log {
            Log::Access => under.events(EventRange { after: 0, limit: 1_000, ..range }),
            Log::History => under.events(range),
        }),
        Mutant::new("C-06", "reading is written in the history").commit(|under, batch| {
            let read = batch.steps().iter().find_map(|step| match step {
                Step::LogAccess(access) => Some(access.stream.clone()),
                _ => None,
            });
            let result = under.commit(batch.clone());
            if let (Ok(_), Some(stream)) = (&result, read) {
                let after = under.last(&stream);
                let event =
                    StoredEvent { sequence: after + 1, batch: batch.id(), head: [0; 32], body: Vec::new() };
                let _ = under.commit(part(&batch, 1, [Step::Append { stream, after, events: vec![event] }]));
            }
            result
        }),
    ]
}

fn loads() -> Vec<Mutant> {
    vec![
        Mutant::new("C-07", "one fact is lost").load(|under, load| {
            let mut loaded = under.load(load)?;
            loaded.streams.iter_mut().flatten().for_each(|record| record.row.facts.set(Fact::Lon, None));
            Ok(loaded)
        }),
        Mutant::new("C-07", "the authority of birth is the present one").load(|under, load| {
            let mut loaded = under.load(load)?;
            for record in loaded.streams.iter_mut().flatten() {
                record.row.birth = record.row.key.authority.clone();
            }
            Ok(loaded)
        }),
        Mutant::new("C-07", "the version of the fold has 16 bits").load(|under, load| {
            let mut loaded = under.load(load)?;
            loaded.streams.iter_mut().flatten().for_each(|record| record.row.fold %= 1 << 16);
            Ok(loaded)
        }),
        Mutant::new("C-07", "numbers have 53 bits").load(|under, load| {
            let mut loaded = under.load(load)?;
            for record in loaded.streams.iter_mut().flatten() {
                let cut = record.row.facts.integer(Fact::Opened).map(|n| n.clamp(-(1 << 53), 1 << 53));
                record.row.facts.set(Fact::Opened, cut.map(grc_core::storage::FactValue::Integer));
            }
            Ok(loaded)
        }),
        Mutant::new("C-07", "a row keeps the facts of the one before it").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::PutStream { mut row, expect } => {
                    if let Some(before) = under.one(&row.key) {
                        for (fact, value) in before.row.facts.iter() {
                            if row.facts.get(fact).is_none() {
                                row.facts.set(fact, Some(value.clone()));
                            }
                        }
                    }
                    Some(Step::PutStream { row, expect })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-07", "what is absent is left out of the answer").load(|under, load| {
            let mut loaded = under.load(load)?;
            loaded.streams.retain(Option::is_some);
            Ok(loaded)
        }),
        Mutant::new("C-07", "streams are answered in order of id").load(|under, mut load| {
            load.streams.sort();
            under.load(load)
        }),
        Mutant::new("C-07", "an empty part is no part").load(|under, load| {
            let mut loaded = under.load(load)?;
            for record in loaded.streams.iter_mut().flatten() {
                record.vault.retain(|_, bytes| !bytes.is_empty());
            }
            Ok(loaded)
        }),
        Mutant::new("C-07", "all parts are given, whichever were asked for")
            .load(|under, load| under.load(Load { parts: Parts::All, ..load })),
        Mutant::new("C-07", "a part is written once").commit(|under, batch| {
            under.commit(each(&batch, |step| match &step {
                Step::PutVault { stream, part, .. }
                    if under.one(stream).is_some_and(|record| record.vault.contains_key(part)) =>
                {
                    None
                }
                _ => Some(step),
            }))
        }),
        Mutant::new("C-07", "of two parts of one name in a batch the first stays").commit(|under, batch| {
            let mut seen = BTreeSet::new();
            under.commit(each(&batch, |step| match &step {
                Step::PutVault { stream, part, .. } if !seen.insert((stream.clone(), *part)) => None,
                _ => Some(step),
            }))
        }),
        Mutant::new("C-07", "the first version of the organisation is loaded").load(|under, load| {
            let mut loaded = under.load(load)?;
            loaded.organisation = loaded.organisation.min(1);
            Ok(loaded)
        }),
    ]
}

/// The streams of requests that a link leads to.
fn leads(under: &Under, batch: &Batch, key: &LinkKey) -> Vec<StreamKey> {
    let query = Query { linked: Some(key.clone()), ..Query::new(batch.authority().clone(), word("request")) };
    under.everything(&query).unwrap().into_iter().map(|record| record.row.key).collect()
}

fn requests(under: &Under, batch: &Batch) -> Vec<StreamKey> {
    let query = Query::new(batch.authority().clone(), word("request"));
    under.everything(&query).unwrap().into_iter().map(|record| record.row.key).collect()
}

fn relinked(batch: &Batch, change: fn(LinkKey) -> LinkKey) -> Batch {
    each(batch, |step| match step {
        Step::PutLink(mut link) => {
            link.key = change(link.key);
            Some(Step::PutLink(link))
        }
        Step::DropLink { key, stream } => Some(Step::DropLink { key: change(key), stream }),
        other => Some(other),
    })
}

fn lower(mut key: LinkKey) -> LinkKey {
    key.key.make_ascii_lowercase();
    key
}

fn one_kind(key: LinkKey) -> LinkKey {
    LinkKey { kind: word("link"), ..key }
}

fn prefixed(batch: &Batch, change: fn(&str) -> String) -> Batch {
    each(batch, |step| match step {
        Step::DropLinks { stream, prefix } => Some(Step::DropLinks { stream, prefix: change(&prefix) }),
        other => Some(other),
    })
}

fn links() -> Vec<Mutant> {
    vec![
        Mutant::new("C-08", "a unique link is a link like others").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::PutLink(link) => Some(Step::PutLink(grc_core::storage::Link { unique: false, ..link })),
                other => Some(other),
            }))
        }),
        Mutant::new("C-08", "a plain link is made beside a unique one").commit(|under, batch| {
            under.commit(each(&batch, |step| match &step {
                Step::PutLink(link) if !link.unique && under.store.refuses(&batch, &step) => None,
                _ => Some(step),
            }))
        }),
        Mutant::new("C-08", "a link that others have becomes unique").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::PutLink(link) if link.unique => {
                    let plain = Step::PutLink(grc_core::storage::Link { unique: false, ..link.clone() });
                    let made = under.store.refuses(&batch, &Step::PutLink(link.clone()))
                        && !under.store.refuses(&batch, &plain);
                    Some(if made { plain } else { Step::PutLink(link) })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-08", "every link is unique").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::PutLink(link) => Some(Step::PutLink(grc_core::storage::Link { unique: true, ..link })),
                other => Some(other),
            }))
        }),
        Mutant::new("C-08", "a link is made once").commit(|under, batch| {
            let twice = batch.steps().iter().any(|step| match step {
                Step::PutLink(link) => leads(under, &batch, &link.key).contains(&link.stream),
                _ => false,
            });
            if twice { Err(conflict(ConflictOn::Link)) } else { under.commit(batch) }
        }),
        Mutant::new("C-08", "kinds of links are not told apart")
            .commit(|under, batch| under.commit(relinked(&batch, one_kind)))
            .query(|under, query| {
                let linked = query.linked.clone().map(one_kind);
                under.query(Query { linked, ..query })
            }),
        Mutant::new("C-08", "keys are compared as text, whatever their case")
            .commit(|under, batch| under.commit(relinked(&batch, lower)))
            .query(|under, query| {
                let linked = query.linked.clone().map(lower);
                under.query(Query { linked, ..query })
            }),
        Mutant::new("C-08", "a link is dropped wherever it leads").commit(|under, batch| {
            let steps = batch.steps().iter().flat_map(|step| match step {
                Step::DropLink { key, .. } => leads(under, &batch, key)
                    .into_iter()
                    .map(|stream| Step::DropLink { key: key.clone(), stream })
                    .collect(),
                other => vec![other.clone()],
            });
            under.commit(remade(&batch, steps.collect::<Vec<_>>()))
        }),
        Mutant::new("C-08", "dropping what is absent is a conflict").commit(|under, batch| {
            let absent = batch.steps().iter().any(|step| match step {
                Step::DropLink { key, stream } => !leads(under, &batch, key).contains(stream),
                _ => false,
            });
            if absent { Err(conflict(ConflictOn::Link)) } else { under.commit(batch) }
        }),
        Mutant::new("C-08", "an underscore in a prefix is any character").commit(|under, batch| {
            under.commit(prefixed(&batch, |prefix| prefix.split('_').next().unwrap_or("").to_owned()))
        }),
        Mutant::new("C-08", "a percent sign in a prefix is any text").commit(|under, batch| {
            under.commit(prefixed(&batch, |prefix| prefix.split('%').next().unwrap_or("").to_owned()))
        }),
        Mutant::new("C-08", "an empty prefix is the beginning of no kind").commit(|under, batch| {
            under.commit(prefixed(&batch, |prefix| {
                if prefix.is_empty() { "no-such".to_owned() } else { prefix.to_owned() }
            }))
        }),
        Mutant::new("C-08", "links of other streams are dropped too").commit(|under, batch| {
            let steps = batch.steps().iter().flat_map(|step| match step {
                Step::DropLinks { prefix, .. } => requests(under, &batch)
                    .into_iter()
                    .map(|stream| Step::DropLinks { stream, prefix: prefix.clone() })
                    .collect(),
                other => vec![other.clone()],
            });
            under.commit(remade(&batch, steps.collect::<Vec<_>>()))
        }),
        Mutant::new("C-08", "unique links are compared before the transaction").commit(|under, batch| {
            if batch.steps().iter().any(|step| under.store.refuses(&batch, step)) {
                return under.commit(batch);
            }
            pause();
            under.commit(each(&batch, |step| match step {
                Step::PutLink(link) => Some(Step::PutLink(grc_core::storage::Link { unique: false, ..link })),
                other => Some(other),
            }))
        }),
    ]
}

/// Whether a link alone would be a conflict.
trait Refuses {
    fn refuses(&self, batch: &Batch, step: &Step) -> bool;
}

impl Refuses for grc_core::storage::MemoryStore {
    fn refuses(&self, batch: &Batch, step: &Step) -> bool {
        matches!(step, Step::PutLink(_))
            && Under::over(std::sync::Arc::new(self.copy())).commit(part(batch, 99, [step.clone()])).is_err()
    }
}
