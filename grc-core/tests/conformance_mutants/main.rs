//! Every clause is proved: a store that breaks it fails a case that cites it.
//!
//! `cargo test -p grc-core --test conformance_mutants -- --nocapture` prints each mutant with all cases that it
//! fails, the clauses that are not proved, and the cases that no mutant fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod batches;
mod bounds;
mod documents;
mod feeds;
mod files;
mod lists;
mod matrix;
mod refusals;
mod ring;
mod rings;
mod rows;
mod store;
mod tasks;

use grc_core::conformance::{CASES, KEYRING_CASES};
use matrix::{Row, matrix};
use std::{collections::BTreeSet, path::Path};

/// The engines that run the kit, and the test that runs it.
const ENGINES: &[(&str, &str)] = &[
    ("memory", "grc-core/tests/conformance.rs"),
    ("SQLite", "grc-sqlite/tests/conformance.rs"),
    ("MySQL, MariaDB", "grc-mysql/tests/conformance.rs"),
];

/// Clauses that no mutant proves, with the reason.
const NOT_PROVED: &[(&str, &str)] = &[];

/// Cases that no mutant fails.
const NEVER_FAILED: &[&str] = &[];

fn clauses() -> BTreeSet<&'static str> {
    CASES.iter().chain(KEYRING_CASES).map(|case| case.clause).collect()
}

#[test]
fn the_sound_store_and_keyring_pass() {
    let (store, keyring) = &matrix().sound;
    assert_eq!(store.failed, [] as [&str; 0], "the wrapper itself breaks nothing");
    assert_eq!(keyring.failed, [] as [&str; 0], "the wrapper itself breaks nothing");
}

#[test]
fn each_mutant_fails_its_clause() {
    let rows = &matrix().rows;
    for row in rows {
        println!("{}  {}", row.clause, row.name);
        for case in &row.failed {
            println!("        {case}");
        }
    }
    let survived = |row: &&Row| !row.fails_its_clause();
    let survivors: Vec<_> = rows.iter().filter(survived).map(|row| (row.clause, row.name)).collect();
    println!("{} mutants", rows.len());
    assert_eq!(survivors, [], "these fail no case of their clause");
    assert!(rows.len() >= 200, "{} mutants only", rows.len());
    let names: BTreeSet<_> = rows.iter().map(|row| (row.clause, row.name)).collect();
    assert_eq!(names.len(), rows.len(), "a mutant has a name of its own");
}

#[test]
fn each_clause_has_a_mutant() {
    let proved: BTreeSet<_> =
        matrix().rows.iter().filter(|row| row.fails_its_clause()).map(|row| row.clause).collect();
    assert!(proved.is_subset(&clauses()), "a mutant breaks a clause that exists");
    let open: Vec<_> = clauses().difference(&proved).copied().collect();
    for (clause, why) in NOT_PROVED {
        println!("{clause} is not proved: {why}");
    }
    let expected: Vec<_> = NOT_PROVED.iter().map(|(clause, _)| *clause).collect();
    assert_eq!(open, expected, "left: clauses without a mutant that fails them; right: those that are known");
}

#[test]
fn each_case_is_failed_by_a_mutant() {
    let failed: BTreeSet<_> = matrix().rows.iter().flat_map(|row| &row.failed).copied().collect();
    let never: Vec<_> = CASES
        .iter()
        .chain(KEYRING_CASES)
        .map(|case| case.name)
        .filter(|name| !failed.contains(name))
        .collect();
    for name in &never {
        println!("no mutant fails {name}");
    }
    assert_eq!(never, NEVER_FAILED, "left: cases that no mutant fails; right: those that are known");
}

#[test]
fn each_clause_is_run_on_every_engine() {
    for (engine, test) in ENGINES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(test);
        let text = std::fs::read_to_string(&path).unwrap();
        for kit in ["grc_core::store_conformance!(", "grc_core::keyring_conformance!("] {
            assert!(text.contains(kit), "{engine}: {test} runs the kit");
        }
        println!("{engine} runs all of {} clauses", clauses().len());
    }
}
