//! The whole test run: each step with its command and its time, stopping at the first failure.

use crate::{Outcome, api, duplicates, figures, graph, licences, needs, programs, purity, python};
use std::{process::Command, time::Instant};

/// One step of the run.
enum Step {
    /// A cargo command.
    Cargo(&'static str),
    /// A command of this tool, or several.
    Own(&'static str, fn() -> Outcome),
}

const STEPS: &[Step] = &[
    Step::Cargo("fmt --all --check"),
    Step::Own("licences", licences::check),
    Step::Own("duplicates", duplicates::check),
    Step::Own("purity", purity::check),
    Step::Own("api", || api::run(Vec::new())),
    Step::Own("needs", needs::install),
    Step::Own("lint, while the tests are built", lint_and_build),
    Step::Own("tests, and python beside them", || programs::run_beside(python::test)),
    Step::Own("figures", figures::check),
];

/// What looks at the sources, with variables of its environment.
type Lint = (&'static str, &'static [(&'static str, &'static str)]);

const LINTS: [Lint; 4] = [
    ("clippy --workspace --all-targets --all-features -- -D warnings", &[]),
    ("clippy -p grc-core --no-default-features -- -D warnings", &[]),
    ("clippy -p grc-python -- -D warnings", &[]),
    ("doc --workspace --no-deps --all-features", &[("RUSTDOCFLAGS", "-Dwarnings")]),
];

/// The folder in the target folder that lints write into: where cargo builds, it lets one command at a time in.
const LINTED: &str = "lints";

/// Neither keeps two cores at work.
fn lint_and_build() -> Outcome {
    std::thread::scope(|scope| {
        let lints = scope.spawn(|| lint().map_err(|error| error.to_string()));
        let built = programs::build();
        lints.join().map_err(|_| "the lints ended in a panic")??;
        built.map(drop)
    })
}

fn lint() -> Outcome {
    let folder = graph::target()?.join(LINTED);
    for (arguments, environment) in LINTS {
        let begun = now();
        let mut command = Command::new("cargo");
        command.args(arguments.split_whitespace()).env("CARGO_TARGET_DIR", &folder);
        let status = command.envs(environment.iter().copied()).status()?;
        println!("-- cargo {arguments}, {:.1} s", begun.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("cargo {arguments}: {status}").into());
        }
    }
    Ok(())
}

impl Step {
    fn title(&self) -> String {
        match self {
            Self::Cargo(arguments) => format!("cargo {arguments}"),
            Self::Own(name, _) => format!("cargo xtask {name}"),
        }
    }

    fn run(&self) -> Outcome {
        match self {
            Self::Cargo(arguments) => {
                let status = Command::new("cargo").args(arguments.split_whitespace()).status()?;
                if status.success() { Ok(()) } else { Err(status.to_string().into()) }
            }
            Self::Own(_, check) => check(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is run is timed by the machine's clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn all() -> Outcome {
    let begun = now();
    for (n, step) in (1..).zip(STEPS) {
        println!("\n== {n}/{}: {}", STEPS.len(), step.title());
        let step_begun = now();
        let outcome = step.run();
        println!("== {:.1} s", step_begun.elapsed().as_secs_f64());
        if let Err(error) = outcome {
            return Err(
                format!("step {n} of {} failed: {}\n       {error}", STEPS.len(), step.title()).into()
            );
        }
    }
    println!("\n== all {} steps passed in {:.1} s", STEPS.len(), begun.elapsed().as_secs_f64());
    Ok(())
}
