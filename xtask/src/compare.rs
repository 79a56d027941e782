//! The comparison with the same writes by hand: a program of `benches`, built for speed.

use crate::Outcome;
use std::{ffi::OsString, process::Command};

pub(crate) fn run(arguments: Vec<OsString>) -> Outcome {
    let cargo = ["run", "--quiet", "--release", "-p", "grc-benches", "--bin", "compare", "--"];
    let status = Command::new("cargo").args(cargo).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}
