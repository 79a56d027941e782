//! Every dependency comes from crates.io, under a licence that its users can live with.

use crate::{
    Outcome,
    graph::{Graph, Package},
    spdx,
};
use std::collections::BTreeMap;

const ALLOWED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "Unicode-3.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "CC0-1.0",
    "Unlicense",
    "MIT-0",
    "0BSD",
    "BSL-1.0",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is wrong with a package, if anything is.
fn fault(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    let of = |what: String| Some(format!("{} {}: {what}", package.name, package.version));
    if source != CRATES_IO {
        return of(format!("it comes from `{source}`, not from crates.io"));
    }
    let Some(licence) = &package.licence else { return of("it names no licence".to_owned()) };
    match spdx::satisfied(licence, ALLOWED) {
        Ok(true) => None,
        Ok(false) => of(format!("the licence `{licence}` is not allowed")),
        Err(error) => of(error),
    }
}

pub(crate) fn check() -> Outcome {
    let graph = Graph::read()?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for package in graph.packages.values().filter(|package| package.source.is_some()) {
        *counts.entry(package.licence.as_deref().unwrap_or("none")).or_default() += 1;
    }
    for (licence, count) in &counts {
        println!("{count:>5}  {licence}");
    }
    println!("{:>5}  packages from elsewhere", counts.values().sum::<usize>());
    let faults: Vec<String> = graph.packages.values().filter_map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n       ").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(licence: Option<&str>, source: Option<&str>, expected: Option<&str>) {
        let package = Package {
            name: "name".to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.map(str::to_owned),
            source: source.map(str::to_owned),
        };
        let found = fault(&package);
        match expected {
            None => assert_eq!(found, None),
            Some(part) => assert!(found.as_ref().is_some_and(|text| text.contains(part)), "{found:?}"),
        }
    }

    #[test]
    fn packages_are_judged_by_licence_and_source() {
        check(Some("MIT OR Apache-2.0"), Some(CRATES_IO), None);
        check(Some("GPL-3.0-only"), Some(CRATES_IO), Some("name 1.0.0: the licence `GPL-3.0-only`"));
        check(Some("MIT"), Some("git+https://example.org/name"), Some("not from crates.io"));
        check(None, Some(CRATES_IO), Some("no licence"));
        // Our own packages have no source.
        check(None, None, None);
    }
}
