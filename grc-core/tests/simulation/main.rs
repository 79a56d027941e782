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
const FLOORS: &[(&str, u64)] = &[
    ("commands done", 3_000),
    ("commands done when asked again", 1_000),
    ("commands asked twice at once", 3_000),
    ("commands without an answer", 900),
    ("commands settled in the end", 60),
    ("commands that conflict", 80),
    ("commits", 12_000),
    ("commits answered again", 110),
    ("calls that fail before", 500),
    ("calls while all is down", 1_800),
    ("answers lost", 450),
    ("doubtful calls that were not made", 120),
    ("long delays", 4_000),
    ("leases lost", 550),
    ("versions lost", 350),
    ("documents changed meanwhile", 300),
    ("the same key at once", 80),
    ("links taken", 25),
    ("processes killed", 1_000),
    ("tasks killed", 4_000),
    ("processes frozen", 600),
    ("outages of the store", 200),
    ("outages of the way out", 200),
    ("clocks set", 2_000),
    ("jumps of minutes", 2_000),
    ("jumps of hours", 900),
    ("jumps of a day", 500),
    ("jumps past a retention", 200),
    ("jumps of a year", 40),
    ("submit", 1_500),
    ("fire", 300),
    ("take", 20),
    ("hand over", 20),
    ("assign", 30),
    ("assess", 30),
    ("conclude", 25),
    ("confirm", 5),
    ("correct", 60),
    ("tell", 15),
    ("hear", 40),
    ("note", 60),
    ("attach", 15),
    ("link", 20),
    ("hold", 10),
    ("release", 3),
    ("erase", 10),
    ("plan", 300),
    ("plan again", 25),
    ("acknowledge", 12),
    ("start", 50),
    ("done", 30),
    ("impossible", 20),
    ("cancel", 8),
    ("spend", 50),
    ("buy", 60),
    ("strike", 1),
    ("definitions published", 120),
    ("figures read", 300),
    ("lists read", 200),
    ("histories read", 300),
    ("histories verified", 200),
    ("persons looked for", 170),
    ("pages of the feed", 2_000),
    ("files swept", 40),
    ("files that are there", 80),
    ("reports", 450),
    ("messages taken", 1_000),
    ("messages taken, answer lost", 90),
    ("messages taken, then hung", 35),
    ("messages hung", 30),
    ("messages put off", 70),
    ("messages refused", 90),
    ("messages while the way out is down", 120),
    ("messages that went on by another channel", 8),
    ("messages given up", 4),
    ("messages that arrived", 800),
    ("typed texts handed over", 1_500),
    ("texts read again", 200),
    ("timers fired", 25),
    ("tasks put off", 150),
    ("erasures finished", 1_200),
    ("months closed", 250),
    ("requests anonymised", 1_000),
    ("requests looked at that are forgotten", 2_000),
    ("requests looked at that are kept", 350),
    ("holds lifted in the end", 8),
    ("keys looked at that are destroyed", 1_000),
    ("runs in which nothing personal was left", 12),
    ("cells of figures compared", 20_000),
    ("interventions looked at, a request forgotten", 600),
    ("interventions looked at, all requests forgotten", 500),
    ("numbers of invoices that stay", 100),
    ("things bought that are gone", 100),
];

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
    let counts = run_all(1..251);
    for (what, least) in FLOORS {
        let count = counts.get(what).copied().unwrap_or_default();
        assert!(count >= *least, "`{what}` happened {count} times only, {least} are wanted");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [5, 6] {
        let (one, two) = (run(seed, Mutant::None), run(seed, Mutant::None));
        assert!(one.events != 0 && one == two, "seed {seed}: {one:#?} and then {two:#?}");
    }
    assert_ne!(run(5, Mutant::None), run(6, Mutant::None));
}

/// A run that finds nothing shows nothing: each of these faults, made on purpose, is found within some seeds.
#[test]
fn what_is_wrong_on_purpose_is_found() {
    for mutant in Mutant::ALL {
        let found = (1..=100).find_map(|seed| try_run(seed, mutant).err().map(|problem| (seed, problem)));
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
