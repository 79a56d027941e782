//! Rounds in turn, and what they come to.

use crate::{
    Res,
    compare::{Line, Size},
    peer::Peer,
    timing::median,
};
use std::time::Duration;

/// Rates of rounds.
pub(crate) struct Rates {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Rates {
    /// Rounds of so many things; the first, in which caches fill, does not count.
    ///
    /// # Errors
    /// As a round says.
    pub(crate) fn rounds(
        size: Size,
        count: usize,
        mut round: impl FnMut(usize) -> Res<(Duration, Duration)>,
    ) -> Res<Self> {
        let mut out = Self { ours: Vec::new(), theirs: Vec::new() };
        for n in 0..=size.rounds {
            let (ours, theirs) = round(n)?;
            if n > 0 {
                out.ours.push(count as f64 / ours.as_secs_f64());
                out.theirs.push(count as f64 / theirs.as_secs_f64());
            }
        }
        Ok(out)
    }

    /// The medians.
    pub(crate) fn line(
        self,
        scenario: &'static str,
        store: &'static str,
        callers: usize,
        peer: Peer,
    ) -> Line {
        let (ours, theirs) = (median(self.ours), median(self.theirs));
        Line { scenario, store, callers, ours, peer: peer.name(), theirs, ratio: ours / theirs }
    }
}
