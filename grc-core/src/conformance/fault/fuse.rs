//! Which call fails, and how.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Before anything is done.
    Before,
    /// After it is done: the answer is lost.
    AnswerLost,
    /// After it is done: the process dies before it hears of it. Every later call fails too, until it is healed.
    Dies,
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It passes.
    None,
    /// It is not made.
    Before,
    /// It is made, and its answer is not told.
    After,
}

/// Counts calls, and cuts one of them.
#[derive(Debug)]
pub(super) struct Fuse {
    pub(super) fault: Fault,
    at: u64,
    calls: AtomicU64,
}

/// Far beyond what anything counts to.
const HEALED: u64 = u64::MAX / 2;

impl Fuse {
    /// Cuts the `at`th call (from 1); 0 cuts none.
    pub(super) const fn new(fault: Fault, at: u64) -> Self {
        Self { fault, at, calls: AtomicU64::new(0) }
    }

    /// The next call.
    pub(super) fn next(&self) -> Cut {
        let n = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if self.at == 0 || n > HEALED || n < self.at {
            return Cut::None;
        }
        match self.fault {
            Fault::Before if n == self.at => Cut::Before,
            Fault::AnswerLost | Fault::Dies if n == self.at => Cut::After,
            Fault::Dies => Cut::Before,
            Fault::Before | Fault::AnswerLost => Cut::None,
        }
    }

    /// Makes a call that may be made again, unless it is the one that is cut: then it fails so.
    pub(super) async fn pass<T: Send, E: Send>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send,
        failure: impl FnOnce() -> E + Send,
    ) -> Result<T, E> {
        match self.next() {
            Cut::None => return call.await,
            Cut::Before => {}
            Cut::After => {
                call.await?;
            }
        }
        Err(failure())
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.at > 0 && self.calls() >= self.at
    }

    pub(super) fn heal(&self) {
        self.calls.store(HEALED, Ordering::SeqCst);
    }
}
