//! A store over the store in memory, with one thing broken, and its harness.

use grc_core::{
    BlobId, Moment, TaskId, Word,
    conformance::{Handles, Harness},
    storage::{
        Batch, BlobPage, BlobStore, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Expect,
        Load, Loaded, MeasurePage, MemoryStore, Page, Parts, Query, Receipt, ScrubReport, Step, StorageError,
        Store, StoreInfo, StoredEvent, StreamKey, StreamRecord, Task, Which,
    },
};
use pollster::block_on;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};
use uuid::Uuid;

pub(crate) type Answer<T> = Result<T, StorageError>;

/// How many calls a case may make of one store: a mutant that makes a case go round for ever fails it here. Sound
/// cases make hundreds; the readers of `c01_reader_never_sees_half_a_batch` read on until their writer has ended,
/// however long it has to wait for a processor.
const CALLS: u64 = 40_000;

/// What a mutant has to remember. It is gone when the store is closed, unless the mutant says otherwise.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) copy: Option<MemoryStore>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) ids: BTreeSet<Uuid>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) count: u64,
}

/// The sound store below, each call as a plain function.
#[derive(Debug)]
pub(crate) struct Under {
    pub(crate) store: Arc<MemoryStore>,
    notes: Mutex<Notes>,
    calls: AtomicU64,
}

/// The measures or the feed from a place on.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) authority: Word,
    pub(crate) after: Option<Cursor>,
    pub(crate) limit: u32,
}

/// A piece of a blob.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) authority: Word,
    pub(crate) id: BlobId,
    pub(crate) piece: u32,
}

