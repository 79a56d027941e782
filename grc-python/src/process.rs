//! What belongs to one process: its threads for awaiting, and the check that it was not forked since.

use crate::failure::Failure;
use pyo3::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::runtime::{Builder, Handle, Runtime};

/// The process that something was made in. Threads and connections do not come along when a process forks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }

    /// # Errors
    /// This is another process.
    pub(crate) fn check(self) -> Result<(), Failure> {
        if self.is_current() { Ok(()) } else { Err(Failure::Forked) }
    }
}

/// How many threads work for what is awaited.
const THREADS: usize = 4;

/// The runtimes, by process: one that was made before a fork has no threads after it. They live as long as the process.
static RUNTIMES: Mutex<BTreeMap<u32, &'static Runtime>> = Mutex::new(BTreeMap::new());

/// The threads of this process, for what is awaited.
pub(crate) fn handle() -> std::io::Result<Handle> {
    let mut known = RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner);
    let Process(current) = Process::current();
    if let Some(runtime) = known.get(&current) {
        return Ok(runtime.handle().clone());
    }
    let runtime =
        Builder::new_multi_thread().worker_threads(THREADS).thread_name("grc").enable_time().build()?;
    // Never dropped: a runtime that ends with the interpreter waits for tasks that wait for the interpreter.
    let runtime: &'static Runtime = Box::leak(Box::new(runtime));
    known.insert(current, runtime);
    Ok(runtime.handle().clone())
}

/// How many of our threads are inside of Python, and whether it ends. A thread that gives the interpreter up there (a socket
/// that is written to) and comes back after its end is ended by Python, which aborts the process. No lock: a thread that
/// holds one does not come along when the process forks.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static ENDING: AtomicBool = AtomicBool::new(false);
/// How long the interpreter waits for them, at the most: who takes longer comes back after the process has ended.
const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(1);

/// One of them.
struct Inside;

impl Inside {
    /// None while the interpreter ends.
    fn enter() -> Option<Self> {
        // Counted first: who ends looks at the count after it has said so.
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Self;
        if ENDING.load(Ordering::SeqCst) { None } else { Some(inside) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Nothing is left of it in a process that was forked meanwhile.
        let _ = INSIDE.try_update(Ordering::SeqCst, Ordering::SeqCst, |inside| inside.checked_sub(1));
    }
}

/// Does something in Python, on whatever thread; nothing while the interpreter ends.
pub(crate) fn with_python<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::enter()?;
    Python::try_attach(work)
}

/// Does something that may take its time: what else is awaited goes on in other threads.
pub(crate) fn slowly<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// Calls something of the caller's, which may take its time.
pub(crate) fn calling<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    slowly(|| with_python(work))
}

/// Lets nobody in any more, and waits for those who are inside. Called when the interpreter begins to end.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    py.detach(|| {
        ENDING.store(true, Ordering::SeqCst);
        let mut left = PATIENCE;
        while INSIDE.load(Ordering::SeqCst) > 0 && !left.is_zero() {
            std::thread::sleep(GLANCE);
            left = left.saturating_sub(GLANCE);
        }
    });
}

/// Forgets who was inside in the process that this one was forked from. Called in the child, which has one thread.
#[pyfunction]
pub(crate) fn forked() {
    INSIDE.store(0, Ordering::SeqCst);
}
