//! Every clause has a case, and every case a clause.

use grc_core::conformance::{CASES, Case, KEYRING_CASES};
use std::collections::BTreeSet;

/// The clauses that a contract's text numbers: what follows this mark at the beginning of a line.
fn clauses<'a>(text: &'a str, mark: &str) -> BTreeSet<&'a str> {
    let after = |line: &'a str| line.trim_start().strip_prefix(mark).map(str::trim_start);
    text.lines()
        .filter_map(after)
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.split_once('-').is_some_and(|(_, number)| number.parse::<u8>().is_ok()))
        .collect()
}

fn contracts() -> BTreeSet<&'static str> {
    let mut all = clauses(include_str!("../src/storage/contract.rs"), "//! |");
    all.extend(clauses(include_str!("../src/storage/blob.rs"), "/// -"));
    all
}

#[track_caller]
fn check(cases: &'static [Case], clauses: &BTreeSet<&str>) {
    let cited: BTreeSet<&str> = cases.iter().map(|case| case.clause).collect();
    assert_eq!(cited, *clauses, "left: clauses that cases cite; right: clauses that the contract has");
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "a case has a name of its own");
    for case in cases {
        // `C-04` is proved by `c04_…`, `B-1` by `b1_…`.
        let prefix = case.clause.replace('-', "").to_lowercase() + "_";
        assert!(case.name.starts_with(&prefix), "`{}` proves {}", case.name, case.clause);
    }
    assert!(cases.iter().all(|case| !case.doc.is_empty()), "a case says what it shows");
}

#[test]
fn every_clause_of_the_store_has_a_case() {
    let contracts = contracts();
    assert_eq!(contracts.len(), 26, "C-01 to C-22 and B-1 to B-4 are found in the text: {contracts:?}");
    check(CASES, &contracts);
}

#[test]
fn every_clause_of_the_keyring_has_a_case() {
    let contract = clauses(include_str!("../src/vault/keyring.rs"), "/// -");
    assert_eq!(contract.len(), 6, "K-1 to K-6 are found in the text: {contract:?}");
    check(KEYRING_CASES, &contract);
}

/// `cargo test --test conformance_clauses -- --nocapture` shows how many cases each clause has.
#[test]
fn count() {
    let all: Vec<&str> = CASES.iter().chain(KEYRING_CASES).map(|case| case.clause).collect();
    for clause in all.iter().collect::<BTreeSet<_>>() {
        println!("{clause}: {}", all.iter().filter(|one| *one == clause).count());
    }
}
