//! What belongs to one process: its threads for awaiting, and the check that it was not forked since.

use crate::failure::Failure;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
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
