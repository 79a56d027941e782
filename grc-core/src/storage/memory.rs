//! The store in memory: reference of the contract, and oracle of the other stores' tests.

mod blobs;

use super::{
    Access, Batch, Change, ChangePage, Claim, ConflictOn, Cursor, Document, DocumentRange, EventRange,
    Expect, Fact, IndexValue, LinkKey, Load, Loaded, Log, MeasurePage, Order, Page, PageKey, Parts, Query,
    Receipt, ReceiptRow, ScrubReport, Step, StorageError, StorageErrorKind, Store, StoreInfo, StoredEvent,
    StreamKey, StreamRecord, StreamRow, Task, Touched, Which, filter,
};
use crate::{BatchId, BlobId, Moment, TaskId, Word, vault::Part};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

const NAME: &str = "memory";

/// A store in memory, gone with the process. Each commit works on a copy and puts it in place of the old one when
/// every step has succeeded, which is simple, obviously all or nothing, and slow beyond some thousands of requests.
#[derive(Debug)]
pub struct MemoryStore {
    incarnation: Uuid,
    test: bool,
    inner: Mutex<Inner>,
    blobs: Mutex<BTreeMap<(Word, BlobId), Blob>>,
}

type Blob = (Moment, BTreeMap<u32, Vec<u8>>);

#[derive(Debug, Clone, Default)]
struct Inner {
    streams: BTreeMap<StreamKey, Arc<StreamRow>>,
    events: BTreeMap<(StreamKey, u64), Arc<StoredEvent>>,
    vault: BTreeMap<(StreamKey, Part), Arc<Vec<u8>>>,
    measures: BTreeMap<StreamKey, Arc<Vec<u8>>>,
    index: BTreeMap<(StreamKey, Word), Arc<Vec<IndexValue>>>,
    links: BTreeMap<(Word, LinkKey, StreamKey), bool>,
    tasks: BTreeMap<(Word, TaskId), Arc<Task>>,
    documents: BTreeMap<(Word, Word, Word, u64), Arc<Vec<u8>>>,
    receipts: BTreeMap<(Word, [u8; 16]), Arc<ReceiptRow>>,
    access: BTreeMap<(StreamKey, u64), Arc<StoredEvent>>,
    changes: BTreeMap<(Word, u64), Arc<Change>>,
    batches: HashMap<BatchId, Arc<Batch>>,
}

impl MemoryStore {
    /// An empty test store: one that accepts a seeded entropy.
    pub fn new() -> Self {
        Self::with(Uuid::max(), true)
    }

    /// An empty store with an incarnation, marked as a test store or not.
    pub fn with(incarnation: Uuid, test: bool) -> Self {
        Self { incarnation, test, inner: Mutex::default(), blobs: Mutex::default() }
    }

