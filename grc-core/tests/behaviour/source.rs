//! What the source of the crate may not hold.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use grc_core::Definition;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn files(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    files(&root().join("src"), &mut paths);
    assert!(paths.len() > 50);
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// Every step is data: the library knows no state, role or type of any definition.
#[test]
fn no_name_of_a_definition_is_in_the_source() {
    let mut names = BTreeSet::new();
    let mut directories =
        vec![root().join("tests/definitions/voirie"), root().join("tests/definitions/urbanisme")];
    let town = root().join("../examples/quickstart/town");
    if town.is_dir() {
        directories.push(town);
    }
    for directory in directories {
        let definition = Definition::from_dir(directory).unwrap().resolved();
        names.extend(definition.organisation.roles.iter().map(|role| role.id.to_string()));
        for (type_, procedure) in &definition.procedures {
            names.insert(type_.to_string());
            names.extend(procedure.states.iter().map(|state| state.id.to_string()));
            names.extend(procedure.transitions.iter().map(|transition| transition.id.to_string()));
        }
    }
    assert!(names.len() > 30, "{names:?}");
    for (path, text) in sources() {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for literal in line.split('"').skip(1).step_by(2) {
                assert!(
                    !names.contains(literal),
                    "{}: the name `{literal}` of a definition: {line}",
                    path.display()
                );
            }
        }
    }
}

/// Only the system's clock and random source read the world, and only the reading of a directory
/// and the drop of messages touch files.
#[test]
fn nothing_else_reads_a_clock_a_random_source_or_a_file() {
    for (pattern, allowed) in [
        ("SystemTime", &["time.rs"][..]),
        ("Instant::now", &[]),
        ("Utc::now", &[]),
        ("getrandom::", &["entropy.rs"]),
        ("rand::", &[]),
        // One reads definitions, the other is a way out for messages, behind a feature.
        ("fs::", &["definition/read/directory.rs", "transport/file_drop.rs"]),
        ("std::{fs", &[]),
        ("OpenOptions", &["transport/file_drop.rs"]),
        ("std::net", &[]),
        ("std::env", &[]),
        ("std::process", &[]),
        ("thread::spawn", &[]),
        ("thread::sleep", &[]),
    ] {
        for (path, text) in sources() {
            let name = path.strip_prefix(root().join("src")).unwrap().to_string_lossy().replace('\\', "/");
            if name.starts_with("conformance") || allowed.contains(&name.as_str()) {
                continue;
            }
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                assert!(!line.contains(pattern), "{name}: `{pattern}`: {line}");
            }
        }
    }
}

/// One main type a file, and files that can be read.
#[test]
fn files_stay_small() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 700, "{} has {lines} lines", path.display());
    }
}
