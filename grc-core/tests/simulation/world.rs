//! The world of one run: its dice, its time, its faults, and what was seen of everything that went by.

use crate::{ledger::Ledger, mutant::Mutant, shadow::Shadow};
use grc_core::{Clock, Moment, conformance::Dice};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is made, and answered.
    Passes,
    /// It is not made, and who calls is told so.
    FailsBefore,
    /// It is not made, and who calls is told that nobody knows.
    Doubtful,
    /// It is made, and its answer is lost.
    AnswerLost,
}

/// Who is at work just now: which life of which process, and for which intent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) life: u64,
    pub(crate) task: u64,
    pub(crate) intent: Option<usize>,
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) tick: u64,
    /// A number over every choice that was made.
    pub(crate) choices: u64,
    /// Whether the faults are over.
    pub(crate) calm: bool,
    pub(crate) at: At,
    pub(crate) store_down_until: u64,
    pub(crate) transport_down_until: u64,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) ledger: Ledger,
    pub(crate) shadow: Shadow,
}

impl State {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A number below a bound, which is part of the run's trace.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let chosen = self.dice.below(bound);
        self.choices = (self.choices ^ chosen as u64).wrapping_mul(0x0100_0000_01b3);
        chosen
    }

    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() { None } else { items.get(self.below(items.len())).copied() }
    }
}

pub(crate) struct World {
    state: Mutex<State>,
    /// The true time.
    time: Arc<AtomicI64>,
    pub(crate) mutant: Mutant,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    pub(crate) fn new(seed: u64, begin: Moment, mutant: Mutant) -> Arc<Self> {
        let state = State {
            dice: Dice::new(seed),
            tick: 0,
            choices: 0xcbf2_9ce4_8422_2325,
            calm: false,
            at: At::default(),
            store_down_until: 0,
            transport_down_until: 0,
            counts: BTreeMap::new(),
            ledger: Ledger::default(),
            shadow: Shadow::default(),
        };
        let time = Arc::new(AtomicI64::new(begin.micros()));
        Arc::new(Self { state: Mutex::new(state), time, mutant })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::from_micros(self.time.load(Ordering::Relaxed))
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.time.fetch_add(millis * 1_000, Ordering::Relaxed);
    }

    /// A clock that follows the world's time, a little before or behind it.
    pub(crate) fn clock(&self) -> Arc<SkewedClock> {
        Arc::new(SkewedClock { time: Arc::clone(&self.time), skew: AtomicI64::new(0) })
    }

    /// Waits as long as the dice say: so many times somebody else may go on first.
    pub(crate) async fn pause(&self) {
        let polls = {
            let mut state = self.lock();
            match state.calm {
                true => 0,
                false => match state.below(100) {
                    0..45 => 0,
                    45..80 => 1,
                    80..97 => 2 + state.below(4),
                    _ => {
                        state.count("long delays");
                        20 + state.below(60)
                    }
                },
            }
        };
        self.wait(polls).await;
    }

    /// Lets go so many times, or until the faults are over.
    pub(crate) async fn wait(&self, polls: usize) {
        let mut left = polls;
        std::future::poll_fn(|_| {
            if left == 0 || self.lock().calm {
                return Poll::Ready(());
            }
            left -= 1;
            Poll::Pending
        })
        .await;
    }

    /// What becomes of a call. `writes` says that it writes something, so that its answer can be lost.
    pub(crate) fn fate(&self, writes: bool) -> Fate {
        let mut state = self.lock();
        if state.calm {
            return Fate::Passes;
        }
        if state.store_down_until > state.tick {
            state.count("calls while all is down");
            return Fate::FailsBefore;
        }
        match (state.below(1_000), writes) {
            (0..6, _) | (6..15, true) => {
                state.count("calls that fail before");
                Fate::FailsBefore
            }
            (15..45, true) => {
                state.count("answers lost");
                Fate::AnswerLost
            }
            (45..53, true) => {
                state.count("doubtful calls that were not made");
                Fate::Doubtful
            }
            _ => Fate::Passes,
        }
    }
}

/// A process's clock.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    time: Arc<AtomicI64>,
    /// In milliseconds.
    skew: AtomicI64,
}

impl SkewedClock {
    pub(crate) fn skew(&self, millis: i64) {
        self.skew.store(millis, Ordering::Relaxed);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Moment {
        Moment::from_micros(self.time.load(Ordering::Relaxed)).plus_millis(self.skew.load(Ordering::Relaxed))
    }
}
