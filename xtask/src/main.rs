//! The project's own commands. `cargo xtask --help` lists them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard outputs"
)]

mod duplicates;
mod figures;
mod graph;
mod licences;
mod mysql;
mod needs;
mod purity;
mod run;
mod spdx;
mod unstable;

use std::{error::Error, process::ExitCode};

/// What a check answers: nothing, or why it failed.
type Outcome = Result<(), Box<dyn Error>>;

struct Command {
    name: &'static str,
    help: &'static str,
    run: fn() -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command { name: "test", help: "the whole test run, stopping at the first failure", run: run::all },
    Command {
        name: "needs",
        help: "the programs that the tests start (Chromium, MariaDB, openssl) are installed if they are missing",
        run: needs::install,
    },
    Command {
        name: "licences",
        help: "every dependency comes from crates.io under an allowed licence",
        run: licences::check,
    },
    Command {
        name: "duplicates",
        help: "no dependency is there in two versions without a reason",
        run: duplicates::check,
    },
    Command {
        name: "figures",
        help: "real exports are replayed, in a file and on a MariaDB, and every figure compared, where the data are",
        run: figures::check,
    },
    Command {
        name: "mysql",
        help: "the tests of grc-mysql and the quickstart with a MySQL 9, which is fetched into the target folder (60 MB)",
        run: mysql::test,
    },
    Command {
        name: "purity",
        help: "grc-core depends on no runtime, no database, no network, no system",
        run: purity::check,
    },
];

fn help() {
    println!("The project's own commands: cargo xtask <command>\n");
    for command in COMMANDS {
        println!("  {:<12} {}", command.name, command.help);
    }
    println!(
        "\nAll work without a network, once the dependencies (and what `needs` and `mysql` fetch) are there."
    );
}

fn chosen() -> Result<Option<&'static Command>, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let mut parser = lexopt::Parser::from_env();
    let mut chosen = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Value(name) if chosen.is_none() => {
                let command = COMMANDS.iter().find(|command| name == command.name);
                chosen = Some(command.ok_or_else(|| {
                    format!("there is no command `{}`: see `cargo xtask --help`", name.display())
                })?);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(chosen)
}

fn main() -> ExitCode {
    let outcome = match chosen() {
        Ok(None) => {
            help();
            return ExitCode::SUCCESS;
        }
        Ok(Some(command)) => (command.run)(),
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
