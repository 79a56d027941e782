//! Timing what many callers do.

use crate::Res;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// A clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "a benchmark is timed by the machine's clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Does `count` things by as many callers as there are `hands`, each a thread of its own, and answers how long it took
/// from the moment at which all were ready.
///
/// # Errors
/// The first failure.
pub fn timed<H: Send>(
    hands: &mut [H],
    count: usize,
    work: impl Fn(&mut H, usize) -> Res<()> + Sync,
) -> Res<Duration> {
    let (next, ready, work) = (AtomicUsize::new(0), Barrier::new(hands.len() + 1), &work);
    let (next, ready) = (&next, &ready);
    std::thread::scope(|scope| {
        let threads: Vec<_> = hands
            .iter_mut()
            .map(|hand| {
                scope.spawn(move || -> Res<()> {
                    ready.wait();
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= count {
                            return Ok(());
                        }
                        work(hand, n)?;
                    }
                })
            })
            .collect();
        ready.wait();
        let begun = now();
        for thread in threads {
            thread.join().map_err(|_| "a caller panicked")??;
        }
        Ok(begun.elapsed())
    })
}

/// The one in the middle; of two, the lower.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
