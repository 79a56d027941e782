//! The project's own commands. `cargo xtask --help` lists them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard outputs"
)]

mod api;
mod compare;
mod duplicates;
mod environment;
mod figures;
mod fuzz;
mod galera;
mod graph;
mod licences;
mod mysql;
mod needs;
mod programs;
mod purity;
mod python;
mod run;
mod rusqlite;
mod simulate;
mod spdx;

mod unstable;

use std::{error::Error, ffi::OsString, os::unix::process::CommandExt, process::ExitCode};

/// What a check answers: nothing, or why it failed.
type Outcome = Result<(), Box<dyn Error>>;

struct Command {
    name: &'static str,
    help: &'static str,
    run: Run,
}

/// What carries a command out.
#[derive(Clone, Copy)]
enum Run {
    /// It takes no arguments.
    Plain(fn() -> Outcome),
    /// It reads what stands after its name.
    With(fn(Vec<OsString>) -> Outcome),
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        help: "the whole test run, stopping at the first failure",
        run: Run::Plain(run::all),
    },
    Command {
        name: "tests",
        help: "the tests alone, several programs of them at once, and those of the documentation",
        run: Run::Plain(programs::run),
    },
    Command {
        name: "needs",
        help: "what the tests start (Chromium, MariaDB, openssl) is installed if it is missing, Galera unpacked into the target folder",
        run: Run::Plain(needs::install),
    },
    Command {
        name: "licences",
        help: "every dependency comes from crates.io under an allowed licence",
        run: Run::Plain(licences::check),
    },
    Command {
        name: "duplicates",
        help: "no dependency is there in two versions without a reason",
        run: Run::Plain(duplicates::check),
    },
    Command {
        name: "figures",
        help: "real exports are replayed, in a file and on a MariaDB, and every figure compared, where the data are",
        run: Run::Plain(figures::check),
    },
    Command {
        name: "fuzz",
        help: "each fuzz target for a minute: [--seconds N] [TARGET…]; needs a nightly toolchain and cargo-fuzz",
        run: Run::With(fuzz::run),
    },
    Command {
        name: "mysql",
        help: "the tests of grc-mysql and the quickstart with a MySQL 9, which is fetched into the target folder (60 MB)",
        run: Run::Plain(mysql::test),
    },
    Command {
        name: "compare",
        help: "how fast the library is, here and now, beside the same writes by hand, through Python, beside Django: [--quick]
               [--json] [--requests N] [--store memory|sqlite|mariadb] [--peer raw|python|django]… [--flush-ms N]; packages are
               fetched",
        run: Run::With(compare::run),
    },
    Command {
        name: "instructions",
        help: "how many instructions the core's main paths take, against their budgets; valgrind is installed if missing",
        run: Run::Plain(compare::instructions),
    },
    Command {
        name: "python",
        help: "the Python bindings are installed into an environment in the target folder, and tested there",
        run: Run::Plain(python::test),
    },
    Command {
        name: "wheel",
        help: "the Python bindings as anybody installs them, alone; and the tests of their memory, which take minutes",
        run: Run::Plain(python::installed),
    },
    Command {
        name: "rusqlite",
        help: "the tests of grc-sqlite with both ends of the range of rusqlite, in the target folder",
        run: Run::Plain(rusqlite::test),
    },
    Command {
        name: "simulate",
        help: "the engine in a simulated world that goes wrong: [--seeds N] of them (10,000), [--from M] on",
        run: Run::With(simulate::run),
    },
    Command {
        name: "api",
        help: "the public interface is the one that is kept in docs/api: [--write] makes it anew",
        run: Run::With(api::run),
    },
    Command {
        name: "purity",
        help: "grc-core depends on no runtime, no database, no network, no system",
        run: Run::Plain(purity::check),
    },
];

fn help() {
    println!("The project's own commands: cargo xtask <command>\n");
    for command in COMMANDS {
        println!("  {:<12} {}", command.name, command.help);
    }
    println!(
        "\nAll work without a network, once the dependencies (and what `needs`, `mysql` and `fuzz` fetch) are there."
    );
}

/// The command that is asked for, with what stands after its name; none if help is.
fn chosen() -> Result<Option<(&'static Command, Vec<OsString>)>, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let mut parser = lexopt::Parser::from_env();
    match parser.next()? {
        None | Some(Short('h') | Long("help")) => Ok(None),
        Some(Value(name)) => {
            let command = COMMANDS.iter().find(|command| name == command.name).ok_or_else(|| {
                format!("there is no command `{}`: see `cargo xtask --help`", name.display())
            })?;
            let rest: Vec<OsString> = parser.raw_args()?.collect();
            let help = rest.iter().any(|argument| argument == "-h" || argument == "--help");
            match command.run {
                _ if help => Ok(None),
                Run::Plain(_) if !rest.is_empty() => {
                    Err(format!("`{}` takes no arguments", command.name).into())
                }
                _ => Ok(Some((command, rest))),
            }
        }
        Some(other) => Err(other.unexpected()),
    }
}

/// The variables that cargo gives to what it runs. Handed on to the cargo that this tool starts, they would be other ones than
/// those of a cargo that somebody starts by hand, and what a build script made of them would be built anew each time.
fn given_by_cargo(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// This tool once more, without them; the error, if it cannot be run.
fn afresh(given: &[OsString]) -> std::io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = std::process::Command::new(program);
    command.args(std::env::args_os().skip(1));
    for name in given {
        command.env_remove(name);
    }
    command.exec()
}

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::vars_os().map(|(name, _)| name).filter(given_by_cargo).collect();
    if !given.is_empty() {
        eprintln!("error: {}", afresh(&given));
        return ExitCode::FAILURE;
    }
    let outcome = match chosen() {
        Ok(None) => {
            help();
            return ExitCode::SUCCESS;
        }
        Ok(Some((command, rest))) => match command.run {
            Run::Plain(run) => run(),
            Run::With(run) => run(rest),
        },
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
