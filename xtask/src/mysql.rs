//! The tests of grc-mysql against a real MySQL, which is fetched into the target folder and nowhere else.

use crate::{Outcome, graph, unstable};
use std::{path::Path, process::Command};

/// How the tests know it (`private_server::Program::from_env`).
const VARIABLE: &str = "GRC_TEST_MYSQL";
const PACKAGE: &str = "mysql-server-core";
const TESTS: [&str; 2] =
    ["test -p private-server -p grc-mysql --all-features", "test -p quickstart --test mysql"];

/// Fetches the server, unless that was done before, and runs the tests with it.
pub(crate) fn test() -> Outcome {
    let folder = graph::target()?.join("mysql");
    if folder.exists() {
        println!("MySQL is in {}", folder.display());
    } else {
        println!("fetching Debian unstable's package `{PACKAGE}` into {}", folder.display());
        unstable::unpack(PACKAGE, &folder).map_err(|error| format!("MySQL cannot be had here: {error}"))?;
    }
    run(&folder)
}

fn run(folder: &Path) -> Outcome {
    for arguments in TESTS {
        let mut command = Command::new("cargo");
        command.args(arguments.split(' ')).env(VARIABLE, folder);
        println!("{command:?}");
        if !command.status()?.success() {
            return Err("a test failed with MySQL".into());
        }
    }
    Ok(())
}
