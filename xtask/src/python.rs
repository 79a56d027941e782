//! The Python bindings: their wheel, installed as anybody would into an environment of its own; their tests and types; and
//! the programs that embed them.

use crate::{
    Outcome,
    environment::{BINDINGS, Environment, Wheel, root, run},
};
use private_server::{Server, Setup};
use std::process::Command;

const EXAMPLES: &str = "examples/python";
/// What `cargo xtask compare` runs. The package beside the library needs Django's packages, which are not here.
const COMPARED: &str = "benches/python";
/// What the tests need of other packages, at the versions that were tried.
const REQUIREMENTS: [&str; 2] = ["grc-python/requirements.txt", "examples/python/requirements.txt"];

/// The variable that tells the tests where a server is, and how many pairs of databases, for a store and for its keys, it has
/// for them.
const SERVER: (&str, usize) = ("GRC_TEST_SERVER", 100);

/// Where a command runs, and what it is.
type Check = (&'static str, &'static [&'static str]);

const CHECKS: [Check; 13] = [
    (BINDINGS, &["tools/twins.py", "--check"]),
    (BINDINGS, &["-m", "ruff", "format", "--check", "python", "tests", "tools", "conftest.py"]),
    (BINDINGS, &["-m", "pytest", "-q"]),
    (BINDINGS, &["-m", "pytest", "-q", "-p", "conftest", "--doctest-modules", "--pyargs", "grc"]),
    (BINDINGS, &["-m", "mypy"]),
    (BINDINGS, &["-m", "mypy", "conftest.py"]),
    // The oldest Python that is served, whatever this one is.
    (BINDINGS, &["-m", "mypy", "--python-version", "3.10", "python"]),
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
    let (root, python, server) = (root()?, environment.python(), server()?);
    for (folder, arguments) in CHECKS {
        let begun = crate::run::now();
        let mut command = Command::new(&python);
        command
            .args(arguments)
            .current_dir(root.join(folder))
            .env(SERVER.0, server.url("").trim_end_matches('/'));
        let output = command.output()?;
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

/// Installs the bindings as anybody does, built for use, into an environment that has nothing else, and looks at what can be
/// done there; and runs the tests that take minutes.
pub(crate) fn installed() -> Outcome {
    let environment = Environment::empty("wheel")?;
    environment.install(&[], Wheel::Release)?;
    let (root, python, server) = (root()?, environment.python(), server()?);
    let address = server.url("");
    let command = |arguments: &[&str], folder: &str| {
        let mut command = Command::new(&python);
        command.args(arguments).current_dir(root.join(folder)).env(SERVER.0, address.trim_end_matches('/'));
        command
    };
    run(&mut command(&["grc-python/tools/installed.py"], "."))?;
    environment.packages(&[REQUIREMENTS[0]])?;
    run(&mut command(&["-m", "pytest", "-q", "-m", "slow"], BINDINGS))
}

/// A server of the tests' own.
fn server() -> std::io::Result<Server> {
    let names = (1..=SERVER.1).flat_map(|number| [format!("t{number}"), format!("k{number}")]);
    let create =
        |setup: Setup, name: String| setup.sql(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
    names.fold(Setup::new(), create).start()
}
