//! A writing process is killed with SIGKILL, at chosen moments; what it had acknowledged is there, nothing is half
//! there, and the engine finishes by itself what was interrupted.
//!
//! The child (this program again) runs the engine and says on its output which window it enters, which it leaves, and
//! what was acknowledged to it. The parent kills it a moment after it has entered a window, counts the kill for that
//! window only if the child had not left it, and looks at the files with an engine of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

/// Ends a check with what does not hold.
macro_rules! must {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}

#[path = "crash/child.rs"]
mod child;
#[path = "crash/ledger.rs"]
mod ledger;
#[path = "crash/raw.rs"]
mod raw;
mod support;
#[path = "crash/town.rs"]
mod town;
#[path = "crash/watched.rs"]
mod watched;

use grc_core::{
    Definition,
    conformance::Dice,
    definition::{Retention, Then},
};
use pollster::block_on;
use std::{collections::BTreeMap, fs::File, process::Stdio, time::Duration};
use support::{definition, elapsed, role, say};
use town::Town;

const TOWN: &str = "saint-aubin";
/// The windows that kills are aimed at: new keys; a commit; one that erases; keys destroyed, or replaced by those of the
/// slots that stay; and the commit that forgets the name of a month's key that is destroyed already.
const WINDOWS: [&str; 5] = ["issue", "commit", "erase", "destroy", "month"];
/// Kills in each.
const KILLS: u32 = 20;
/// Kills of one of two processes.
const PAIRS: u32 = 10;
/// Steps of a process that is not killed before.
const STEPS: u32 = 300;
/// Longer than the retention period, and than any month.
const DAYS: i64 = 40;

/// A short retention period, so that the clock of a long run does not leave the years that can be stored.
fn rules() -> Definition {
    let mut definition = definition();
    definition.procedures.get_mut("fuite-eau").unwrap().retention =
        Retention { months: 0, days: 30, then: Then::Anonymise };
    definition
}

/// Only what another test starts does anything.
#[test]
fn child() {
    if let Some(role) = role() {
        child::run(role);
    }
}

#[test]
fn what_was_acknowledged_survives_kills_and_nothing_is_half_there() {
    let began = elapsed();
    let mut dice = Dice::new(20_261_124);
    let mut kills: BTreeMap<&str, u32> = WINDOWS.iter().map(|window| (*window, 0)).collect();
    let mut longest: BTreeMap<&str, u32> = WINDOWS.iter().map(|window| (*window, 2_000)).collect();
    let mut elsewhere = 0;
    let mut tries = 0;
    let mut town = Town::new();
    let mut totals = Totals::default();
    while kills.values().any(|count| *count < KILLS) {
        tries += 1;
        assert!(tries < 12 * KILLS, "most kills miss: {kills:?}");
        let window = *WINDOWS.iter().min_by_key(|window| kills[*window]).unwrap();
        let nth = 1 + dice.below(if window == "issue" || window == "month" { 2 } else { 8 }) as u32;
        let delay = longest[window] as usize;
        let delay = Duration::from_micros(dice.below(delay.max(1)) as u64);
        let mut child = town.start(window, dice.next(), Stdio::piped());
        let hit = town.kill(&mut child, window, nth, delay);
        match hit {
            Some(hit) if hit == window => *kills.get_mut(window).unwrap() += 1,
            _ => {
                elsewhere += 1;
                // It was out again already: less patience.
                let longest = longest.get_mut(window).unwrap();
                *longest = (*longest * 3 / 4).max(50);
            }
        }
        block_on(town.check())
            .unwrap_or_else(|problem| panic!("after kill {tries}, aimed at {window}: {problem}"));
        if tries % 12 == 0 {
            totals.add(&town);
            town = Town::new();
        }
    }
    totals.add(&town);
    say(&format!(
        "kills within each window: {kills:?}; between windows: {elsewhere}; delays at most {longest:?} µs; {totals:?}; \
         {:.1} s",
        (elapsed() - began).as_secs_f64()
    ));
    totals.are_not_empty();
}

/// What the processes had acknowledged in all, so that nobody takes a run for a proof in which nothing happened.
#[derive(Debug, Default)]
struct Totals {
    towns: usize,
    requests: usize,
    writes: u64,
    erased: usize,
    anonymised: usize,
    keys_destroyed: usize,
    keys_replaced: usize,
}

impl Totals {
    fn add(&mut self, town: &Town) {
        let ledger = town.ledger.lock().unwrap();
        self.towns += 1;
        self.requests += ledger.requests.len();
        self.writes += ledger.acknowledged;
        self.erased += ledger.requests.values().map(|known| known.erased.len()).sum::<usize>();
        self.anonymised += ledger.requests.values().filter(|known| known.forgotten).count();
        self.keys_destroyed += ledger.gone.len();
        self.keys_replaced += ledger.kept.len();
    }

    fn are_not_empty(&self) {
        let all = [self.requests, self.erased, self.anonymised, self.keys_destroyed, self.keys_replaced];
        assert!(all.iter().all(|count| *count > 10), "too little happened: {self:?}");
    }
}

#[test]
fn of_two_processes_one_is_killed_and_the_other_goes_on() {
    let began = elapsed();
    let mut dice = Dice::new(7);
    let (mut hits, mut after_kill) = (0, Vec::new());
    let mut town = Town::new();
    for round in 0..PAIRS {
        if round % 5 == 0 {
            town = Town::new();
        }
        let window = WINDOWS[round as usize % WINDOWS.len()];
        let log = town.directory.path().join("survivor");
        let mut survivor = town.start("erase", dice.next(), File::create(&log).unwrap().into());
        let mut victim = town.start(window, dice.next(), Stdio::piped());
        let delay = Duration::from_micros(dice.below(500) as u64);
        let nth = 1 + dice.below(if window == "issue" || window == "month" { 1 } else { 6 }) as u32;
        if town.kill(&mut victim, window, nth, delay).is_some() {
            hits += 1;
        }
        let until_kill = std::fs::read_to_string(&log).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        File::create(town.stop()).unwrap();
        assert!(survivor.wait().unwrap().success());
        std::fs::remove_file(town.stop()).unwrap();
        let all = std::fs::read_to_string(&log).unwrap();
        let mut ledger = town.ledger.lock().unwrap();
        all.lines().for_each(|line| ledger.note(line));
        assert!(ledger.bad.is_empty(), "the survivor failed: {:#?}", ledger.bad);
        drop(ledger);
        let done = |text: &str| {
            text.lines().filter(|line| line.starts_with("leave") && line.contains("\tdone\t")).count()
        };
        after_kill.push(done(&all) - done(&until_kill));
        block_on(town.check()).unwrap_or_else(|problem| panic!("round {round}, {window}: {problem}"));
    }
    assert!(after_kill.iter().all(|count| *count > 0), "the survivor goes on: {after_kill:?}");
    say(&format!(
        "two processes: {PAIRS} kills, {hits} of them within a window; what the survivor wrote after each: {after_kill:?}; {:.1} s",
        (elapsed() - began).as_secs_f64()
    ));
}