impl Under {
    pub(crate) fn over(store: Arc<MemoryStore>) -> Self {
        Self { store, notes: Mutex::default(), calls: AtomicU64::new(0) }
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    pub(crate) fn again(&self) -> Self {
        Self::over(Arc::clone(&self.store))
    }

    pub(crate) fn info(&self) -> StoreInfo {
        self.store.info()
    }

    pub(crate) fn commit(&self, batch: Batch) -> Answer<Receipt> {
        block_on(self.store.commit(batch))
    }

    pub(crate) fn load(&self, load: Load) -> Answer<Loaded> {
        block_on(self.store.load(&load))
    }

    pub(crate) fn query(&self, query: Query) -> Answer<Page> {
        block_on(self.store.query(&query))
    }

    pub(crate) fn events(&self, range: EventRange) -> Answer<Vec<StoredEvent>> {
        block_on(self.store.events(&range))
    }

    pub(crate) fn measures(&self, from: Reading) -> Answer<MeasurePage> {
        block_on(self.store.measures(&from.authority, from.after.as_ref(), from.limit))
    }

    pub(crate) fn changes(&self, from: Reading) -> Answer<ChangePage> {
        block_on(self.store.changes(&from.authority, from.after.as_ref(), from.limit))
    }

    pub(crate) fn claim(&self, claim: Claim) -> Answer<Vec<Task>> {
        block_on(self.store.claim(&claim))
    }

    pub(crate) fn documents(&self, range: DocumentRange) -> Answer<Vec<Document>> {
        block_on(self.store.documents(&range))
    }

    fn scrub(&self, (): ()) -> Answer<ScrubReport> {
        block_on(self.store.scrub())
    }

    pub(crate) fn put(&self, (piece, at, bytes): (Piece, Moment, Vec<u8>)) -> Answer<()> {
        block_on(self.store.put(&piece.authority, piece.id, piece.piece, at, bytes))
    }

    pub(crate) fn get(&self, piece: Piece) -> Answer<Option<Vec<u8>>> {
        block_on(self.store.get(&piece.authority, piece.id, piece.piece))
    }

    pub(crate) fn remove(&self, (authority, id): (Word, BlobId)) -> Answer<()> {
        block_on(self.store.remove(&authority, id))
    }

    pub(crate) fn list(&self, (before, from): (Moment, Reading)) -> Answer<BlobPage> {
        block_on(self.store.list(&from.authority, before, from.after, from.limit))
    }

    /// The row of a stream with all of its vault.
    pub(crate) fn one(&self, key: &StreamKey) -> Option<StreamRecord> {
        let load = Load {
            authority: key.authority.clone(),
            streams: vec![key.clone()],
            parts: Parts::All,
            receipt: None,
        };
        self.load(load).unwrap().streams.remove(0)
    }

    /// What a stream's row is written over.
    pub(crate) fn there(&self, key: &StreamKey) -> Expect {
        self.one(key).map_or(Expect::Absent, |record| Expect::Version(record.row.version))
    }

    /// The last event of a stream.
    pub(crate) fn last(&self, key: &StreamKey) -> u64 {
        let range =
            EventRange { stream: key.clone(), log: grc_core::storage::Log::History, after: 0, limit: 1_000 };
        self.events(range).unwrap().last().map_or(0, |event| event.sequence)
    }

    /// The newest version of a document.
    pub(crate) fn newest(&self, authority: &Word, kind: &Word, name: &Word) -> u64 {
        let range = DocumentRange {
            which: Which::Newest,
            ..DocumentRange::newest(authority.clone(), kind.clone(), name.clone())
        };
        self.documents(range).unwrap().last().map_or(0, |document| document.version)
    }

    /// All of a list.
    pub(crate) fn everything(&self, query: &Query) -> Answer<Vec<StreamRecord>> {
        let all = Query { after: None, limit: 1_000, scan: u32::MAX, ..query.clone() };
        Ok(self.query(all)?.rows)
    }
}

macro_rules! hooks {
    ($($name:ident($arguments:ty) -> $answer:ty;)*) => {
        #[derive(Debug, Clone, Copy)]
        struct Hooks {
            info: fn(&Under) -> StoreInfo,
            reopen: fn(&Under) -> Under,
            $($name: fn(&Under, $arguments) -> Answer<$answer>,)*
        }

        impl Hooks {
            const SOUND: Self =
                Self { info: Under::info, reopen: Under::again, $($name: Under::$name,)* };
        }

        impl Mutant {
            $(
                pub(crate) const fn $name(
                    mut self,
                    hook: fn(&Under, $arguments) -> Answer<$answer>,
                ) -> Self {
                    self.hooks.$name = hook;
                    self
                }
            )*
        }

        impl Broken {
            $(
                fn $name(&self, arguments: $arguments) -> Answer<$answer> {
                    let calls = self.under.calls.fetch_add(1, Ordering::Relaxed);
                    assert!(calls < CALLS, "a case goes round for ever");
                    (self.mutant.hooks.$name)(&self.under, arguments)
                }
            )*
        }
    };
}

hooks! {
    commit(Batch) -> Receipt;
    load(Load) -> Loaded;
    query(Query) -> Page;
    events(EventRange) -> Vec<StoredEvent>;
    measures(Reading) -> MeasurePage;
    changes(Reading) -> ChangePage;
    claim(Claim) -> Vec<Task>;
    documents(DocumentRange) -> Vec<Document>;
    scrub(()) -> ScrubReport;
    put((Piece, Moment, Vec<u8>)) -> ();
    get(Piece) -> Option<Vec<u8>>;
    remove((Word, BlobId)) -> ();
    list((Moment, Reading)) -> BlobPage;
}

/// One way to be broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) clause: &'static str,
    pub(crate) name: &'static str,
    hooks: Hooks,
}

impl Mutant {
    pub(crate) const fn new(clause: &'static str, name: &'static str) -> Self {
        Self { clause, name, hooks: Hooks::SOUND }
    }

    pub(crate) const fn info(mut self, hook: fn(&Under) -> StoreInfo) -> Self {
        self.hooks.info = hook;
        self
    }

    pub(crate) const fn reopen(mut self, hook: fn(&Under) -> Under) -> Self {
        self.hooks.reopen = hook;
        self
    }
}

thread_local! {
    static CHOSEN: Cell<Mutant> = const { Cell::new(Mutant::new("", "sound")) };
}

/// The mutant that this thread's cases open from now on. A case opens its stores on the thread that runs it.
pub(crate) fn choose(mutant: Mutant) {
    CHOSEN.set(mutant);
}

#[derive(Debug)]
pub(crate) struct Broken {
    mutant: Mutant,
    under: Under,
}

#[async_trait::async_trait]
impl Store for Broken {
    fn info(&self) -> StoreInfo {
        (self.mutant.hooks.info)(&self.under)
    }

