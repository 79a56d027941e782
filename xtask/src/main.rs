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
mod simulate;
mod spdx;
mod unstable;

use std::{error::Error, process::ExitCode};

/// What a check answers: nothing, or why it failed.
type Outcome = Result<(), Box<dyn Error>>;

/// What a command does: with what stands after its name, where it takes something.
enum Run {
    Alone(fn() -> Outcome),
    With(fn(&mut lexopt::Parser) -> Outcome),
}

struct Command {
    name: &'static str,
    help: &'static str,
    run: Run,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        help: "the whole test run, stopping at the first failure",
        run: Run::Alone(run::all),
    },
    Command {
        name: "needs",
        help: "the programs that the tests start (Chromium, MariaDB, openssl) are installed if they are missing",
        run: Run::Alone(needs::install),
    },
    Command {
        name: "licences",
        help: "every dependency comes from crates.io under an allowed licence",
        run: Run::Alone(licences::check),
    },
    Command {
        name: "duplicates",
        help: "no dependency is there in two versions without a reason",
        run: Run::Alone(duplicates::check),
    },
    Command {
        name: "figures",
        help: "real exports are replayed, in a file and on a MariaDB, and every figure compared, where the data are",
        run: Run::Alone(figures::check),
    },
    Command {
        name: "mysql",
        help: "the tests of grc-mysql and the quickstart with a MySQL 9, which is fetched into the target folder (60 MB)",
        run: Run::Alone(mysql::test),
    },
    Command {
        name: "simulate",
        help: "the engine in a simulated world that goes wrong: [--seeds N] of them (10,000), [--from M] on",
        run: Run::With(simulate::run),
    },
    Command {
        name: "purity",
        help: "grc-core depends on no runtime, no database, no network, no system",
        run: Run::Alone(purity::check),
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

/// The command that is named first; what stands after it is its own.
fn chosen(parser: &mut lexopt::Parser) -> Result<Option<&'static Command>, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(None),
        Some(Value(name)) => COMMANDS
            .iter()
            .find(|command| name == command.name)
            .ok_or_else(|| format!("there is no command `{}`: see `cargo xtask --help`", name.display()))?,
        Some(other) => return Err(other.unexpected()),
    };
    if let Run::Alone(_) = command.run {
        match parser.next()? {
            None => {}
            Some(Short('h') | Long("help")) => return Ok(None),
            Some(other) => return Err(other.unexpected()),
        }
    }
    Ok(Some(command))
}

fn main() -> ExitCode {
    let mut parser = lexopt::Parser::from_env();
    let outcome = match chosen(&mut parser) {
        Ok(None) => {
            help();
            return ExitCode::SUCCESS;
        }
        Ok(Some(Command { run: Run::Alone(run), .. })) => run(),
        Ok(Some(Command { run: Run::With(run), .. })) => run(&mut parser),
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
