//! The lanes of the feed, as this process borrows them.
//!
//! Any commit may use any lane: two that use the same one at once wait for each other and one runs again. So each
//! commit of a process takes another one, and a lane in which somebody stands still is left alone for a while.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// How many lanes there are: part of what is stored.
pub(super) const LANES: u8 = 64;
/// How many commits a lane in which somebody stood still is left alone.
const PENALTY: u32 = 500;

#[derive(Debug, Default)]
struct Inner {
    free: VecDeque<u8>,
    /// Lanes in which somebody stood still, and how many commits ago that was.
    slow: Vec<(u8, u32)>,
}

/// The lanes that are not in use.
#[derive(Debug, Clone)]
pub(super) struct Lanes(Arc<Mutex<Inner>>);

/// A lane on loan.
#[derive(Debug)]
pub(super) struct Lane {
    lanes: Lanes,
    number: u8,
    slow: bool,
}

impl Lanes {
    /// All lanes, beginning at some number: two processes had better not begin at the same one.
    pub(super) fn starting_at(first: u8) -> Self {
        let free = (0..LANES).map(|n| (n.wrapping_add(first)) % LANES).collect();
        Self(Arc::new(Mutex::new(Inner { free, slow: Vec::new() })))
    }

    /// The lane that was not used for the longest time.
    pub(super) fn borrow(&self) -> Lane {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.slow.iter_mut().for_each(|(_, commits)| *commits += 1);
        while let Some(n) = inner.slow.iter().position(|(_, commits)| *commits > PENALTY) {
            let (lane, _) = inner.slow.swap_remove(n);
            inner.free.push_back(lane);
        }
        // If all are in use, one of them is used twice: correct, though one may wait for the other.
        let number = inner.free.pop_front().or_else(|| inner.slow.pop().map(|(lane, _)| lane)).unwrap_or(0);
        Lane { lanes: self.clone(), number, slow: false }
    }
}

impl Lane {
    pub(super) const fn number(&self) -> u8 {
        self.number
    }

    /// Somebody stands still in it.
    pub(super) const fn is_slow(&mut self) {
        self.slow = true;
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut inner = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            inner.free.contains(&self.number) || inner.slow.iter().any(|(lane, _)| *lane == self.number);
        match (known, self.slow) {
            (true, _) => {}
            (false, true) => inner.slow.push((self.number, 0)),
            (false, false) => inner.free.push_back(self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shares_a_lane_while_there_are_others() {
        let lanes = Lanes::starting_at(200);
        let held: Vec<Lane> = (0..LANES).map(|_| lanes.borrow()).collect();
        let mut numbers: Vec<u8> = held.iter().map(Lane::number).collect();
        assert_eq!(numbers.first(), Some(&(200 % LANES)));
        numbers.sort_unstable();
        assert_eq!(numbers, (0..LANES).collect::<Vec<_>>());
        assert_eq!(lanes.borrow().number(), 0, "all are in use");
        drop(held);
        assert_eq!(lanes.0.lock().unwrap().free.len(), usize::from(LANES));
    }

    #[test]
    fn a_lane_in_which_somebody_stands_still_comes_back_later() {
        let lanes = Lanes::starting_at(0);
        let mut slow = lanes.borrow();
        slow.is_slow();
        drop(slow);
        for _ in 0..PENALTY {
            assert_ne!(lanes.borrow().number(), 0);
        }
        let seen: Vec<u8> = (0..LANES).map(|_| lanes.borrow().number()).collect();
        assert!(seen.contains(&0));
    }
}
