//! No dependency is there in two versions without a reason.

use crate::{
    Outcome,
    graph::{self, Graph},
};
use std::collections::{BTreeMap, BTreeSet};

/// Packages that may be there in several versions, each with the reason.
const ALLOWED: &[(&str, &str)] = &[
    ("block-buffer", SQLX_SHA),
    ("cpufeatures", SQLX_SHA),
    ("crypto-common", SQLX_SHA),
    ("digest", SQLX_SHA),
    ("sha2", SQLX_SHA),
    ("getrandom", RING),
    ("r-efi", "ahash, which arrow uses, is not on the newest getrandom yet; for no system but UEFI"),
    ("hashbrown", SQLX_CACHE),
    ("hashlink", SQLX_CACHE),
    (
        "syn",
        "the attributes of tracing, which sqlx uses, are not on the newest yet; it is used while compiling only",
    ),
    ("windows-sys", RING),
];
const SQLX_SHA: &str = "sqlx 0.9 uses sha2 0.10, one generation before ours";
const SQLX_CACHE: &str = "sqlx 0.9 and rusqlite use different versions of hashlink";
const RING: &str = "ring, which rustls uses, is not on the newest yet";

/// What is wrong with the packages of a graph: their names and versions, in normal dependencies and in
/// Cargo.lock.
fn faults(normal: &[(&str, &str)], all: &[(&str, &str)], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in normal {
        versions.entry(name).or_default().insert(version);
    }
    let mut out = Vec::new();
    for (name, versions) in &versions {
        let listed = allowed.iter().any(|(allowed, _)| allowed == name);
        let list = || versions.iter().copied().collect::<Vec<_>>().join(", ");
        match (versions.len() > 1, listed) {
            (true, false) => out.push(format!("{name} is there in several versions: {}", list())),
            (false, true) => out.push(format!("{name} is there once: take it off the list of duplicates")),
            _ => {}
        }
    }
    let absent = allowed.iter().filter(|(name, _)| !versions.contains_key(name));
    out.extend(absent.map(|(name, _)| format!("{name} is not there: take it off the list of duplicates")));
    // It links a C library, of which a program can have one.
    let sqlite: Vec<&str> =
        all.iter().filter(|(name, _)| *name == "libsqlite3-sys").map(|(_, version)| *version).collect();
    if sqlite.len() != 1 {
        out.push(format!("libsqlite3-sys must be there exactly once, and is there as: {sqlite:?}"));
    }
    if all.iter().any(|(name, _)| *name == "sqlx-sqlite") {
        out.push("sqlx-sqlite must not be there: it would bind the version of libsqlite3-sys".to_owned());
    }
    out
}

pub(crate) fn check() -> Outcome {
    let graph = Graph::read()?;
    let normal: Vec<(&str, &str)> = graph
        .normal
        .iter()
        .filter_map(|id| graph.packages.get(id))
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"))?;
    let all = graph::locked(&lock);
    for (name, reason) in ALLOWED {
        println!("{name}: in several versions, because {reason}");
    }
    println!("{} packages in normal dependencies, {} in Cargo.lock", normal.len(), all.len());
    let faults = faults(&normal, &all, ALLOWED);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n       ").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQLITE: (&str, &str) = ("libsqlite3-sys", "0.37.0");

    #[test]
    fn duplicates_need_a_reason_and_reasons_a_duplicate() {
        let two = [SQLITE, ("syn", "1.0.0"), ("syn", "2.0.0")];
        assert_eq!(faults(&two, &two, &[]), ["syn is there in several versions: 1.0.0, 2.0.0"]);
        assert!(faults(&two, &two, &[("syn", "a reason")]).is_empty());
        let one = [SQLITE, ("syn", "2.0.0")];
        assert_eq!(faults(&one, &one, &[("syn", "a reason")]).len(), 1);
        assert_eq!(faults(&[SQLITE], &[SQLITE], &[("syn", "a reason")]).len(), 1);
        // Two versions outside of normal dependencies concern nobody.
        assert!(faults(&one, &[SQLITE, ("syn", "1.0.0"), ("syn", "2.0.0")], &[]).is_empty());
    }

    #[test]
    fn sqlite_is_linked_once() {
        assert_eq!(faults(&[], &[], &[]).len(), 1);
        assert_eq!(faults(&[], &[SQLITE, ("libsqlite3-sys", "0.30.0")], &[]).len(), 1);
        assert_eq!(faults(&[], &[SQLITE, ("sqlx-sqlite", "0.9.0")], &[]).len(), 1);
    }
}
