//! One of many who write.

use super::plan::{Plan, stream, town};
use grc_core::{
    conformance::Dice,
    storage::{Load, Parts, Retry, StorageErrorKind, Store},
};
use pollster::block_on;
use std::{
    collections::BTreeMap,
    ops::AddAssign,
    sync::atomic::{AtomicBool, Ordering},
};

/// The streams that all share, besides those of their own.
pub(crate) const SHARED: usize = 8;
/// The streams of a writer's own.
const OWN: usize = 5;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Acknowledged,
    /// Another was faster: nothing was written.
    Refused,
}

/// What a writer met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    /// Calls that failed as `Unavailable`, and as `OutcomeUnknown`.
    pub(crate) unavailable: u64,
    pub(crate) unknown: u64,
    /// Batches that were repeated, and those of them that turned out to be there.
    pub(crate) repeated: u64,
    pub(crate) replayed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.unavailable += other.unavailable;
        self.unknown += other.unknown;
        self.repeated += other.repeated;
        self.replayed += other.replayed;
    }
}

pub(crate) struct Writer<'a> {
    pub(crate) store: &'a dyn Store,
    /// Its number: the first two bytes of the ids of its batches.
    pub(crate) number: u16,
    /// Once in how many batches it takes streams that it shares with others; 0: never.
    pub(crate) shares: usize,
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
    /// Whether somebody else commits the same.
    pub(crate) may_be_there: bool,
    /// Set when the test has failed, and a server that is away will not come back.
    pub(crate) given_up: Option<&'a AtomicBool>,
    own: BTreeMap<u128, u64>,
    count: u64,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(store: &'a dyn Store, number: u16, shares: usize, seed: u64) -> Self {
        let dice = Dice::new(seed ^ u64::from(number) << 32);
        let (tally, own) = (Tally::default(), BTreeMap::new());
        Self { store, number, shares, dice, tally, may_be_there: false, given_up: None, own, count: 0 }
    }

    /// Whoever repeats a call asks before whether that is of any use.
    fn check_use(&self) {
        let given_up = self.given_up.is_some_and(|given_up| given_up.load(Ordering::SeqCst));
        assert!(!given_up, "the test has failed elsewhere");
    }

    /// Where the ids of a writer's batches begin.
    pub(crate) const fn first_id(number: u16) -> u128 {
        (number as u128) << 112
    }

    /// What it does next. The end of an id is random, as that of any batch is.
    pub(crate) fn plan(&mut self) -> Plan {
        self.count += 1;
        let id = Self::first_id(self.number)
            | u128::from(self.count & 0xffff_ffff) << 80
            | u128::from(self.dice.next());
        let mut plan = Plan { id, streams: Vec::new(), beside: None };
        if self.shares > 0 && self.dice.once_in(self.shares) {
            let n = self.dice.below(SHARED) as u128 + 1;
            if self.dice.once_in(4) {
                plan.beside = Some(n);
                return plan;
            }
            let other = self.dice.below(SHARED) as u128 + 1;
            let both = if n == other { vec![n] } else { vec![n, other] };
            plan.streams = both.into_iter().map(|n| (n, self.version(n))).collect();
        }
        let first = self.dice.below(OWN);
        for n in 0..[0, 1, 1, 1, 2, 3][self.dice.below(6)].max(usize::from(plan.streams.is_empty())) {
            let n = Self::first_id(self.number) | (1 + (first + n) % OWN) as u128;
            plan.streams.push((n, self.own.get(&n).copied().unwrap_or(0)));
        }
        plan
    }

    /// The version of a stream that others write too.
    fn version(&mut self, n: u128) -> u64 {
        let load = Load { authority: town(), streams: vec![stream(n)], parts: Parts::None, receipt: None };
        loop {
            match block_on(self.store.load(&load)) {
                Ok(loaded) => return loaded.streams[0].as_ref().map_or(0, |record| record.row.version),
                Err(error) => {
                    assert_eq!(error.retry(), Retry::Same, "a reading fails otherwise: {error:?}");
                    self.check_use();
                    self.tally.unavailable += 1;
                }
            }
        }
    }

    /// Commits it, as often as it takes to know what became of it. Tells, call by call, what it met.
    pub(crate) fn settle(&mut self, plan: &Plan, mut tell: impl FnMut(Tally)) -> End {
        let mut first = true;
        loop {
            let mut met = Tally::default();
            let end = match block_on(self.store.commit(plan.batch())) {
                Ok(receipt) => {
                    met.acknowledged = 1;
                    met.replayed = u64::from(receipt.replayed);
                    let surely_new = first && !self.may_be_there;
                    assert!(!receipt.replayed || !surely_new, "a new batch was not there before: {plan}");
                    self.own.extend(plan.made().filter(|(n, _)| *n > SHARED as u128));
                    Some(End::Acknowledged)
                }
                Err(error) if error.retry() == Retry::Same => {
                    self.check_use();
                    met.repeated = u64::from(first);
                    first = false;
                    match error.kind() {
                        StorageErrorKind::OutcomeUnknown => met.unknown = 1,
                        _ => met.unavailable = 1,
                    }
                    None
                }
                Err(error) => {
                    assert_eq!(error.retry(), Retry::AfterReload, "{plan}: {error:?}");
                    assert!(
                        plan.streams.iter().any(|(n, _)| *n <= SHARED as u128),
                        "nobody else writes these streams: {plan}: {error:?}"
                    );
                    met.refused = 1;
                    Some(End::Refused)
                }
            };
            self.tally += met;
            tell(met);
            if let Some(end) = end {
                return end;
            }
        }
    }
}
