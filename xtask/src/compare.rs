//! The programs of `benches`, built for speed.

use crate::{Outcome, needs};
use std::{ffi::OsString, process::Command};

fn program(name: &str, arguments: Vec<OsString>) -> Outcome {
    let cargo = ["run", "--quiet", "--release", "-p", "grc-benches", "--bin", name, "--"];
    let status = Command::new("cargo").args(cargo).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}

/// The comparison with the same writes by hand.
pub(crate) fn run(arguments: Vec<OsString>) -> Outcome {
    program("compare", arguments)
}

/// The instructions of the core's main paths, against their budgets.
pub(crate) fn instructions() -> Outcome {
    needs::valgrind()?;
    program("instructions", Vec::new())
}