    async fn commit(&self, batch: Batch) -> Answer<Receipt> {
        Self::commit(self, batch)
    }

    async fn load(&self, load: &Load) -> Answer<Loaded> {
        Self::load(self, load.clone())
    }

    async fn query(&self, query: &Query) -> Answer<Page> {
        Self::query(self, query.clone())
    }

    async fn events(&self, range: &EventRange) -> Answer<Vec<StoredEvent>> {
        Self::events(self, range.clone())
    }

    async fn measures(&self, authority: &Word, after: Option<&Cursor>, limit: u32) -> Answer<MeasurePage> {
        Self::measures(self, Reading { authority: authority.clone(), after: after.cloned(), limit })
    }

    async fn changes(&self, authority: &Word, after: Option<&Cursor>, limit: u32) -> Answer<ChangePage> {
        Self::changes(self, Reading { authority: authority.clone(), after: after.cloned(), limit })
    }

    async fn claim(&self, claim: &Claim) -> Answer<Vec<Task>> {
        Self::claim(self, claim.clone())
    }

    async fn documents(&self, range: &DocumentRange) -> Answer<Vec<Document>> {
        Self::documents(self, range.clone())
    }

    async fn scrub(&self) -> Answer<ScrubReport> {
        Self::scrub(self, ())
    }
}

#[async_trait::async_trait]
impl BlobStore for Broken {
    async fn put(&self, authority: &Word, id: BlobId, piece: u32, at: Moment, bytes: Vec<u8>) -> Answer<()> {
        Self::put(self, (Piece { authority: authority.clone(), id, piece }, at, bytes))
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Answer<Option<Vec<u8>>> {
        Self::get(self, Piece { authority: authority.clone(), id, piece })
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Answer<()> {
        Self::remove(self, (authority.clone(), id))
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Answer<BlobPage> {
        Self::list(self, (before, Reading { authority: authority.clone(), after, limit }))
    }
}

/// The chosen mutant as a store that outlives its handles: its guard keeps it.
#[derive(Debug)]
pub(crate) struct Mutants;

fn handles(broken: &Arc<Broken>) -> Handles {
    (Arc::clone(broken) as Arc<dyn Store>, Arc::clone(broken) as Arc<dyn BlobStore>)
}

impl Harness for Mutants {
    type Guard = Arc<Broken>;
    const DURABLE: bool = true;

    fn open() -> (Self::Guard, Handles) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let incarnation = Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into());
        let under = Under::over(Arc::new(MemoryStore::with(incarnation, true)));
        let broken = Arc::new(Broken { mutant: CHOSEN.get(), under });
        let handles = handles(&broken);
        (broken, handles)
    }

    fn reopen(guard: &Self::Guard) -> Option<Handles> {
        let under = (guard.mutant.hooks.reopen)(&guard.under);
        Some(handles(&Arc::new(Broken { mutant: guard.mutant, under })))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        block_on(future)
    }
}

/// The same batch with other steps. One that has none left compares a document that is not there: it is still a batch.
pub(crate) fn remade(batch: &Batch, steps: impl IntoIterator<Item = Step>) -> Batch {
    numbered(batch, batch.id().uuid(), steps)
}

/// A part of a batch, as a batch with an id of its own.
pub(crate) fn part(batch: &Batch, n: u128, steps: impl IntoIterator<Item = Step>) -> Batch {
    numbered(batch, Uuid::from_u128(batch.id().uuid().as_u128() + (n << 64)), steps)
}

fn numbered(batch: &Batch, id: Uuid, steps: impl IntoIterator<Item = Step>) -> Batch {
    let id = grc_core::BatchId::from_uuid(id);
    let made = steps.into_iter().fold(Batch::new(id, batch.authority().clone(), batch.at()), Batch::with);
    if made.steps().is_empty() { made.with(nothing()) } else { made }
}

pub(crate) fn nothing() -> Step {
    Step::Current { kind: word("no"), name: word("such"), version: 0 }
}

/// The batch with each step changed, or left out.
pub(crate) fn each(batch: &Batch, change: impl FnMut(Step) -> Option<Step>) -> Batch {
    remade(batch, batch.steps().iter().cloned().filter_map(change))
}

pub(crate) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

/// Long enough for another thread to come between.
pub(crate) fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(1));
}
