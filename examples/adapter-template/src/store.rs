//! The store: each call checked, handed to a thread, and answered.

use crate::{
    Options, apply, blobs, documents,
    engine::{Draft, Engine, Read},
    error::{NAME, Outcome, limit, unsupported, unusable},
    feed,
    hands::Hands,
    list, reading, tasks,
};
use async_trait::async_trait;
use grc_core::{
    BlobId, Moment, Word,
    storage::{
        Batch, BlobPage, BlobStore, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load,
        Loaded, MeasurePage, Page, Query, Receipt, ScrubReport, StorageError, Store, StoreInfo, StoredEvent,
        Task, filter,
    },
};
use std::{path::Path, sync::Arc};

const ERASURE: &str = "dropped bytes stay in free pages of the file until these are used again, or until a scrub writes \
                       the file anew without them; what the file system and the disk keep of the old file's blocks, and \
                       backups, are not reached";

/// A store in a redb file.
///
/// Calls from any number of tasks and threads are answered by threads of its own: one that writes, a few that read, each
/// call of one moment. A call that is given up is still done.
///
/// Dropping the last handle waits for what was handed in, ends the threads and closes the file.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("town.redb");
/// use adapter_template::Options;
/// use grc_core::storage::{Query, Store};
///
/// let store = Options::new().create(uuid::Uuid::from_u128(7)).open(&path)?;
/// let query = Query::new("rennes".parse()?, "request".parse()?);
/// let page = pollster::block_on(store.query(&query))?;
/// assert!(page.rows.is_empty() && page.next.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RedbStore {
    engine: Arc<Engine>,
    writer: Hands,
    readers: Hands,
}

impl RedbStore {
    pub(crate) fn start(options: &Options, path: &Path) -> Result<Self, StorageError> {
        let engine = Arc::new(Engine::open(path, options)?);
        let no_thread = |error| unusable(format!("no thread for the store: {error}"));
        Ok(Self {
            engine,
            writer: Hands::start("grc-writer", 1).map_err(no_thread)?,
            readers: Hands::start("grc-reader", options.readers).map_err(no_thread)?,
        })
    }

    /// Waits for what was handed in, ends the threads and closes the file. Later calls fail. Dropping the last handle
    /// does the same.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
        self.engine.close();
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Read) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let engine = Arc::clone(&self.engine);
        self.readers.run(move || engine.read(work)).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Draft<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let engine = Arc::clone(&self.engine);
        self.writer.run(move || engine.write(work)).await
    }
}

/// What is brought into range instead of being refused (C-19).
fn page(limit: u32) -> u32 {
    limit.clamp(1, StoreInfo::MAX_PAGE)
}

#[async_trait]
impl Store for RedbStore {
    fn info(&self) -> StoreInfo {
        StoreInfo::new(NAME, self.engine.meta.incarnation, self.engine.meta.test, ERASURE)
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        batch.check(NAME)?;
        self.write(move |draft| apply::apply(draft, &batch)).await
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        if load.streams.len() > StoreInfo::MAX_PAGE as usize {
            return Err(limit("at most 1000 streams at once"));
        }
        let load = load.clone();
        self.read(move |rows| reading::load(rows, &load)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        let start = query.start(NAME)?;
        filter::check(NAME, &query.filter)?;
        let query = query.clone();
        self.read(move |rows| list::read(rows, &query, start)).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        if range.limit == 0 || range.limit > StoreInfo::MAX_PAGE {
            return Err(unsupported("a page has 1 to 1000 rows"));
        }
        let range = range.clone();
        self.read(move |rows| reading::events(rows, &range)).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        let after = after.map(|cursor| cursor.stream(NAME, authority)).transpose()?;
        let authority = authority.clone();
        self.read(move |rows| reading::measures(rows, &authority, after.as_ref(), page(limit))).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        let incarnation = self.engine.meta.incarnation;
        let after = feed::start(incarnation, after)?;
        let authority = authority.clone();
        self.read(move |rows| feed::read(rows, incarnation, &authority, after, page(limit))).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        let claim = claim.clone();
        self.write(move |draft| tasks::claim(draft, &claim)).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        let range = range.clone();
        self.read(move |rows| documents::read(rows, &range)).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        let engine = Arc::clone(&self.engine);
        self.writer.run(move || engine.scrub()).await
    }
}

#[async_trait]
impl BlobStore for RedbStore {
    async fn put(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        if bytes.len() > StoreInfo::MAX_BODY {
            return Err(limit("a piece of a blob has at most 4 MiB"));
        }
        let authority = authority.clone();
        self.write(move |draft| blobs::put(draft, &authority, id, piece, at, &bytes)).await
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let authority = authority.clone();
        self.read(move |rows| blobs::get(rows, &authority, id, piece)).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        let authority = authority.clone();
        self.write(move |draft| blobs::remove(draft, &authority, id)).await
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        let after = blobs::start(after)?;
        let authority = authority.clone();
        self.read(move |rows| blobs::list(rows, &authority, before, after, page(limit))).await
    }
}
