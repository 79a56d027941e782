//! A store that fails on purpose.

mod blobs;
mod fuse;
mod keyring;

pub use blobs::FaultBlobs;
pub use fuse::Fault;
pub use keyring::FaultKeyring;

use crate::{
    Word,
    storage::{
        Batch, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load, Loaded, MeasurePage,
        Page, Query, Receipt, ScrubReport, StorageError, StorageErrorKind, Store, StoreInfo, StoredEvent,
        Task,
    },
};
use async_trait::async_trait;
use fuse::{Cut, Fuse};
use std::{sync::Arc, time::Duration};

/// Wraps a store and lets one call fail: the first, second, … until a scenario passes untouched.
#[derive(Debug)]
pub struct FaultStore {
    inner: Arc<dyn Store>,
    fuse: Fuse,
    reads: bool,
    lag: Option<Duration>,
}

impl FaultStore {
    /// Lets the `at`th commit (from 1) fail; 0 lets none. Other calls pass.
    pub fn new(inner: Arc<dyn Store>, fault: Fault, at: u64) -> Self {
        Self { inner, fuse: Fuse::new(fault, at), reads: false, lag: None }
    }

    /// Lets the `at`th call (from 1) fail, whichever it is. A claim whose answer is lost has happened: its tasks are
    /// held by nobody who knows it, until their lease ends.
    pub fn any_call(inner: Arc<dyn Store>, fault: Fault, at: u64) -> Self {
        Self { reads: true, ..Self::new(inner, fault, at) }
    }

    /// Says that documents are compared within a time only, as a store does whose commits are not serial.
    #[must_use]
    pub fn with_lag(mut self, lag: Duration) -> Self {
        self.lag = Some(lag);
        self
    }

    /// How many calls there were of those that may fail.
    pub fn calls(&self) -> u64 {
        self.fuse.calls()
    }

    /// Whether the fault has come.
    pub fn has_failed(&self) -> bool {
        self.fuse.has_failed()
    }

    /// Lets everything pass from now on.
    pub fn heal(&self) {
        self.fuse.heal();
    }

    /// A call that writes nothing, or whose writing only time undoes: all that can be said of it is that it may be
    /// made again.
    async fn pass<T: Send>(
        &self,
        call: impl Future<Output = Result<T, StorageError>> + Send,
    ) -> Result<T, StorageError> {
        if !self.reads {
            return call.await;
        }
        let failure = || StorageError::new("fault", StorageErrorKind::Unavailable, "failed on purpose");
        self.fuse.pass(call, failure).await
    }
}

#[async_trait]
impl Store for FaultStore {
    fn info(&self) -> StoreInfo {
        let info = self.inner.info();
        self.lag.map_or_else(|| info.clone(), |lag| info.clone().with_lag(lag))
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let fail = |kind, message: &'static str| Err(StorageError::new("fault", kind, message));
        match self.fuse.next() {
            Cut::None => self.inner.commit(batch).await,
            Cut::Before => fail(StorageErrorKind::Unavailable, "failed on purpose"),
            Cut::After => {
                self.inner.commit(batch).await?;
                match self.fuse.fault {
                    // Who is dead asks nothing again.
                    Fault::Dies => fail(StorageErrorKind::Unavailable, "dead on purpose"),
                    _ => fail(StorageErrorKind::OutcomeUnknown, "the answer is lost on purpose"),
                }
            }
        }
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.pass(self.inner.load(load)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.pass(self.inner.query(query)).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.pass(self.inner.events(range)).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.pass(self.inner.measures(authority, after, limit)).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.pass(self.inner.changes(authority, after, limit)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.pass(self.inner.claim(claim)).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.pass(self.inner.documents(range)).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.pass(self.inner.scrub()).await
    }
}
