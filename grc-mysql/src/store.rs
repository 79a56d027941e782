//! The store.

mod apply;
mod blobs;
mod commit;
mod documents;
mod events;
mod feed;
mod lanes;
mod links;
mod load;
mod measures;
mod meta;
mod query;
mod rows;
mod scrub;
mod streams;
mod tasks;

pub(crate) use meta::fresh_id;

use crate::{
    Options,
    database::Database,
    error::{Fault, NAME, Outcome, limit, unsupported},
    schema,
    server::Server,
    settings,
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
use lanes::Lanes;

const ERASURE: &str = "dropped rows are deleted; the server overwrites their bytes when it uses their pages again, which \
                       a scrub does at once for tables up to 512 MiB; its redo, undo, doublewrite and binary logs, its \
                       replicas and its backups keep them until they expire: what was typed is sealed in all of it, \
                       and unreadable once its keys are destroyed in the keyring; an exact place is not, where the \
                       type's places are public";

/// A store in a database of a MySQL or MariaDB server.
///
/// Calls from any number of tasks and threads, on any executor, are answered by connections of its own. Any number of
/// processes and machines may use the same database at once. A call that is given up may still be done.
#[derive(Debug)]
pub struct MysqlStore {
    info: StoreInfo,
    lanes: Lanes,
    database: Database,
}

impl MysqlStore {
    pub(crate) async fn start(options: &Options, address: &str) -> Result<Self, StorageError> {
        let (database, info) = Database::open(options, address, connect).await?;
        let [.., first] = *fresh_id().map_err(|fault| fault.at(database.place()))?.as_bytes();
        Ok(Self { info, lanes: Lanes::starting_at(first % lanes::LANES), database })
    }

    /// Waits for what was handed in, and closes the connections. Later calls fail. Dropping the last handle closes them
    /// without waiting.
    ///
    /// # Errors
    /// None: a connection that cannot be closed is dropped.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

async fn connect(server: Server, options: Options) -> Outcome<StoreInfo> {
    server.try_out().await?;
    let mut session = server.session().await?;
    schema::STORE.migrate(&mut session, options.create, server.place()).await?;
    let (incarnation, test) = meta::identity(&mut session, options.test).await?;
    Ok(StoreInfo::new(NAME, incarnation, test, ERASURE).with_lag(settings::LAG))
}

#[async_trait]
impl Store for MysqlStore {
    fn info(&self) -> StoreInfo {
        self.info.clone()
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        batch.check(NAME)?;
        let lanes = self.lanes.clone();
        self.database
            .run(|server| async move { commit::commit(&server, &lanes, &batch).await.map_err(Fault::Store) })
            .await
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        if load.streams.len() > StoreInfo::MAX_PAGE as usize {
            return Err(limit("at most 1000 streams at once"));
        }
        let load = load.clone();
        self.database
            .run(|server| async move {
                server.read(&load, |session, load| Box::pin(load::load(session, load))).await
            })
            .await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        let start = query.start(NAME)?;
        let plan = query::plan(query)?;
        let query = query.clone();
        self.database
            .run(|server| async move {
                let what = (plan, query, start);
                server.read(&what, |session, what| Box::pin(query::read(session, what))).await
            })
            .await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        if range.limit == 0 || range.limit > StoreInfo::MAX_PAGE {
            return Err(unsupported("a page has 1 to 1000 rows"));
        }
        let range = range.clone();
        self.database.run(|server| async move { events::read(&server, &range).await }).await
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
        self.database
            .run(|server| async move { measures::read(&server, &authority, after.as_ref(), limit).await })
            .await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        let incarnation = self.info.incarnation;
        let after = feed::Position::read(incarnation, after)?;
        let limit = limit.clamp(1, StoreInfo::MAX_PAGE);
        let stretch = feed::Stretch { incarnation, authority: authority.clone(), after, limit };
        self.database
            .run(|server| async move {
                server.read(&stretch, |session, stretch| Box::pin(feed::read(session, stretch))).await
            })
            .await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        let claim = claim.clone();
        self.database.run(|server| async move { tasks::claim(&server, &claim).await }).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        let range = range.clone();
        self.database.run(|server| async move { documents::read(&server, &range).await }).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.database.run(|server| async move { scrub::scrub(&server).await }).await
    }
}

#[async_trait]
impl BlobStore for MysqlStore {
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
        self.database
            .run(|server| async move { blobs::put(&server, &authority, id, piece, at, &bytes).await })
            .await
    }

    async fn get(&self, authority: &Word, id: BlobId, piece: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let authority = authority.clone();
        self.database.run(|server| async move { blobs::get(&server, &authority, id, piece).await }).await
    }

    async fn remove(&self, authority: &Word, id: BlobId) -> Result<(), StorageError> {
        let authority = authority.clone();
        self.database.run(|server| async move { blobs::remove(&server, &authority, id).await }).await
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
        self.database
            .run(|server| async move { blobs::list(&server, &authority, before, after, limit).await })
            .await
    }
}
