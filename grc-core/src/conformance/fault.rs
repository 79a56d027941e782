//! A store that fails on purpose.

use crate::{
    Word,
    storage::{
        Batch, ChangePage, Claim, Cursor, Document, DocumentRange, EventRange, Load, Loaded, MeasurePage,
        Page, Query, Receipt, ScrubReport, StorageError, StorageErrorKind, Store, StoreInfo, StoredEvent,
        Task,
    },
};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Before anything is written.
    Before,
    /// After it is written: the answer is lost.
    AnswerLost,
    /// After it is written: the process dies before it hears of it. Every later commit fails too, until
    /// [`FaultStore::heal`].
    Dies,
}

/// Wraps a store and lets one commit fail: the first, second, … until a scenario passes untouched.
#[derive(Debug)]
pub struct FaultStore {
    inner: Arc<dyn Store>,
    fault: Fault,
    at: u64,
    commits: AtomicU64,
    lag: Option<Duration>,
}

impl FaultStore {
    /// Lets the `at`th commit (from 1) fail; 0 lets none.
    pub fn new(inner: Arc<dyn Store>, fault: Fault, at: u64) -> Self {
        Self { inner, fault, at, commits: AtomicU64::new(0), lag: None }
    }

    /// Says that documents are compared within a time only, as a store does whose commits are not serial.
    #[must_use]
    pub fn with_lag(mut self, lag: Duration) -> Self {
        self.lag = Some(lag);
        self
    }

    /// How many commits there were.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Whether the fault has come.
    pub fn has_failed(&self) -> bool {
        self.at > 0 && self.commits() >= self.at
    }

    /// Lets everything pass from now on.
    pub fn heal(&self) {
        self.commits.store(u64::MAX / 2, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for FaultStore {
    fn info(&self) -> StoreInfo {
        let info = self.inner.info();
        self.lag.map_or_else(|| info.clone(), |lag| info.clone().with_lag(lag))
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let n = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let healed = n > u64::MAX / 2;
        let fail = |kind, message: &'static str| Err(StorageError::new("fault", kind, message));
        if self.at == 0 || healed || n < self.at {
            return self.inner.commit(batch).await;
        }
        match self.fault {
            Fault::Before if n == self.at => fail(StorageErrorKind::Unavailable, "failed on purpose"),
            Fault::AnswerLost if n == self.at => {
                self.inner.commit(batch).await?;
                fail(StorageErrorKind::OutcomeUnknown, "the answer is lost on purpose")
            }
            Fault::Dies if n == self.at => {
                self.inner.commit(batch).await?;
                fail(StorageErrorKind::Unavailable, "dead on purpose")
            }
            Fault::Dies => fail(StorageErrorKind::Unavailable, "dead on purpose"),
            Fault::Before | Fault::AnswerLost => self.inner.commit(batch).await,
        }
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.inner.load(load).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StorageError> {
        self.inner.query(query).await
    }

    async fn events(&self, range: &EventRange) -> Result<Vec<StoredEvent>, StorageError> {
        self.inner.events(range).await
    }

    async fn measures(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<MeasurePage, StorageError> {
        self.inner.measures(authority, after, limit).await
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        self.inner.changes(authority, after, limit).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.inner.claim(claim).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.inner.documents(range).await
    }

    async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        self.inner.scrub().await
    }
}