    /// Another store with the same content, as a backup would be.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            incarnation: self.incarnation,
            test: self.test,
            inner: Mutex::new(self.read(Clone::clone)),
            blobs: Mutex::new(self.blobs.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    fn read<T>(&self, f: impl FnOnce(&Inner) -> T) -> T {
        f(&self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
impl MemoryStore {
    /// Changes what was written of each stream, which no batch can.
    pub(crate) fn rewrite(&self, mut change: impl FnMut(&mut StreamRow, &mut [StoredEvent])) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { streams, events, .. } = &mut *inner;
        for (key, row) in streams {
            let of = (key.clone(), 0)..=(key.clone(), u64::MAX);
            let mut history: Vec<StoredEvent> =
                events.range(of).map(|(_, event)| (**event).clone()).collect();
            change(Arc::make_mut(row), &mut history);
            events.extend(history.into_iter().map(|event| ((key.clone(), event.sequence), Arc::new(event))));
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

fn unsupported(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unsupported, message)
}

fn conflict(on: ConflictOn, message: &'static str) -> StorageError {
    StorageError::conflict(NAME, on, message)
}

fn limit(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Limit, message)
}

impl Inner {
    fn newest(&self, authority: &Word, kind: &Word, name: &Word) -> u64 {
        let key = |version| (authority.clone(), kind.clone(), name.clone(), version);
        self.documents.range(key(0)..=key(u64::MAX)).next_back().map_or(0, |((.., version), _)| *version)
    }

    fn drop_documents(&mut self, authority: &Word, kind: &Word, name: &Word) {
        self.documents.retain(|(a, k, n, _), _| (a, k, n) != (authority, kind, name));
    }

    fn last_sequence(&self, stream: &StreamKey) -> u64 {
        self.events
            .range((stream.clone(), 0)..=(stream.clone(), u64::MAX))
            .next_back()
            .map_or(0, |((_, sequence), _)| *sequence)
    }

    fn held(&mut self, authority: &Word, reference: &super::TaskRef) -> Result<Arc<Task>, StorageError> {
        self.tasks
            .get(&(authority.clone(), reference.id))
            .filter(|task| task.lease == reference.lease && reference.lease > 0 && !task.dead)
            .cloned()
            .ok_or_else(|| conflict(ConflictOn::Lease, "the task is held by somebody else, done or gone"))
    }

    #[expect(clippy::too_many_lines, reason = "one arm a step, each a few lines: splitting hides the list")]
    fn apply(&mut self, batch: &Batch) -> Result<(), StorageError> {
        let authority = batch.authority();
        let mut touched = Vec::new();
        for step in batch.steps() {
            let mut wrote = true;
            match step {
                Step::PutStream { row, expect } => {
                    let version = self.streams.get(&row.key).map(|row| row.version);
                    let met = match expect {
                        Expect::Absent => version.is_none(),
                        Expect::Version(expected) => version == Some(*expected),
                    };
                    if !met {
                        return Err(conflict(ConflictOn::Stream, "the stream has another version"));
                    }
                    self.streams.insert(row.key.clone(), Arc::new(row.clone()));
                }
                Step::Append { stream, after, events } => {
                    if self.last_sequence(stream) != *after {
                        return Err(conflict(ConflictOn::Stream, "the stream has other events"));
                    }
                    for (n, event) in events.iter().enumerate() {
                        if event.sequence != after + 1 + n as u64 {
                            return Err(unsupported("events have sequences without gap"));
                        }
                        self.events.insert((stream.clone(), event.sequence), Arc::new(event.clone()));
                    }
                }
                Step::PutVault { stream, part, bytes } => {
                    self.vault.insert((stream.clone(), *part), Arc::new(bytes.clone()));
                }
                Step::DropVault { stream, parts } => {
                    for part in parts {
                        self.vault.remove(&(stream.clone(), *part));
                    }
                }
                Step::PutMeasure { stream, bytes } => {
                    self.measures.insert(stream.clone(), Arc::new(bytes.clone()));
                }
                Step::PutIndex { stream, field, values } => {
                    if values.is_empty() {
                        self.index.remove(&(stream.clone(), field.clone()));
                    } else {
                        self.index.insert((stream.clone(), field.clone()), Arc::new(values.clone()));
                    }
                }
                Step::PutLink(link) => {
                    let elsewhere = self.links.iter().any(|((a, key, stream), unique)| {
                        a == authority
                            && *key == link.key
                            && *stream != link.stream
                            && (*unique || link.unique)
                    });
                    if elsewhere {
                        return Err(conflict(ConflictOn::Link, "another stream has this link"));
                    }
                    self.links
                        .insert((authority.clone(), link.key.clone(), link.stream.clone()), link.unique);
                }
                Step::DropLink { key, stream } => {
                    self.links.remove(&(authority.clone(), key.clone(), stream.clone()));
                }
                Step::DropLinks { stream, prefix } => {
                    self.links
                        .retain(|(_, key, to), _| to != stream || !key.kind.as_str().starts_with(prefix));
                }
                Step::Schedule(task) => {
                    self.tasks.entry((authority.clone(), task.id)).or_insert_with(|| Arc::new(task.clone()));
                }
                Step::Finish(reference) => {
                    self.held(authority, reference)?;
                    self.tasks.remove(&(authority.clone(), reference.id));
                }
                Step::Release { task: reference, due, dead, code, attempts } => {
                    let task = self.held(authority, reference)?;
                    let mut task = Task::clone(&task);
                    task.due = *due;
                    task.dead = *dead;
                    task.code.clone_from(code);
                    task.attempts = attempts.unwrap_or(task.attempts);
                    task.leased_until = Moment::EPOCH;
                    // The lease ends here, so that its holder cannot write under it any more.
                    task.lease += 1;
                    self.tasks.insert((authority.clone(), task.id), Arc::new(task));
                }
                Step::Cancel { stream, kinds } => {
                    self.tasks.retain(|_, task| task.stream != *stream || !kinds.contains(&task.kind));
                }
                Step::PutDocument { document, expect } => {
                    let newest = self.newest(authority, &document.kind, &document.name);
                    let expected = match expect {
                        Expect::Absent => 0,
                        Expect::Version(version) => *version,
                    };
                    if newest != expected {
                        return Err(conflict(ConflictOn::Document, "the document has another version"));
                    }
                    if document.version != newest + 1 {
                        return Err(unsupported("a document's versions grow by one"));
                    }
                    self.put_document(authority, document);
                }
                Step::RaiseDocument(document) => {
                    wrote = self.newest(authority, &document.kind, &document.name) < document.version;
                    if wrote {
                        self.drop_documents(authority, &document.kind, &document.name);
                        self.put_document(authority, document);
                    }
                }
                Step::DropDocument { kind, name, version } => {
                    if self.newest(authority, kind, name) != *version {
                        return Err(conflict(ConflictOn::Document, "the document has another version"));
                    }
                    self.drop_documents(authority, kind, name);
                }
                Step::Current { kind, name, version } => {
                    if self.newest(authority, kind, name) != *version {
                        return Err(conflict(ConflictOn::Document, "the document has another version"));
                    }
                }
                Step::PutReceipt(receipt) => {
                    let key = (authority.clone(), receipt.token);
                    if self.receipts.get(&key).is_some_and(|old| old.expires > batch.at()) {
                        return Err(conflict(ConflictOn::Receipt, "a command with this key was committed"));
                    }
                    self.receipts.insert(key, Arc::new(receipt.clone()));
                }
                Step::LogAccess(Access { stream, body, .. }) => {
                    let n = self
                        .access
                        .range((stream.clone(), 0)..=(stream.clone(), u64::MAX))
                        .next_back()
                        .map_or(1, |((_, n), _)| n + 1);
                    let row =
                        StoredEvent { sequence: n, batch: batch.id(), head: [0; 32], body: body.clone() };
                    self.access.insert((stream.clone(), n), Arc::new(row));
                }
                Step::Unknown => return Err(unsupported("this step is not known")),
            }
            if wrote {
                touched.extend(step.touched());
            }
        }
        for stream in batch.beside(&touched) {
            let version = self.streams.get(stream).map_or(0, |row| row.version);
            touched.push(Touched::Stream(stream.clone(), version));
        }
        let next = self
            .changes
            .range((authority.clone(), 0)..=(authority.clone(), u64::MAX))
            .next_back()
            .map_or(1, |((_, n), _)| n + 1);
        self.changes.insert((authority.clone(), next), Arc::new(Change { batch: batch.id(), touched }));
        Ok(())
    }

    fn put_document(&mut self, authority: &Word, document: &Document) {
        self.documents.insert(
            (authority.clone(), document.kind.clone(), document.name.clone(), document.version),
            Arc::new(document.body.clone()),
        );
    }

    /// The values of a field in a stream's index rows.
    fn values(&self, stream: &StreamKey, field: &Word) -> &[IndexValue] {
        self.index.get(&(stream.clone(), field.clone())).map_or(&[], |values| values.as_slice())
    }

    fn record(&self, row: &Arc<StreamRow>, parts: &Parts) -> StreamRecord {
        let vault = self
            .vault
            .range((row.key.clone(), 0)..=(row.key.clone(), Part::MAX))
            .filter(|((_, part), _)| match parts {
                Parts::None => false,
                Parts::These(these) => these.contains(part),
                Parts::All => true,
            })
            .map(|((_, part), bytes)| (*part, Vec::clone(bytes)))
            .collect();
        StreamRecord { row: StreamRow::clone(row), vault }
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(NAME, self.incarnation, self.test, "the bytes are freed in this process's memory")
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        batch.check(NAME)?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = inner.batches.get(&batch.id()) {
            return if **before == batch {
                Ok(Receipt { batch: batch.id(), replayed: true })
            } else {
                Err(conflict(ConflictOn::Batch, "a batch of this id was committed with other steps"))
            };
        }
        let mut next = inner.clone();
        next.apply(&batch)?;
        let id = batch.id();
        next.batches.insert(id, Arc::new(batch));
        *inner = next;
        Ok(Receipt { batch: id, replayed: false })
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        if load.streams.len() > StoreInfo::MAX_PAGE as usize {
            return Err(limit("at most 1000 streams at once"));
        }
        Ok(self.read(|inner| Loaded {
            streams: load
                .streams
                .iter()
                .map(|key| {
                    (key.authority == load.authority)
                        .then(|| inner.streams.get(key).map(|row| inner.record(row, &load.parts)))
                        .flatten()
                })
                .collect(),
            receipt: load.receipt.and_then(|token| {
                inner.receipts.get(&(load.authority.clone(), token)).map(|row| ReceiptRow::clone(row))
            }),
            organisation: inner.newest(&load.authority, &Word::of("organisation"), &Word::of("main")),
        }))
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        let start = query.start(NAME)?;
        // What SQL cannot answer is refused here too, so that the reference is not more generous than the rest.
        filter::check(NAME, &query.filter)?;
        Ok(self.read(|inner| {
            let mut rows: Vec<(PageKey, &Arc<StreamRow>)> = inner
                .streams
                .values()
                .filter(|row| row.key.authority == query.authority && row.key.kind == query.kind)
                .filter(|row| {
                    query.linked.as_ref().is_none_or(|wanted| {
                        inner.links.keys().any(|(authority, key, stream)| {
                            *authority == query.authority
                                && *stream == row.key
                                && key.kind == wanted.kind
                                && (wanted.key.is_empty() || key.key == wanted.key)
                        })
                    })
                })
                .map(|row| {
                    let value = row.facts.integer(Fact::Opened).unwrap_or(i64::MIN);
                    (PageKey { value, id: row.key.id }, row)
                })
                .collect();
            rows.sort_by_key(|(key, _)| *key);
            if query.order == Order::NewestFirst {
                rows.reverse();
            }
            let past = |key: &PageKey| match start {
                None => true,
                Some(start) if query.order == Order::NewestFirst => *key < start,
                Some(start) => *key > start,
            };
            let mut page = Page::default();
            let mut looked = 0;
            let mut last = None;
            let mut rest = rows.into_iter().filter(|(key, _)| past(key)).peekable();
            while let Some((key, row)) = rest.peek() {
                if page.rows.len() == query.limit as usize || looked == query.scan {
                    page.next = last.as_ref().map(|key| query.cursor(key));
                    break;
                }
                looked += 1;
                last = Some(*key);
                let index = |field: &Word| inner.values(&row.key, field);
                if filter::holds(&query.filter, &row.facts, &index) {
                    page.rows.push(inner.record(row, &Parts::These(query.parts.clone())));
                }
                rest.next();
            }
            page
        }))
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        if range.limit == 0 || range.limit > StoreInfo::MAX_PAGE {
            return Err(unsupported("a page has 1 to 1000 rows"));
        }
        let keys = (range.stream.clone(), range.after.saturating_add(1))..=(range.stream.clone(), u64::MAX);
        Ok(self.read(|inner| {
            let log = match range.log {
                Log::History => &inner.events,
                Log::Access => &inner.access,
            };
            log.range(keys).take(range.limit as usize).map(|(_, event)| StoredEvent::clone(event)).collect()
        }))
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        let after = after.map(|cursor| cursor.stream(NAME, authority)).transpose()?;
        let limit = limit.clamp(1, StoreInfo::MAX_PAGE) as usize;
        Ok(self.read(|inner| {
            let mut rows: Vec<_> = inner
                .measures
                .iter()
                .filter(|(key, _)| {
                    key.authority == *authority && after.as_ref().is_none_or(|after| *key > after)
                })
                .take(limit + 1)
                .map(|(key, bytes)| (key.clone(), Vec::clone(bytes)))
                .collect();
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|(key, _)| Cursor::after_stream(key));
            MeasurePage { rows, next }
        }))
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        let mut last = match after {
            None => 0,
            Some(Cursor(bytes)) => {
                let (incarnation, rest) =
                    bytes.split_first_chunk::<16>().ok_or_else(|| unsupported(FOREIGN))?;
                if *incarnation != *self.incarnation.as_bytes() {
                    return Err(unsupported("this cursor is of another store: read everything again"));
                }
                u64::from_be_bytes(rest.try_into().map_err(|_| unsupported(FOREIGN))?)
            }
        };
        Ok(self.read(|inner| {
            let mut changes = Vec::new();
            let keys = (authority.clone(), last.saturating_add(1))..=(authority.clone(), u64::MAX);
            for ((_, n), change) in
                inner.changes.range(keys).take(limit.clamp(1, StoreInfo::MAX_PAGE) as usize)
            {
                changes.push(Change::clone(change));
                last = *n;
            }
            let mut next = self.incarnation.as_bytes().to_vec();
            next.extend_from_slice(&last.to_be_bytes());
            ChangePage { changes, next: Cursor(next) }
        }))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first: BTreeMap<&str, &Arc<Task>> = BTreeMap::new();
        let alive = inner.tasks.iter().filter(|((a, _), task)| *a == claim.authority && !task.dead);
        for (_, task) in alive {
            let entry = first.entry(&task.queue).or_insert(task);
            if (task.order, task.id) < (entry.order, entry.id) {
                *entry = task;
            }
        }
        let mut due: Vec<Task> = first
            .into_values()
            .filter(|task| task.due <= claim.now && task.leased_until <= claim.now)
            .filter(|task| claim.kinds.as_ref().is_none_or(|kinds| kinds.contains(&task.kind)))
            .map(|task| Task::clone(task))
            .collect();
        due.sort_by_key(|task| (task.due, task.id));
        due.truncate(claim.limit.clamp(1, StoreInfo::MAX_PAGE) as usize);
        for task in &mut due {
            task.attempts += 1;
            task.lease += 1;
            task.leased_until = claim.until;
            inner.tasks.insert((claim.authority.clone(), task.id), Arc::new(task.clone()));
        }
        Ok(due)
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        let limit = range.limit.clamp(1, StoreInfo::MAX_PAGE);
        Ok(self.read(|inner| {
            let mut out: Vec<Document> = Vec::new();
            let mut names = 0;
            for ((authority, kind, name, version), body) in &inner.documents {
                let left_out = match range.which {
                    Which::Version(only) => only != *version,
                    Which::Newest => inner.newest(authority, kind, name) != *version,
                    Which::All => false,
                };
                if left_out
                    || *authority != range.authority
                    || *kind != range.kind
                    || range.name.as_ref().is_some_and(|only| only != name)
                    || range.after.as_ref().is_some_and(|after| name <= after)
                {
                    continue;
                }
                // Only names of which something is given count: a page is never empty while more follows.
                if out.last().is_none_or(|last| last.name != *name) {
                    names += 1;
                    if names > limit {
                        break;
                    }
                }
                out.push(Document {
                    kind: kind.clone(),
                    name: name.clone(),
                    version: *version,
                    body: Vec::clone(body),
                });
            }
            out
        }))
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        Ok(ScrubReport { done: vec!["memory of dropped rows was freed".to_owned()], could_not: Vec::new() })
    }
}

const FOREIGN: &str = "this cursor is not ours";
