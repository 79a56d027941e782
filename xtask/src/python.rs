//! The Python bindings: their wheel, installed as anybody would into an environment of its own; their tests and types; and
//! the programs that embed them.

use crate::{Outcome, graph, needs};
use std::{
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

const BINDINGS: &str = "grc-python";
const EXAMPLES: &str = "examples/python";
/// What the tests need of other packages, at the versions that were tried.
const REQUIREMENTS: [&str; 2] = ["grc-python/requirements.txt", "examples/python/requirements.txt"];
/// The wheel is built as the other tests are, which takes less time than one for use.
const PROFILE: (&str, &str) = ("MATURIN_PEP517_ARGS", "--profile dev --features shared");

/// Where a command runs, and what it is.
type Check = (&'static str, &'static [&'static str]);

const CHECKS: [Check; 10] = [
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
];

/// Makes the environment, installs the bindings into it, and runs what is tested there.
pub(crate) fn test() -> Outcome {
    let root = root()?;
    environment(&root)?;
    check(&root)
}

/// Runs what is tested in the environment.
fn check(root: &Path) -> Outcome {
    for (folder, arguments) in CHECKS {
        let begun = crate::run::now();
        let output = Command::new(interpreter()?).args(arguments).current_dir(root.join(folder)).output()?;
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

fn root() -> std::io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()
}

fn folder() -> Result<PathBuf, Box<dyn Error>> {
    Ok(graph::target()?.join("python"))
}

/// The environment's own Python.
fn interpreter() -> Result<PathBuf, Box<dyn Error>> {
    Ok(folder()?.join("bin/python"))
}

/// Makes the environment, if it is not there, and brings it up to date.
fn environment(root: &Path) -> Outcome {
    let python = interpreter()?;
    if !python.exists() {
        needs::python()?;
        run(Command::new("python3").args(["-m", "venv"]).arg(folder()?))?;
    }
    let pip = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(arguments);
        command.current_dir(root).env(PROFILE.0, PROFILE.1);
        run(&mut command)
    };
    for requirements in REQUIREMENTS {
        pip(&["-r", requirements])?;
    }
    pip(&["--force-reinstall", "--no-deps", &format!("./{BINDINGS}")])
}

fn run(command: &mut Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?} cannot be run: {error}").into()),
    }
}
