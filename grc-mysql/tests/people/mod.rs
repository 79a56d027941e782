//! What people at work have in common while their servers fall: they ask until it is known what became of it, and tell
//! each other when one of them fails.

use grc_core::{Definition, GrcError, storage::Retry};
use std::{
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) const TOWN: &str = "saint-aubin";

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) submitted: usize,
    pub(crate) acted: usize,
    /// Commands and works that were repeated.
    pub(crate) repeated: usize,
    /// Works that were repeated.
    pub(crate) works: usize,
}

impl Count {
    const fn done(&self) -> usize {
        self.submitted + self.acted
    }
}

/// What they know, and what a test keeps besides.
#[derive(Debug, Default)]
pub(crate) struct Known<K> {
    pub(crate) kept: K,
    pub(crate) count: Count,
    pub(crate) ended: bool,
    /// Somebody failed.
    pub(crate) failed: bool,
}

/// People at work.
#[derive(Debug, Default)]
pub(crate) struct People<K> {
    known: Mutex<Known<K>>,
    news: Condvar,
}

/// Ends those who work, also when the test fails.
pub(crate) struct Ending<'a, K>(&'a People<K>);

impl<K> Drop for Ending<'_, K> {
    fn drop(&mut self) {
        let mut known = self.0.lock();
        known.ended = true;
        known.failed |= std::thread::panicking();
    }
}

/// Tells when somebody fails.
pub(crate) struct Working<'a, K>(&'a People<K>);

impl<K> Drop for Working<'_, K> {
    fn drop(&mut self) {
        self.0.lock().failed |= std::thread::panicking();
        self.0.news.notify_all();
    }
}

impl<K> People<K> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Known<K>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn ending(&self) -> Ending<'_, K> {
        Ending(self)
    }

    pub(crate) const fn working(&self) -> Working<'_, K> {
        Working(self)
    }

    pub(crate) fn count(&self) -> Count {
        self.lock().count
    }

    /// Asks for something until it is known what became of it.
    pub(crate) fn settle<T>(&self, mut ask: impl FnMut() -> Result<T, GrcError>) -> T {
        let mut first = true;
        loop {
            match ask() {
                Ok(out) => return out,
                Err(error) => assert!(may_repeat(&error), "{error:?}"),
            }
            let mut known = self.lock();
            assert!(!known.failed, "the test has failed elsewhere");
            known.count.repeated += usize::from(first);
            drop(known);
            self.news.notify_all();
            first = false;
        }
    }

    /// Says what was acknowledged.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Known<K>)) {
        note(&mut self.lock());
        self.news.notify_all();
    }

    /// Waits until so many more commands were acknowledged.
    #[track_caller]
    pub(crate) fn wait_for(&self, more: usize) {
        let until = self.count().done() + more;
        self.wait_until("commands", |count| count.done() >= until);
    }

    /// Waits until one more command is repeated.
    #[track_caller]
    pub(crate) fn wait_for_repeated(&self) {
        let before = self.count().repeated;
        self.wait_until("a command to be repeated", |count| count.repeated > before);
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_so: impl Fn(&Count) -> bool) {
        // Longer than it takes, also on a busy machine.
        let waits = |known: &mut Known<K>| !is_so(&known.count) && !known.failed;
        let (known, late) =
            self.news.wait_timeout_while(self.lock(), Duration::from_secs(120), waits).unwrap();
        assert!(!late.timed_out() && !known.failed, "waited in vain for {what}: {:?}", known.count);
    }
}

/// Whether the same may be asked again: the store or the keyring is away, or was when it answered.
pub(crate) fn may_repeat(error: &GrcError) -> bool {
    match error {
        GrcError::Storage(error) => error.retry() == Retry::Same,
        GrcError::Keyring(error) => error.is_unavailable(),
        _ => false,
    }
}

pub(crate) fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}
