//! The programs of `benches`, built for speed.

use crate::{
    Outcome,
    environment::{Environment, Wheel},
    needs,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// What is put beside the library in Python.
const REQUIREMENTS: &str = "benches/python/requirements.txt";

/// A disk that flushes more slowly, for what is preloaded with it.
const SLOW: &str = "benches/shim/slow.c";

fn program(name: &str, arguments: Vec<OsString>) -> Outcome {
    let mut command = cargo("run", name);
    command.arg("--").args(arguments);
    finished(&mut command)
}

fn cargo(what: &str, name: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args([what, "--quiet", "--release", "-p", "grc-benches", "--bin", name]);
    command
}

fn finished(command: &mut Command) -> Outcome {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}

/// Takes `--flush-ms N` out of the arguments: how much longer each flush is to take.
fn slower(arguments: &mut Vec<OsString>) -> Result<Option<u64>, Box<dyn std::error::Error>> {
    const NAME: &str = "--flush-ms";
    let Some(at) = arguments.iter().position(|argument| argument == NAME) else { return Ok(None) };
    let value = arguments.get(at + 1).and_then(|value| value.to_str()?.parse().ok());
    let value = value.ok_or_else(|| format!("`{NAME}` is followed by a number of milliseconds"))?;
    arguments.drain(at..at + 2);
    Ok(Some(value))
}

/// Runs the comparison as on a disk whose flushes take so much longer.
fn on_slow_disk(milliseconds: u64, arguments: Vec<OsString>) -> Outcome {
    finished(&mut cargo("build", "compare"))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let shim = std::path::absolute(target.join("slow.so"))?;
    finished(Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&shim).args([SLOW, "-ldl"]))
        .map_err(|error| format!("{}: {error}", Path::new(SLOW).display()))?;
    let mut compare = Command::new(target.join("release/compare"));
    compare.args(arguments).env("LD_PRELOAD", shim);
    finished(compare.env("GRC_FLUSH_MICROS", (milliseconds * 1_000).to_string()))
}

/// The comparison with the same writes by hand, and, in an environment that is made for it, with other programs in Python.
pub(crate) fn run(mut arguments: Vec<OsString>) -> Outcome {
    let slower = slower(&mut arguments)?;
    if wants_python(&arguments)? {
        let environment = Environment::named("compare")?;
        eprintln!("the bindings are built for use, and installed beside the packages of {REQUIREMENTS}");
        environment.install(&[REQUIREMENTS], Wheel::Release).map_err(|error| {
            format!(
                "{error}\n       what is compared in Python cannot be installed: it needs Python 3.10 or later with pip, and an \
                 index of packages (PIP_INDEX_URL) or a network; `cargo xtask compare --peer raw` does without"
            )
        })?;
        arguments.extend(["--python".into(), environment.python().into()]);
    }
    match slower {
        Some(milliseconds) => on_slow_disk(milliseconds, arguments),
        None => program("compare", arguments),
    }
}

/// Whether an environment must be made: not if another Python is named, or only other stores or peers are asked for.
fn wants_python(arguments: &[OsString]) -> Result<bool, lexopt::Error> {
    use lexopt::prelude::{Long, Short};
    let (mut sqlite, mut peers) = (true, Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("python" | "help") | Short('h') => return Ok(false),
            Long("store") => sqlite = parser.value()? == "sqlite",
            Long("peer") => peers.push(parser.value()?),
            Long("requests") => drop(parser.value()?),
            // The program knows the rest, and refuses what is wrong.
            _ => {}
        }
    }
    Ok(sqlite && (peers.is_empty() || peers.iter().any(|peer| peer == "python" || peer == "django")))
}

/// The instructions of the core's main paths, against their budgets.
pub(crate) fn instructions() -> Outcome {
    needs::valgrind()?;
    program("instructions", Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_disk_is_asked_for_by_a_number() {
        let slower = |line: &str| {
            let mut arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            slower(&mut arguments).map(|found| (found, arguments.len())).map_err(|error| error.to_string())
        };
        assert_eq!(slower("--quick --flush-ms 2 --json"), Ok((Some(2), 2)));
        assert_eq!(slower("--quick"), Ok((None, 1)));
        assert!(slower("--flush-ms").is_err() && slower("--flush-ms soon").is_err());
    }

    #[test]
    fn an_environment_is_made_only_where_it_is_used() {
        let wanted = |line: &str| {
            let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            wants_python(&arguments).unwrap()
        };
        assert!(wanted(""));
        assert!(wanted("--quick --requests 5000 --store sqlite --json"));
        assert!(wanted("--peer raw --peer=django"));
        assert!(!wanted("--store mariadb"));
        assert!(!wanted("--peer raw"));
        assert!(!wanted("--help"));
        assert!(!wanted("--store=memory --peer python"));
        assert!(!wanted("--python /somewhere/python --peer django"));
    }
}
