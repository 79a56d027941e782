//! The programs of `benches`, built for speed.

use crate::{
    Outcome,
    environment::{Environment, Wheel},
    needs,
};
use std::{ffi::OsString, process::Command};

/// What is put beside the library in Python.
const REQUIREMENTS: &str = "benches/python/requirements.txt";

fn program(name: &str, arguments: Vec<OsString>) -> Outcome {
    let cargo = ["run", "--quiet", "--release", "-p", "grc-benches", "--bin", name, "--"];
    let status = Command::new("cargo").args(cargo).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}

/// The comparison with the same writes by hand, and, in an environment that is made for it, with other programs in Python.
pub(crate) fn run(mut arguments: Vec<OsString>) -> Outcome {
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
    program("compare", arguments)
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
