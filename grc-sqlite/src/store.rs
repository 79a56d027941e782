//! The store: one thread that writes, a few that read.

mod apply;
mod blobs;
mod documents;
mod events;
mod feed;
mod links;
mod load;
mod measures;
mod meta;
mod query;
mod rows;
mod scrub;
mod streams;
mod tasks;
mod writer;

use crate::{
    Options,
    connection::{at_one_moment, store_reader, store_writer},
    error::{NAME, Outcome, closed, limit, unsupported, unusable},
    files,
    pool::Pool,
    schema,
};
use async_trait::async_trait;
use grc_core::{
    BlobId, Moment, Word,
    storage::{
        Batch, BlobPage, BlobStore, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load,
        Loaded, MeasurePage, Page, Query, Receipt, ScrubReport, StorageError, Store, StoreInfo, StoredEvent,
        Task,
    },
};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use uuid::Uuid;
use writer::{Answer, Work, Writer};

const ERASURE: &str = "dropped bytes are overwritten in the database file; copies of them in its write-ahead log go \
                       with the log, which a scrub cuts; backups, and what the disk or the file system keeps of \
                       overwritten blocks, are not reached";

/// A store in an SQLite file.
///
/// Calls from any number of tasks and threads are answered by threads of its own: one that writes, and writes for all
/// who wait with one flush; a few that read, each call of one moment. A call that is given up may still be done.
///
/// Dropping the last handle waits for what was handed in, ends the threads, and moves the write-ahead log into the
/// file, so that the file alone is the store.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("town.db");
/// use grc_core::storage::{Query, Store};
/// use grc_sqlite::Options;
///
/// let opened = Options::new().create(true).open(&path)?;
/// let query = Query::new("rennes".parse()?, "request".parse()?);
/// let page = pollster::block_on(opened.store.query(&query))?;
/// assert!(page.rows.is_empty() && page.next.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    info: StoreInfo,
    file: PathBuf,
    // In this order: the readers end first, so that the writer can cut the log.
    readers: Pool,
    writer: Writer,
}

impl SqliteStore {
    /// How to open one: the same as [`Options::new`].
    pub fn options() -> Options {
        Options::new()
    }

    pub(crate) fn start(options: &Options, path: &Path) -> Result<Self, StorageError> {
        files::prepare(path, options.create, schema::STORE.what)?;
        let (info, writer, readers) = connect(options, path).map_err(|fault| fault.at(path))?;
        let file = path.to_owned();
        let no_thread = |error| unusable(format!("no thread for the store: {error}"));
        Ok(Self {
            readers: Pool::start("grc-reader", readers).map_err(no_thread)?,
            writer: Writer::start(writer, file.clone(), options.clone(), info.incarnation)
                .map_err(no_thread)?,
            info,
            file,
        })
    }

    /// Waits for what was handed in, ends the threads, and moves the write-ahead log into the file. Later calls fail.
    /// Dropping the last handle does the same.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
    }

    /// Whether there is anything in it.
    pub(crate) fn is_filled(&self, options: &Options) -> Result<bool, StorageError> {
        self.aside(options, meta::is_filled)
    }

    /// Notes which keyring belongs to this store, or refuses another one.
    pub(crate) fn bind(&self, options: &Options, keyring: Uuid, keys: &Path) -> Result<(), StorageError> {
        let bound = self.aside(options, |connection| meta::bind(connection, keyring))?;
        if bound == keyring {
            return Ok(());
        }
        Err(unusable(format!(
            "the keys `{}` are of another store than `{}` (keyring {keyring}, expected {bound}): put the right keys \
             file beside it",
            keys.display(),
            self.file.display()
        )))
    }

    /// Something that is done once, while the store is opened, on a connection of its own.
    fn aside<T>(
        &self,
        options: &Options,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Result<T, StorageError> {
        store_writer(&self.file, options)
            .and_then(|connection| work(&connection))
            .map_err(|fault| fault.at(&self.file))
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.readers
            .run(move |connection| at_one_moment(connection, work))
            .await
            .unwrap_or_else(|closed| Err(closed.into()))
            .map_err(|fault| fault.at(&self.file))
    }
}

fn connect(options: &Options, path: &Path) -> Outcome<(StoreInfo, Connection, Vec<Connection>)> {
    let writer = store_writer(path, options)?;
    schema::STORE.migrate(&writer, path, |connection| meta::begin(connection, options.test))?;
    let info = StoreInfo::new(NAME, meta::incarnation(&writer)?, meta::is_test(&writer)?, ERASURE);
    let readers = (0..options.readers.max(1)).map(|_| store_reader(path, options)).collect::<Outcome<_>>()?;
    Ok((info, writer, readers))
}

#[async_trait]
impl Store for SqliteStore {
    fn info(&self) -> StoreInfo {
        self.info.clone()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        batch.check(NAME)?;
        match self.writer.write(Work::Commit(batch)).await? {
            Answer::Receipt(receipt) => Ok(receipt),
            _ => Err(closed()),
        }
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        if load.streams.len() > StoreInfo::MAX_PAGE as usize {
            return Err(limit("at most 1000 streams at once"));
        }
        let load = load.clone();
        self.read(move |connection| load::load(connection, &load)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        let start = query.start(NAME)?;
        let plan = query::plan(query)?;
        let query = query.clone();
        self.read(move |connection| query::read(connection, plan, &query, start)).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        if range.limit == 0 || range.limit > StoreInfo::MAX_PAGE {
            return Err(unsupported("a page has 1 to 1000 rows"));
        }
        let range = range.clone();
        self.read(move |connection| events::read(connection, &range)).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        let after = after.map(|cursor| cursor.stream(NAME, authority)).transpose()?;
        let limit = limit.clamp(1, StoreInfo::MAX_PAGE);
        let authority = authority.clone();
        self.read(move |connection| measures::read(connection, &authority, after.as_ref(), limit)).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        let incarnation = self.info.incarnation;
        let after = feed::start(incarnation, after)?;
        let limit = limit.clamp(1, StoreInfo::MAX_PAGE);
        let authority = authority.clone();
        self.read(move |connection| feed::read(connection, incarnation, &authority, after, limit)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        match self.writer.write(Work::Claim(claim.clone())).await? {
            Answer::Tasks(tasks) => Ok(tasks),
            _ => Err(closed()),
        }
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        let range = range.clone();
        self.read(move |connection| documents::read(connection, &range)).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.writer.scrub().await
    }
}

#[async_trait]
impl BlobStore for SqliteStore {
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
        self.writer.write(Work::PutBlob { authority, id, piece, at, bytes }).await.map(|_| ())
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let authority = authority.clone();
        self.read(move |connection| blobs::get(connection, &authority, id, piece)).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        self.writer.write(Work::RemoveBlob { authority: authority.clone(), id }).await.map(|_| ())
    }

    async fn list(
        &self,
        authority: &Word,
        before: Moment,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<BlobPage, StorageError> {
        let after = blobs::start(after)?;
        let limit = limit.clamp(1, StoreInfo::MAX_PAGE);
        let authority = authority.clone();
        self.read(move |connection| blobs::list(connection, &authority, before, after, limit)).await
    }
}
