//! What a command costs, in things that do not depend on the machine: pages that are written, and allocations of the
//! caller. Whoever makes one dearer sees it here, and raises the budget in the same change, with the reason.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod town;

use allocation_counter::measure;
use grc_core::RequestId;
use grc_sqlite::Options;
use std::path::Path;
use town::Town;

/// A page in the log, with its header.
const FRAME: u64 = 4_096 + 24;
/// Commands that are measured, after as many that are not.
const COUNT: usize = 50;

/// Pages and allocations a command, of `COUNT` of them.
fn cost(log: &Path, mut command: impl FnMut(usize)) -> (f64, f64) {
    let before = std::fs::metadata(log).unwrap().len();
    let allocated = measure(|| (0..COUNT).for_each(&mut command)).count_total;
    let written = std::fs::metadata(log).unwrap().len() - before;
    (written as f64 / FRAME as f64 / COUNT as f64, allocated as f64 / COUNT as f64)
}

/// At most so much, and not so much less that the budget is out of date.
#[track_caller]
fn within(what: &str, found: f64, budget: f64) {
    assert!(found <= budget, "{what}: {found:.1} is more than {budget}");
    assert!(found >= budget * 0.8, "{what}: {found:.1} is far below {budget}: lower the budget");
}

#[test]
fn a_command_stays_within_its_budget() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("town.db");
    let log = file.with_extension("db-wal");
    let town = Town::on(Options::new().create(true).test(true).open(&file).unwrap().into());
    let known: Vec<RequestId> = (0..COUNT).map(|n| town.submit(n)).collect();
    let mut ids = Vec::new();
    let intake = cost(&log, |n| ids.push(town.submit(COUNT + n)));
    known.into_iter().for_each(|id| town.assign(id));
    let mut ids = ids.into_iter();
    let transition = cost(&log, |_| town.assign(ids.next().unwrap()));
    println!("pages and allocations, an intake {intake:?}, a transition {transition:?}");
    within("pages an intake", intake.0, 25.0);
    within("allocations an intake", intake.1, 850.0);
    within("pages a transition", transition.0, 10.0);
    within("allocations a transition", transition.1, 725.0);
}
