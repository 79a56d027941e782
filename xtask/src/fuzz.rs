//! Fuzzing: each target of `grc-core/fuzz`, or those that are named, for a while.

use crate::Outcome;
use std::{ffi::OsString, path::Path, process::Command};

const FOLDER: &str = "grc-core/fuzz";
/// Not with the rest: a nightly toolchain built it, with other flags.
const BUILT: &str = "target/fuzz";

/// What is asked.
struct Asked {
    seconds: u32,
    targets: Vec<String>,
}

fn asked(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    use lexopt::prelude::{Long, Value, ValueExt};
    let mut asked = Asked { seconds: 60, targets: Vec::new() };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seconds") => asked.seconds = parser.value()?.parse()?,
            Value(target) => asked.targets.push(target.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(asked)
}

/// What must be there, how it is asked for, and how it is installed.
const NEEDED: &[(&str, &[&str], &str)] = &[
    ("a nightly toolchain", &["+nightly", "--version"], "rustup toolchain install nightly --profile minimal"),
    ("cargo-fuzz", &["+nightly", "fuzz", "--version"], "cargo install cargo-fuzz --version 0.13.2 --locked"),
];

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    // What was set for the toolchain of this program is not for the other.
    command.args(arguments).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC");
    command
}

pub(crate) fn run(arguments: Vec<OsString>) -> Outcome {
    let Asked { seconds, mut targets } = asked(arguments)?;
    for (what, question, install) in NEEDED {
        if !cargo(question).output().is_ok_and(|output| output.status.success()) {
            return Err(format!("fuzzing needs {what}: {install}").into());
        }
    }
    let all = all()?;
    if let Some(unknown) = targets.iter().find(|target| !all.contains(target)) {
        return Err(format!("there is no target `{unknown}`: there are {}", all.join(", ")).into());
    }
    if targets.is_empty() {
        targets = all;
    }
    let common = ["--fuzz-dir", FOLDER, "--target-dir", BUILT, "-s", "none", "-a"];
    for target in &targets {
        println!("\n== {target}, {seconds} s");
        // What it finds on its way stays in the folder that is built; the corpus that is kept is only read.
        let grown = format!("{BUILT}/corpus/{target}");
        std::fs::create_dir_all(&grown)?;
        let kept = format!("{FOLDER}/corpus/{target}");
        let time = format!("-max_total_time={seconds}");
        let mut command = cargo(&["+nightly", "fuzz", "run"]);
        command.args(common).args([target, &grown, &kept]);
        command.args([
            "--",
            &time,
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-max_len=65536",
            "-print_final_stats=1",
        ]);
        if !command.status()?.success() {
            return Err(format!(
                "target `{target}` found something (above is where it lies): mend it, and keep it as {kept}/found-…"
            )
            .into());
        }
    }
    println!("\n== {} targets, {seconds} s each: nothing was found", targets.len());
    Ok(())
}

/// The targets, by the folders of what is kept for them.
fn all() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let folder = Path::new(FOLDER).join("corpus");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}
