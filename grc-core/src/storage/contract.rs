//! The `Store` trait and its clauses.
//!
//! | clause | what a store promises |
//! |---|---|
//! | C-01 | a batch is applied whole or not at all, at every point of failure |
//! | C-02 | a batch is durable when `commit` returns: it survives the death of the process and of the machine, as far as the disk keeps its word |
//! | C-03 | the same batch id again changes nothing and answers `replayed`, however often and however late; a batch of the same id with other steps may be answered so, or refused as a conflict |
//! | C-04 | a step's expectation is checked in the same transaction as its write; of two batches that expect the same version one at most succeeds |
//! | C-05 | a step, condition or order that the store does not know is refused (`Unsupported`), and nothing of the call is done |
//! | C-06 | events have sequences from 1 without gap, are never changed, and are read back byte for byte, in order |
//! | C-07 | a row that was written is read back as it was written by any later call on any handle of the store |
//! | C-08 | a unique link leads to one stream at most; other links to any number. Links of both sorts under one key exclude each other; when two commits make one of each at once, that is not promised: a kind of link is always unique, or never |
//! | C-09 | `claim` gives out only tasks that are due at its moment, not dead, not held, and the first living one of their queue; never the same task to two callers; each claim raises attempts and the lease number |
//! | C-10 | a step under a lease that is not the task's present one is a conflict; a task that was never claimed has none, and one that is put back has another number. Tasks are known by their id; the queue in a reference says where to look |
//! | C-11 | `Cancel` takes away living, held and dead tasks alike |
//! | C-12 | `query` gives exactly the streams that meet the condition, in the order asked, each once over all pages, with equal keys in order of id; rows that come or go between pages neither repeat nor hide others |
//! | C-13 | a page looks at no more rows than `scan`; it may be short and still have a cursor |
//! | C-14 | a cursor of another list, or a damaged one, is refused |
//! | C-15 | document versions grow by one; `PutDocument` and `DropDocument` exclude each other; `Current` is compared inside the commit, exactly where commits are serial, else within [`StoreInfo::lag`]; `RaiseDocument` never lowers a version |
//! | C-16 | a receipt under the token of another that has not expired at the batch's moment is a conflict |
//! | C-17 | the feed names everything that each batch wrote, each batch once (also one that wrote nothing but was compared), in an order that agrees with each stream's versions; a reader that follows it misses nothing, however long a commit took. If the store can lose what it showed (it fell before it had flushed it), the cursor of who saw it is refused |
//! | C-18 | `measures` gives each measure row that was there throughout the reading once |
//! | C-19 | limits are checked before anything is written (`Limit`), and that a batch writes streams of its own authority only: [`Batch::check`] does both. Page sizes out of range are refused for lists and events, and brought into range elsewhere |
//! | C-20 | a store reads no clock and no random source, except for its incarnation and ids of its own files |
//! | C-21 | nothing that was dropped can be read through any call |
//! | C-22 | authorities do not see each other: every read is within one |
//!
//! A new need is met, in this order, by a new step or variant, a field with a neutral default, and only then by a
//! method. The trait has ten methods and no default bodies.

use super::{
    Batch, ChangePage, Cursor, Document, DocumentRange, EventRange, MeasurePage, Page, Query, Receipt,
    ReceiptRow, StorageError, StoredEvent, StreamKey, StreamRecord, Task,
};
use crate::{Moment, Word, vault::Part};
use async_trait::async_trait;
use std::{collections::BTreeSet, fmt, time::Duration};
use uuid::Uuid;

/// Constant facts about a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreInfo {
    /// What kind it is, for messages: `memory`, `sqlite`…
    pub name: &'static str,
    /// Made with the store; another one means that it was replaced.
    pub incarnation: Uuid,
    /// Whether it was marked as a test store when it was created: then a seeded entropy is accepted.
    pub test: bool,
    /// What dropping a row means here for the bytes on the disk, in a sentence that a certificate can quote.
    pub erasure: &'static str,
    /// How long after a document was changed a batch may still be committed that compared it as it was before
    /// ([`super::Step::Current`]); zero where commits are serial.
    pub lag: Duration,
}

