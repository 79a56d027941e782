//! How much memory a call has at once.

use peak_alloc::PeakAlloc;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

static ONE: Mutex<()> = Mutex::new(());

/// Only one test at a time, or what the others take would be counted too.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most bytes that a call had at once, and what it answered. To be called by who is [`alone`].
pub(crate) fn peak_of<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let answer = call();
    (MEMORY.peak_usage().saturating_sub(before), answer)
}
