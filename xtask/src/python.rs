//! The Python bindings: their wheel, installed as anybody would into an environment of its own; their tests and types; and
//! the programs that embed them.

use crate::{
    Outcome,
    environment::{Environment, Wheel, root, run},
};
use std::{error::Error, process::Command};

const BINDINGS: &str = "grc-python";
const EXAMPLES: &str = "examples/python";
/// What `cargo xtask compare` runs. The package beside the library needs Django's packages, which are not here.
const COMPARED: &str = "benches/python";
/// What the tests need of other packages, at the versions that were tried.
const REQUIREMENTS: [&str; 2] = ["grc-python/requirements.txt", "examples/python/requirements.txt"];

/// Where a command runs, and what it is.
type Check = (&'static str, &'static [&'static str]);

const CHECKS: [Check; 12] = [
    (BINDINGS, &["tools/twins.py", "--check"]),
    (BINDINGS, &["-m", "ruff", "format", "--check", "python", "tests", "tools", "conftest.py"]),
    (BINDINGS, &["-m", "pytest", "-q"]),
    (BINDINGS, &["-m", "pytest", "-q", "-p", "conftest", "--doctest-modules", "--pyargs", "grc"]),
    (BINDINGS, &["-m", "mypy"]),
    (BINDINGS, &["-m", "mypy", "conftest.py"]),
    (BINDINGS, &["-m", "mypy.stubtest", "grc", "--allowlist", "tools/stubtest.allow"]),
    (EXAMPLES, &["-m", "ruff", "format", "--check", "."]),
    (EXAMPLES, &["-m", "pytest", "-q"]),
    (EXAMPLES, &["-m", "mypy", "delays.py", "fastapi_service", "django_town", "tests"]),
    (COMPARED, &["-m", "ruff", "format", "--check", "."]),
    (COMPARED, &["-m", "mypy", "driver.py", "given.py", "ours.py"]),
];

/// Makes the environment, installs the bindings into it, and runs what is tested there.
pub(crate) fn test() -> Outcome {
    install()?;
    check()
}

/// Installs the bindings, as they are now, into the environment.
pub(crate) fn install() -> Outcome {
    environment()?.install(&REQUIREMENTS, Wheel::Dev)
}

/// Runs what is tested in the environment.
pub(crate) fn check() -> Outcome {
    let (root, python) = (root()?, environment()?.python());
    for (folder, arguments) in CHECKS {
        println!("\n-- {folder}: python {}", arguments.join(" "));
        run(Command::new(&python).args(arguments).current_dir(root.join(folder)))?;
    }
    Ok(())
}

fn environment() -> Result<Environment, Box<dyn Error>> {
    Environment::named("python")
}
