//! The Python bindings: their wheel, installed as anybody would into an environment of its own; their tests and types; and
//! the programs that embed them.

use crate::{
    Outcome,
    environment::{BINDINGS, Environment, Wheel, root},
};
use std::process::Command;

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
    let environment = Environment::named("python")?;
    environment.install(&REQUIREMENTS, Wheel::Dev)?;
    let (root, python) = (root()?, environment.python());
    for (folder, arguments) in CHECKS {
        let begun = crate::run::now();
        let output = Command::new(&python).args(arguments).current_dir(root.join(folder)).output()?;
        // In one piece, whoever else says something now.
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        let (what, took) = (arguments.join(" "), begun.elapsed().as_secs_f64());
        println!("\n-- {folder}: python {what}, {took:.1} s\n{}", said.concat().trim());
        if !output.status.success() {
            return Err(format!("{folder}: python {what}: {}", output.status).into());
        }
    }
    Ok(())
}
