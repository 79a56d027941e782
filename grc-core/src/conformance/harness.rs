//! What an adapter brings, and the store of one case with its calls made plain.

use super::{
    erased::{Guard, On, block_on},
    rows,
};
use crate::{
    BlobId, Moment, Word,
    storage::{
        Batch, BlobMeta, BlobStore, Change, Claim, Cursor, Document, DocumentRange, EventRange, Load, Loaded,
        Log, Page, Parts, Query, Receipt, ReceiptRow, Retry, StorageError, Store, StoredEvent, StreamKey,
        StreamRecord, Task, Which,
    },
    vault::Keyring,
};
use std::{io::Write, sync::Arc};

/// The two handles of a store.
pub type Handles = (Arc<dyn Store>, Arc<dyn BlobStore>);

/// What the adapter of a store brings to the kit. The kit calls everything from plain threads of its own, several
/// at once, and never from inside a future.
pub trait Harness: 'static {
    /// What has to live as long as the store: a temporary directory, a runtime, a database to drop.
    type Guard: Send + Sync;

    /// Whether what was acknowledged outlives the handles. If not, the cases that reopen the store are reported as
    /// not applicable.
    const DURABLE: bool;

    /// Opens a fresh, empty store. Each call makes another one, with another incarnation.
    fn open() -> (Self::Guard, Handles);

    /// Opens the same store again; the kit has dropped all its handles before. None exactly if it is not durable.
    fn reopen(guard: &Self::Guard) -> Option<Handles>;

    /// Runs a future to its end on the calling thread.
    fn block_on<F>(future: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send;
}

/// What the adapter of a keyring brings to the kit.
pub trait KeyringHarness: 'static {
    /// What has to live as long as the keyring.
    type Guard: Send + Sync;

    /// Whether what was acknowledged outlives the handle.
    const DURABLE: bool;

    /// Makes a fresh, empty keyring. Each call makes another one, with another id.
    fn open() -> (Self::Guard, Arc<dyn Keyring>);

    /// Opens the same keyring once more beside the handles that there are, as another process would; none if this
    /// keyring cannot.
    fn second(guard: &Self::Guard) -> Option<Arc<dyn Keyring>>;

    /// Opens the same keyring again; the kit has dropped all its handles before. None exactly if it is not durable.
    fn reopen(guard: &Self::Guard) -> Option<Arc<dyn Keyring>>;

    /// Runs a future to its end on the calling thread.
    fn block_on<F>(future: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send;
}

