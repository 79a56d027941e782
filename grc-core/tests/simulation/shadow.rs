//! What went by: every batch that was offered and written, every lease that was given. What must hold at each commit is
//! checked here, at the moment of it, against nothing that the store says.

use crate::world::At;
use grc_core::{
    BatchId, Moment, TaskId, Word,
    storage::{Batch, Expect, LinkKey, Step, StreamKey, Task, TaskRef},
};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What is in every value that a person types here, and in nothing else: as typed, and as it is normalised.
pub(crate) const NEEDLES: [&str; 3] = ["zqxjvwkq", "39 98 77", "+336399877"];

/// Whether something that a person typed is in these bytes in clear.
pub(crate) fn has_needle(bytes: &[u8]) -> bool {
    NEEDLES.iter().any(|needle| bytes.windows(needle.len()).any(|part| part == needle.as_bytes()))
}

/// Fails if something that a person typed is about to be stored in clear.
#[track_caller]
pub(crate) fn scan(bytes: &[u8]) {
    assert!(!has_needle(bytes), "a typed value is stored in clear: {}", String::from_utf8_lossy(bytes));
}

/// A batch that was offered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offered {
    /// For which intent.
    pub(crate) intent: Option<usize>,
    /// How many events of an actor it has; what due time does besides is not counted.
    pub(crate) events: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Shadow {
    pub(crate) batches: BTreeMap<BatchId, Offered>,
    /// In the order in which they were written, those of the town.
    pub(crate) order: Vec<BatchId>,
    /// When each task last read each stream.
    pub(crate) looked: BTreeMap<(u64, Uuid), u64>,
    /// When each request was anonymised.
    pub(crate) anonymised: BTreeMap<Uuid, u64>,
    /// When each file was handed in: the true time at which that was written.
    pub(crate) handed_in: BTreeMap<String, Moment>,
    /// Every stream.
    pub(crate) streams: BTreeMap<StreamKey, u64>,
    /// Every link that ever led to a stream.
    pub(crate) links: BTreeSet<(LinkKey, StreamKey)>,
    documents: BTreeMap<(Word, Word, Word), u64>,
    leases: BTreeMap<TaskId, u64>,
    /// Tasks that wait, and whether they were given up.
    pub(crate) tasks: BTreeMap<TaskId, (StreamKey, Word, bool)>,
}

impl Shadow {
    pub(crate) fn offered(&mut self, batch: &Batch, at: At) {
        let mut events = 0;
        for step in batch.steps() {
            scan_step(step);
            if let Step::Append { events: appended, .. } = step {
                let by_actor = appended.iter().filter(|event| {
                    let event: Json = serde_json::from_slice(&event.body).unwrap();
                    event["actor"]["kind"] != "timer"
                });
                events += by_actor.count();
            }
        }
        let before = self.batches.insert(batch.id(), Offered { intent: at.intent, events });
        let other = before.and_then(|before| before.intent).filter(|intent| Some(*intent) != at.intent);
        assert_eq!(other, None, "batch {} was offered for another intent before", batch.id());
    }

    pub(crate) fn claimed(&mut self, task: &Task) {
        let last = self.leases.insert(task.id, task.lease).unwrap_or_default();
        assert!(task.lease > last, "task {} was given out under lease {} after {last}", task.id, task.lease);
    }

    /// Whoever ends a task holds it: nobody took it over since.
    fn holds(&self, task: &TaskRef) {
        let last = self.leases.get(&task.id).copied().unwrap_or_default();
        assert_eq!(task.lease, last, "the holder of a lapsed lease of task {} committed", task.id);
    }

    pub(crate) fn written(&mut self, batch: &Batch, tick: u64, now: Moment) {
        let town = batch.authority();
        if *town == *"ville" {
            self.order.push(batch.id());
        }
        for step in batch.steps() {
            match step {
                Step::PutStream { row, expect } => {
                    let before = self.streams.insert(row.key.clone(), row.version).unwrap_or_default();
                    let expected = if let Expect::Version(version) = expect { *version } else { 0 };
                    assert_eq!(before, expected, "two writers won on version {expected} of {:?}", row.key);
                }
                Step::Append { stream, events, .. } => {
                    for event in events {
                        let body: Json = serde_json::from_slice(&event.body).unwrap();
                        if body["kind"] == "anonymised" {
                            self.anonymised.insert(stream.id, tick);
                        }
                        if let Some(blob) = body["data"]["file"]["blob"].as_str() {
                            self.handed_in.insert(blob.to_owned(), now);
                        }
                    }
                }
                Step::PutLink(link) => {
                    self.links.insert((link.key.clone(), link.stream.clone()));
                }
                Step::Schedule(task) => {
                    let waits = (task.stream.clone(), task.kind.clone(), false);
                    self.tasks.entry(task.id).or_insert(waits);
                }
                Step::Finish(task) => {
                    self.holds(task);
                    self.tasks.remove(&task.id);
                }
                Step::Release { task, dead, .. } => {
                    self.holds(task);
                    if let Some(waits) = self.tasks.get_mut(&task.id) {
                        waits.2 = *dead;
                    }
                    *self.leases.entry(task.id).or_default() += 1;
                }
                Step::Cancel { stream, kinds } => {
                    self.tasks.retain(|_, (of, kind, _)| of != stream || !kinds.contains(kind));
                }
                Step::PutDocument { document, .. } | Step::RaiseDocument(document) => {
                    let key = (town.clone(), document.kind.clone(), document.name.clone());
                    let newest = self.documents.entry(key).or_default();
                    *newest = document.version.max(*newest);
                }
                Step::DropDocument { kind, name, .. } => {
                    self.documents.remove(&(town.clone(), kind.clone(), name.clone()));
                }
                Step::Current { kind, name, version } => {
                    let key = (town.clone(), kind.clone(), name.clone());
                    let newest = self.documents.get(&key).copied().unwrap_or_default();
                    assert_eq!(*version, newest, "decided under version {version} of `{kind}` `{name}`");
                }
                _ => {}
            }
        }
    }
}

/// Looks at all bytes of a step.
fn scan_step(step: &Step) {
    match step {
        Step::PutStream { row, .. } => {
            scan(&row.body);
            scan(format!("{:?}", row.facts).as_bytes());
        }
        Step::Append { events, .. } => events.iter().for_each(|event| scan(&event.body)),
        Step::PutVault { bytes, .. } | Step::PutMeasure { bytes, .. } => scan(bytes),
        Step::PutIndex { values, .. } => scan(format!("{values:?}").as_bytes()),
        Step::PutLink(link) => scan(&link.key.key),
        Step::Schedule(task) => {
            scan(&task.body);
            scan(task.queue.as_bytes());
        }
        Step::Release { code, .. } => scan(format!("{code:?}").as_bytes()),
        Step::PutDocument { document, .. } | Step::RaiseDocument(document) => scan(&document.body),
        Step::LogAccess(access) => scan(&access.body),
        _ => {}
    }
}
