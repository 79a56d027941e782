//! The engine's clock: the system's, until it is set to a moment, where it then stands.

use grc_core::{Clock, ManualClock, Moment, SystemClock};
use std::sync::atomic::{AtomicBool, Ordering};

/// A clock that can be set.
#[derive(Debug, Default)]
pub(crate) struct TownClock {
    manual: ManualClock,
    stands: AtomicBool,
}

impl TownClock {
    /// Sets it: from here on it stands at this moment, until it is set again.
    pub(crate) fn set(&self, moment: Moment) {
        self.manual.set(moment);
        self.stands.store(true, Ordering::SeqCst);
    }

    /// Back to the system's time.
    pub(crate) fn release(&self) {
        self.stands.store(false, Ordering::SeqCst);
    }
}

impl Clock for TownClock {
    fn now(&self) -> Moment {
        if self.stands.load(Ordering::SeqCst) { self.manual.now() } else { SystemClock.now() }
    }
}

/// Seconds since a moment, by the system's clock.
pub(crate) fn seconds_since(start: Moment) -> f64 {
    (SystemClock.now().micros() - start.micros()) as f64 / 1e6
}
