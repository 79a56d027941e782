//! The whole engine in a world that goes wrong, from a seed: several processes over one store, a slow network, calls that
//! fail and answers that are lost, processes that die and freeze, clocks that jump; then peace, and everything that must
//! always hold is looked at.
//!
//! The same seed gives the same run. A seed that fails is printed, and runs again alone with
//! `GRC_SEED=… cargo test -p grc-core --test simulation one_seed -- --nocapture`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test: what fails here is a failed test, and it says what it covered"
)]

mod check;
mod errand;
mod ledger;
mod mutant;
mod post;
mod process;
mod readers;
mod run;
mod shadow;
mod store;
mod wants;
mod world;

use mutant::Mutant;
use run::{Ran, run};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// How often each thing must have happened in the ordinary runs together.
const FLOORS: &[(&str, u64)] = &[];

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "which seeds to run is for who runs them to say")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Runs a seed; what does not hold is answered as a text.
fn try_run(seed: u64, mutant: Mutant) -> Result<Ran, String> {
    std::panic::catch_unwind(|| run(seed, mutant)).map_err(|problem| {
        let text = problem.downcast_ref::<String>().cloned();
        text.or_else(|| problem.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// Runs seeds on all processors, and answers what was covered.
///
/// # Panics
/// After all of them, if some failed; each says so at once, with how to run it again.
fn run_all(seeds: Range<u64>) -> BTreeMap<&'static str, u64> {
    let (next, failed, counts) = (AtomicU64::new(seeds.start), Mutex::default(), Mutex::default());
    let some = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            return;
        }
        match try_run(seed, Mutant::None) {
            Ok(ran) => {
                let mut counts: std::sync::MutexGuard<'_, BTreeMap<_, u64>> = counts.lock().unwrap();
                for (what, count) in ran.counts {
                    *counts.entry(what).or_default() += count;
                }
            }
            Err(problem) => {
                println!(
                    "seed {seed}: {problem}\n  again: GRC_SEED={seed} cargo test -p grc-core --test simulation one_seed -- --nocapture"
                );
                let mut failed: std::sync::MutexGuard<'_, Vec<u64>> = failed.lock().unwrap();
                failed.push(seed);
            }
        }
        let done = seed + 1 - seeds.start;
        if done.is_multiple_of(1_000) {
            println!("{done} seeds");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(some);
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    let counts = counts.into_inner().unwrap();
    for (what, count) in &counts {
        println!("{what:<44} {count:>10}");
    }
    assert!(failed.is_empty(), "{} seeds failed: {failed:?}", failed.len());
    counts
}

#[test]
fn whatever_goes_wrong_what_must_hold_holds() {
    let counts = run_all(1..301);
    for (what, least) in FLOORS {
        let count = counts.get(what).copied().unwrap_or_default();
        assert!(count >= *least, "`{what}` happened {count} times only, {least} are wanted");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [5, 6, 7] {
        let (one, two) = (run(seed, Mutant::None), run(seed, Mutant::None));
        assert!(one.events != 0 && one == two, "seed {seed}: {one:#?} and then {two:#?}");
    }
    assert_ne!(run(5, Mutant::None), run(6, Mutant::None));
}

/// A run that finds nothing shows nothing: each of these faults, made on purpose, is found within some seeds.
#[test]
fn what_is_wrong_on_purpose_is_found() {
    for mutant in Mutant::ALL {
        let found = (1..=60).find_map(|seed| try_run(seed, mutant).err().map(|problem| (seed, problem)));
        let Some((seed, problem)) = found else { panic!("{mutant:?} was not found") };
        println!("{mutant:?} is found by seed {seed}: {problem}");
    }
}

/// One seed again, `GRC_SEED`, with all that it covered.
#[test]
fn one_seed() {
    let seed = number("GRC_SEED").unwrap_or(1);
    println!("seed {seed}: {:#?}", run(seed, Mutant::None));
}

/// As many seeds as one likes: `cargo xtask simulate` gives `GRC_SEEDS` and `GRC_FROM`.
#[test]
#[ignore = "long: `cargo xtask simulate` runs it"]
fn many_seeds() {
    let from = number("GRC_FROM").unwrap_or(1);
    run_all(from..from + number("GRC_SEEDS").unwrap_or(10_000));
}
