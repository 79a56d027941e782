//! Many who write while the server falls, and one who follows them.

use crate::load::{
    follower::{Follower, Seen},
    plan::Plan,
    writer::{End, Tally, Writer},
};
use grc_core::storage::Store;
use grc_mysql::MysqlStore;
use std::{
    collections::BTreeMap,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::Scope,
    time::Duration,
};

/// What is known of all.
#[derive(Debug, Default)]
struct Known {
    acknowledged: BTreeMap<u128, Plan>,
    /// How many were acknowledged to a twin.
    twins: usize,
    refused: Vec<Plan>,
    tally: Tally,
    refused_cursors: usize,
    follower: Option<Follower>,
    ended: bool,
    /// Writers that are at work.
    writers: usize,
}

/// Many who write.
#[derive(Debug)]
pub(crate) struct Many {
    writers: u16,
    twins: usize,
    known: Mutex<Known>,
    news: Condvar,
    given_up: AtomicBool,
}

/// Ends those who write, also when the test fails.
#[derive(Debug)]
pub(crate) struct Ending<'a>(&'a Many);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.given_up.store(std::thread::panicking(), Ordering::SeqCst);
    }
}

/// Counts a writer that goes, also when it fails.
struct Leaving<'a>(&'a Many);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.lock().writers -= 1;
        self.0.news.notify_all();
    }
}

impl Many {
    pub(crate) fn new(writers: u16) -> Self {
        Self {
            writers,
            twins: 0,
            known: Mutex::default(),
            news: Condvar::new(),
            given_up: AtomicBool::new(false),
        }
    }

    /// One batch in so many is committed by two at once.
    pub(crate) const fn twins(mut self, one_in: usize) -> Self {
        self.twins = one_in;
        self
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    /// Starts the writers, each on one of the stores, and who follows them.
    pub(crate) fn start<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        stores: &'s [MysqlStore],
        follows: &'s MysqlStore,
    ) {
        self.lock().writers = usize::from(self.writers);
        for n in 0..self.writers {
            let store: &dyn Store = &stores[usize::from(n) % stores.len()];
            scope.spawn(move || self.write(Writer::new(store, n + 1, 4, 31)));
        }
        scope.spawn(move || self.follow(follows));
    }

    fn write<'s>(&'s self, mut writer: Writer<'s>) {
        let _leaving = Leaving(self);
        writer.given_up = Some(&self.given_up);
        while !self.lock().ended {
            let plan = writer.plan();
            let store = writer.store;
            let has_twin = self.twins > 0 && writer.dice.once_in(self.twins);
            writer.may_be_there = has_twin;
            // It says at once what it met, also while it repeats.
            let tell = |tally| {
                self.lock().tally += tally;
                self.news.notify_all();
            };
            let end = std::thread::scope(|scope| {
                if has_twin {
                    scope.spawn(|| self.commit_too(store, &plan));
                }
                writer.settle(&plan, tell)
            });
            let mut known = self.lock();
            match end {
                End::Acknowledged => drop(known.acknowledged.insert(plan.id, plan)),
                End::Refused => known.refused.push(plan),
            }
            drop(known);
            self.news.notify_all();
        }
    }

    /// The same batch once more at the same time, as somebody does who lost patience. What becomes of it is the other's
    /// to find out, but what is acknowledged is acknowledged.
    fn commit_too(&self, store: &dyn Store, plan: &Plan) {
        if pollster::block_on(store.commit(plan.batch())).is_ok() {
            let mut known = self.lock();
            known.acknowledged.insert(plan.id, plan.clone());
            known.twins += 1;
        }
    }

    /// Reads all the time, and once more when nobody writes any longer.
    fn follow(&self, store: &dyn Store) {
        let mut follower = Follower::new(None, 23);
        loop {
            let ended = self.lock().writers == 0;
            match follower.read(store) {
                Seen::Changes(0) if ended => break,
                Seen::Nothing if self.given_up.load(Ordering::SeqCst) => break,
                Seen::Again => self.lock().refused_cursors += 1,
                Seen::Changes(_) | Seen::Nothing => {}
            }
        }
        self.lock().follower = Some(follower);
    }

    /// Waits until so many more commits were acknowledged.
    pub(crate) fn wait_for(&self, more: usize) {
        let until = self.lock().tally.acknowledged + more as u64;
        self.wait_until("commits", |tally| tally.acknowledged >= until);
    }

    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, mut done: impl FnMut(&Tally) -> bool) {
        // Longer than it takes, also on a busy machine.
        let long = Duration::from_secs(120);
        let all = usize::from(self.writers);
        let waits = |known: &mut Known| !done(&known.tally) && known.writers == all;
        let (known, late) = self.news.wait_timeout_while(self.lock(), long, waits).unwrap();
        assert!(!late.timed_out() && known.writers == all, "waited in vain for {what}: {:?}", known.tally);
    }

    /// What was acknowledged until now, and what was refused.
    pub(crate) fn known(&self) -> (Vec<Plan>, Vec<Plan>) {
        let known = self.lock();
        (known.acknowledged.values().cloned().collect(), known.refused.clone())
    }

    pub(crate) fn tally(&self) -> Tally {
        self.lock().tally
    }

    pub(crate) fn acknowledged_to_twins(&self) -> usize {
        self.lock().twins
    }

    pub(crate) fn refused_cursors(&self) -> usize {
        self.lock().refused_cursors
    }

    /// What who followed has seen.
    pub(crate) fn follower(&self) -> Follower {
        self.lock().follower.clone().unwrap()
    }
}
