//! The simulation of `grc-core` over many seeds.

use crate::Outcome;
use std::{ffi::OsString, process::Command};

/// Runs seeds of the simulation in the release profile, on all processors. A seed that fails is printed, with how to run
/// it again alone.
pub(crate) fn run(arguments: Vec<OsString>) -> Outcome {
    use lexopt::prelude::{Long, ValueExt};
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut seeds, mut from) = (10_000_u64, 1_u64);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seeds") => seeds = parser.value()?.parse()?,
            Long("from") => from = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let mut command = Command::new("cargo");
    command.args(["test", "--release", "-p", "grc-core", "--test", "simulation", "many_seeds", "--"]);
    command.args(["--ignored", "--nocapture"]);
    command.env("GRC_SEEDS", seeds.to_string()).env("GRC_FROM", from.to_string());
    // A panic is a seed that failed, which says what was wrong; where in the test it was seen is in the way.
    command.env("RUST_BACKTRACE", "0");
    let begun = crate::run::now();
    let status = command.status()?;
    println!("{seeds} seeds from {from} on in {:.1} s", begun.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}
