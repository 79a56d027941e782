//! The whole test run: each step with its command and its time, stopping at the first failure.

use crate::{Outcome, api, duplicates, figures, licences, needs, programs, purity, python};
use std::{process::Command, time::Instant};

/// One step of the run.
enum Step {
    /// A cargo command, with variables of its environment.
    Cargo(&'static str, &'static [(&'static str, &'static str)]),
    /// A command of this tool.
    Own(&'static str, fn() -> Outcome),
}

const STEPS: &[Step] = &[
    Step::Cargo("fmt --all --check", &[]),
    Step::Own("licences", licences::check),
    Step::Own("duplicates", duplicates::check),
    Step::Own("purity", purity::check),
    Step::Own("api", || api::run(Vec::new())),
    Step::Cargo("clippy --workspace --all-targets --all-features -- -D warnings", &[]),
    Step::Cargo("clippy -p grc-core --no-default-features -- -D warnings", &[]),
    // Without the part of the core that the tests' wheel has.
    Step::Cargo("clippy -p grc-python --features shared -- -D warnings", &[]),
    Step::Cargo("doc --workspace --no-deps --all-features", &[("RUSTDOCFLAGS", "-Dwarnings")]),
    Step::Own("needs", needs::install),
    Step::Own("tests, and python beside them", || programs::run_beside(python::test)),
    Step::Own("figures", figures::check),
];

impl Step {
    fn title(&self) -> String {
        match self {
            Self::Cargo(arguments, environment) => {
                let set: String =
                    environment.iter().map(|(name, value)| format!("{name}={value} ")).collect();
                format!("{set}cargo {arguments}")
            }
            Self::Own(name, _) => format!("cargo xtask {name}"),
        }
    }

    fn run(&self) -> Outcome {
        match self {
            Self::Cargo(arguments, environment) => {
                let mut command = Command::new("cargo");
                command.args(arguments.split_whitespace()).envs(environment.iter().copied());
                let status = command.status()?;
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