impl StoreInfo {
    /// The contract that this version of the library asks for.
    pub const CONTRACT: u32 = 1;
    /// Most rows of a page.
    pub const MAX_PAGE: u32 = 1_000;
    /// Most steps of a batch.
    pub const MAX_STEPS: usize = 2_000;
    /// Most bytes of one body, vault part or blob piece.
    pub const MAX_BODY: usize = 4 << 20;
    /// Most bytes of a queue's name or a link's key.
    pub const MAX_KEY: usize = 200;

    /// Describes a store.
    pub const fn new(name: &'static str, incarnation: Uuid, test: bool, erasure: &'static str) -> Self {
        Self { name, incarnation, test, erasure, lag: Duration::ZERO }
    }

    /// With a time within which documents are compared, for a store whose commits are not serial.
    #[must_use]
    pub const fn with_lag(mut self, lag: Duration) -> Self {
        self.lag = lag;
        self
    }
}

/// Which parts of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Parts {
    /// None.
    #[default]
    None,
    /// These.
    These(BTreeSet<Part>),
    /// All.
    All,
}

/// What to load.
#[derive(Debug, Clone)]
pub struct Load {
    /// Whose.
    pub authority: Word,
    /// Which streams (at most [`StoreInfo::MAX_PAGE`]).
    pub streams: Vec<StreamKey>,
    /// With which parts of their vaults.
    pub parts: Parts,
    /// The receipt under this token.
    pub receipt: Option<[u8; 16]>,
}

/// What was loaded, all of one moment.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The streams, in the order asked.
    pub streams: Vec<Option<StreamRecord>>,
    /// The receipt, expired or not.
    pub receipt: Option<ReceiptRow>,
    /// The newest version of the document `organisation` / `main`; 0 if there is none.
    pub organisation: u64,
}

/// Which log of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Log {
    /// Its events.
    History,
    /// Who read its sensitive fields.
    Access,
}

/// A claim of due tasks.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose.
    pub authority: Word,
    /// Of these kinds; none means all.
    pub kinds: Option<Vec<Word>>,
    /// Now, by the engine's clock.
    pub now: Moment,
    /// Until when they are held.
    pub until: Moment,
    /// At most so many (1 to [`StoreInfo::MAX_PAGE`]).
    pub limit: u32,
}

/// What a scrub did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// What was made physically gone.
    pub done: Vec<String>,
    /// What could not be, and why.
    pub could_not: Vec<String>,
}

/// Contract between the engine and who writes a store. Users of the library want [`crate::Grc`].
/// No method has a default body: a default that an adapter forgets to override is a bug that compiles.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Constant facts. Cheap, no I/O.
    fn info(&self) -> StoreInfo;

    /// Applies the whole batch, or nothing; durable when it returns. The same batch again changes nothing and says so.
    /// Clauses C-01 to C-05, C-08, C-10, C-11, C-15, C-16, C-19.
    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError>;

    /// Reads streams, a receipt and the organisation's version, all of one moment. Clauses C-07, C-21, C-22.
    async fn load(&self, load: &Load) -> Result<Loaded, StorageError>;

    /// Lists streams. Clauses C-05, C-12, C-13, C-14.
    async fn query(&self, query: &Query) -> Result<Page, StorageError>;

    /// Reads a stretch of a stream's history, or of its access log. Clause C-06.
    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError>;

    /// Reads measure rows in bulk. Clause C-18.
    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError>;

    /// Follows the feed. Clause C-17.
    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError>;

    /// Leases due tasks. Clause C-09. If there are more than the limit, which of them is not promised; the stores here
    /// give those that are due the longest.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError>;

    /// Reads documents, by name and version. Clause C-15.
    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError>;

    /// Makes what was dropped physically gone, as far as this store can, and reports what it could not.
    async fn scrub(&self) -> Result<ScrubReport, StorageError>;
}
