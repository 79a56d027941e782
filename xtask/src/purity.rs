//! grc-core depends on no runtime, no database, no network and no system, unless a feature asks for it.

use crate::{Outcome, graph};
use std::collections::BTreeSet;

const FORBIDDEN: &[&str] = &[
    "async-std",
    "getrandom",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "mysql_async",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
    "ureq",
];

/// The names in the output of `cargo tree --prefix none`.
fn names(tree: &str) -> BTreeSet<&str> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

pub(crate) fn check() -> Outcome {
    let arguments = ["tree", "--locked", "--offline", "-p", "grc-core", "-e", "normal", "--prefix", "none"];
    let tree = graph::cargo(&arguments)?;
    let names = names(&tree);
    if !names.contains("grc-core") {
        return Err("`cargo tree` does not name grc-core: nothing was checked".into());
    }
    println!("grc-core with default features depends on {} crates", names.len() - 1);
    let found: Vec<&str> = FORBIDDEN.iter().copied().filter(|name| names.contains(name)).collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("grc-core must not depend on: {}", found.join(", ")).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_a_tree() {
        let tree = "grc-core v0.1.0 (path)\nserde v1.0.0\nserde v1.0.0 (*)\n\ntokio-util v0.7.0\n";
        assert_eq!(names(tree), ["grc-core", "serde", "tokio-util"].into());
    }
}