/// Says that a case does not apply. Written past the capture of the test runner, so that it is always seen.
pub(super) fn not_applicable(case: &str, why: &str) {
    // In one piece, so that lines of several threads do not mix. A closed error output is no reason to fail.
    let line = format!("conformance: {case}: not applicable: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A fresh store, for one case.
pub(super) struct Kit {
    on: On,
    guard: Guard,
    pub(super) store: Arc<dyn Store>,
    pub(super) blobs: Arc<dyn BlobStore>,
}

impl Kit {
    pub(super) fn open(on: On) -> Self {
        let (guard, (store, blobs)) = on.open();
        Self { on, guard, store, blobs }
    }

    /// What a future comes to.
    pub(super) fn block_on<F: Future + Send>(&self, future: F) -> F::Output
    where
        F::Output: Send,
    {
        block_on(self.on, future)
    }

    /// The same store, opened again; none, and said so, if it is not durable.
    pub(super) fn reopened(self, case: &str) -> Option<Self> {
        let Self { on, guard, store, blobs } = self;
        drop((store, blobs));
        let again = on.reopen(&guard);
        assert_eq!(
            again.is_some(),
            on.is_durable(),
            "a harness can reopen its store exactly if it is durable"
        );
        if again.is_none() {
            not_applicable(case, "the harness says that this store is not durable");
        }
        again.map(|(store, blobs)| Self { on, guard, store, blobs })
    }

    pub(super) fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        self.block_on(self.store.commit(batch))
    }

    /// Commits what must succeed, for the first time.
    #[track_caller]
    pub(super) fn ok(&self, batch: Batch) {
        let id = batch.id();
        match self.settle(batch) {
            Ok(receipt) => assert_eq!(receipt.batch, id, "C-03: the receipt names the batch"),
            Err(error) => panic!("this batch meets every expectation and must be applied: {error:?}"),
        }
    }

    /// Commits; while the store says that the same call may be made again, makes it again.
    pub(super) fn settle(&self, batch: Batch) -> Result<Receipt, StorageError> {
        for _ in 0..200 {
            match self.commit(batch.clone()) {
                Err(error) if error.retry() == Retry::Same => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                settled => return settled,
            }
        }
        self.commit(batch)
    }

    #[track_caller]
    pub(super) fn load(
        &self,
        authority: Word,
        streams: &[StreamKey],
        parts: Parts,
    ) -> Vec<Option<StreamRecord>> {
        self.loaded(&Load { authority, streams: streams.to_vec(), parts, receipt: None }).streams
    }

    #[track_caller]
    pub(super) fn loaded(&self, load: &Load) -> Loaded {
        done(self.block_on(self.store.load(load)))
    }

    pub(super) fn try_load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.block_on(self.store.load(load))
    }

    /// One stream with all parts of its vault.
    #[track_caller]
    pub(super) fn one(&self, stream: &StreamKey) -> Option<StreamRecord> {
        self.load(stream.authority.clone(), std::slice::from_ref(stream), Parts::All).pop().flatten()
    }

    #[track_caller]
    pub(super) fn version(&self, stream: &StreamKey) -> Option<u64> {
        self.one(stream).map(|record| record.row.version)
    }

    #[track_caller]
    pub(super) fn receipt(&self, authority: Word, token: u8) -> Option<ReceiptRow> {
        self.loaded(&Load { authority, streams: Vec::new(), parts: Parts::None, receipt: Some([token; 16]) })
            .receipt
    }

    pub(super) fn try_query(&self, query: &Query) -> Result<Page, StorageError> {
        self.block_on(self.store.query(query))
    }

    #[track_caller]
    pub(super) fn query(&self, query: &Query) -> Page {
        done(self.try_query(query))
    }

    /// All pages of a list: the numbers of the streams.
    #[track_caller]
    pub(super) fn walk(&self, query: &Query) -> Vec<u128> {
        let mut query = query.clone();
        let mut out = Vec::new();
        for _ in 0..10_000 {
            let page = self.query(&query);
            assert!(
                page.rows.len() <= query.limit.min(query.scan) as usize,
                "C-12, C-13: a page has at most `limit` rows, out of at most `scan` looked at"
            );
            out.extend(page.rows.iter().map(|record| record.row.key.id.as_u128()));
            match page.next {
                None => return out,
                next => query.after = next,
            }
        }
        panic!("C-12: a list ends, with a page without a cursor");
    }

    pub(super) fn try_events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.block_on(self.store.events(range))
    }

    #[track_caller]
    pub(super) fn events(&self, stream: &StreamKey, log: Log, after: u64, limit: u32) -> Vec<StoredEvent> {
        done(self.try_events(&EventRange { stream: stream.clone(), log, after, limit }))
    }

    #[track_caller]
    pub(super) fn history(&self, stream: &StreamKey) -> Vec<StoredEvent> {
        self.events(stream, Log::History, 0, 1_000)
    }

    #[track_caller]
    pub(super) fn access(&self, stream: &StreamKey) -> Vec<StoredEvent> {
        self.events(stream, Log::Access, 0, 1_000)
    }

    /// All measure rows, in pages of a size.
    #[track_caller]
    pub(super) fn measures(&self, authority: &Word, limit: u32) -> Vec<(StreamKey, Vec<u8>)> {
        let mut after = None;
        let mut out = Vec::new();
        for _ in 0..10_000 {
            let page = done(self.block_on(self.store.measures(authority, after.as_ref(), limit)));
            assert!(page.rows.len() <= limit as usize, "C-18: a page has at most `limit` rows");
            out.extend(page.rows);
            match page.next {
                None => return out,
                next => after = next,
            }
        }
        panic!("C-18: a reading of the measures ends, with a page without a cursor");
    }

    /// The feed from a cursor to its present end, in pages of a size.
    #[track_caller]
    pub(super) fn feed(&self, authority: &Word, after: Option<Cursor>, limit: u32) -> (Vec<Change>, Cursor) {
        let mut after = after;
        let mut out = Vec::new();
        for _ in 0..10_000 {
            let page = done(self.block_on(self.store.changes(authority, after.as_ref(), limit)));
            assert!(page.changes.len() <= limit as usize, "C-17: a page has at most `limit` changes");
            if page.changes.is_empty() {
                return (out, page.next);
            }
            out.extend(page.changes);
            after = Some(page.next);
        }
        panic!("C-17: a reading of the feed comes to its present end, with a page without changes");
    }

    /// Claims tasks of the town, of all kinds, and holds them until a moment.
    #[track_caller]
    pub(super) fn claim(&self, now: i64, until: i64, limit: u32) -> Vec<Task> {
        self.claimed(&Claim {
            authority: rows::town(),
            kinds: None,
            now: rows::at(now),
            until: rows::at(until),
            limit,
        })
    }

    #[track_caller]
    pub(super) fn claimed(&self, claim: &Claim) -> Vec<Task> {
        for _ in 0..200 {
            match self.block_on(self.store.claim(claim)) {
                Err(error) if error.retry() == Retry::Same => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                settled => return done(settled),
            }
        }
        panic!("the store cannot be used");
    }

    #[track_caller]
    pub(super) fn documents(&self, range: &DocumentRange) -> Vec<Document> {
        done(self.block_on(self.store.documents(range)))
    }

    /// The documents `procedure` of the town.
    #[track_caller]
    pub(super) fn procedures(&self, name: Option<&str>, which: Which) -> Vec<(String, u64, Vec<u8>)> {
        self.documents(&DocumentRange {
            authority: rows::town(),
            kind: rows::word("procedure"),
            name: name.map(rows::word),
            after: None,
            which,
            limit: 1_000,
        })
        .into_iter()
        .map(|document| (document.name.to_string(), document.version, document.body))
        .collect()
    }

    #[track_caller]
    pub(super) fn put_blob(&self, authority: &Word, id: BlobId, piece: u32, at: Moment, bytes: &[u8]) {
        done(self.try_put_blob(authority, id, piece, at, bytes));
    }

    pub(super) fn try_put_blob(
        &self,
        authority: &Word,
        id: BlobId,
        piece: u32,
        at: Moment,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        self.block_on(self.blobs.put(authority, id, piece, at, bytes.to_vec()))
    }

    #[track_caller]
    pub(super) fn blob(&self, authority: &Word, id: BlobId, piece: u32) -> Option<Vec<u8>> {
        done(self.block_on(self.blobs.get(authority, id, piece)))
    }

    #[track_caller]
    pub(super) fn drop_blob(&self, authority: &Word, id: BlobId) {
        done(self.block_on(BlobStore::remove(&*self.blobs, authority, id)));
    }

    /// All pages of the blobs begun before a moment.
    #[track_caller]
    pub(super) fn list_blobs(&self, authority: &Word, before: Moment, limit: u32) -> Vec<BlobMeta> {
        let mut after = None;
        let mut out = Vec::new();
        for _ in 0..10_000 {
            let page = done(self.block_on(self.blobs.list(authority, before, after, limit)));
            assert!(page.blobs.len() <= limit as usize, "B-4: a page has at most `limit` blobs");
            out.extend(page.blobs);
            match page.next {
                None => return out,
                next => after = next,
            }
        }
        panic!("B-4: a list of blobs ends, with a page without a cursor");
    }

    #[track_caller]
    pub(super) fn scrub(&self) {
        done(self.block_on(self.store.scrub()));
    }
}

/// What a call answers that nothing stands against.
#[track_caller]
pub(super) fn done<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("nothing stands against this call, but it failed: {error:?}"),
    }
}
