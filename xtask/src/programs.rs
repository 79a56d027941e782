//! All tests, several programs of them at once: many wait for a server or a disk most of the time.

use crate::Outcome;
use serde_json::Value;
use std::{
    collections::VecDeque,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

const ALL: [&str; 2] = ["--workspace", "--all-features"];
/// What has no examples in its documentation.
const WITHOUT: [&str; 2] = ["--exclude", "grc-benches"];

/// A program of tests.
#[derive(Debug, PartialEq, Eq)]
struct Tests {
    name: String,
    program: PathBuf,
    /// Where it runs, as cargo would have it.
    directory: PathBuf,
}

impl Tests {
    /// Out of a line that cargo says while it builds; none if it built something else.
    fn read(line: &str) -> Option<Self> {
        let said: Value = serde_json::from_str(line).ok()?;
        let is_test = said.get("profile")?.get("test")?.as_bool()?;
        let program = PathBuf::from(said.get("executable")?.as_str().filter(|_| is_test)?);
        let manifest = Path::new(said.get("manifest_path")?.as_str()?);
        let directory = manifest.parent()?.to_owned();
        let package = directory.file_name()?.to_string_lossy().into_owned();
        let target = said.get("target")?.get("name")?.as_str()?;
        Some(Self { name: format!("{package}: {target}"), program, directory })
    }

    /// Runs it with what it says in a file, so that nothing that it starts and leaves keeps anybody waiting.
    fn run(&self) -> std::io::Result<(bool, Vec<u8>)> {
        let program = self.program.file_name().unwrap_or_default().to_string_lossy();
        let path = std::env::temp_dir().join(format!("grc-{}-{program}.log", std::process::id()));
        let log = File::create(&path)?;
        let status = Command::new(&self.program)
            .current_dir(&self.directory)
            .env("CARGO_MANIFEST_DIR", &self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status();
        let said = std::fs::read(&path)?;
        std::fs::remove_file(&path)?;
        Ok((status?.success(), said))
    }
}

fn build() -> Result<Vec<Tests>, Box<dyn std::error::Error>> {
    let built = Command::new("cargo")
        .arg("test")
        .args(ALL)
        .args(["--no-run", "--message-format=json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()?;
    if !built.status.success() {
        return Err("the tests do not build".into());
    }
    let tests: Vec<Tests> = String::from_utf8(built.stdout)?.lines().filter_map(Tests::read).collect();
    if tests.is_empty() {
        return Err("cargo built no tests".into());
    }
    Ok(tests)
}

/// Builds and runs all tests, then those of the documentation. After a failure no other program is begun.
pub(crate) fn run() -> Outcome {
    run_beside(|| Ok(()))
}

/// The same, and something else as soon as all is built: most tests wait more than they calculate.
pub(crate) fn run_beside(other: fn() -> Outcome) -> Outcome {
    let tests = build()?;
    let count = tests.len();
    // Those of servers stand together, and so do those that only calculate: taken from both ends, they go well together.
    let left = Mutex::new(VecDeque::from(tests));
    let failed = AtomicBool::new(false);
    // What failed, and what it said.
    let failures: Mutex<Vec<(String, String)>> = Mutex::default();
    let fail = |what: String, said: String| {
        failed.store(true, Ordering::Relaxed);
        failures.lock().unwrap_or_else(PoisonError::into_inner).push((what, said));
    };
    let work = &|worker: usize| {
        while !failed.load(Ordering::Relaxed) {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            let next = if worker.is_multiple_of(2) { left.pop_front() } else { left.pop_back() };
            drop(left);
            let Some(test) = next else { break };
            let begun = crate::run::now();
            match test.run() {
                Ok((passed, said)) => {
                    let took = begun.elapsed().as_secs_f64();
                    // In one piece, whoever else says something now.
                    let said = String::from_utf8_lossy(&said);
                    println!("\n-- {}, {took:.1} s\n{}", test.name, said.trim());
                    if !passed {
                        fail(test.name, failures_of(&said));
                    }
                }
                Err(error) => fail(format!("{}: {error}", test.name), String::new()),
            }
        }
    };
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    let beside = std::thread::scope(|scope| {
        let other = scope.spawn(move || other().map_err(|error| error.to_string()));
        for worker in 0..at_once {
            scope.spawn(move || work(worker));
        }
        other.join()
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !failures.is_empty() {
        for (test, said) in &failures {
            println!("\n-- {test} failed:\n{said}");
        }
        let tests: Vec<String> = failures.into_iter().map(|(test, _)| test).collect();
        return Err(format!("tests failed: {}", tests.join(", ")).into());
    }
    beside.map_err(|_| "what was done beside the tests ended in a panic")??;
    println!("\n-- {count} programs of tests passed; those of the documentation:");
    let status = Command::new("cargo").args(["test", "--doc"]).args(ALL).args(WITHOUT).status()?;
    if status.success() { Ok(()) } else { Err("tests of the documentation failed".into()) }
}

/// The end of what a program said, from where it tells of what failed: said once more after all others, where it is found.
fn failures_of(said: &str) -> String {
    const LINES: usize = 200;
    let told = said.find("\nfailures:").and_then(|at| said.get(at..)).unwrap_or(said).trim();
    let lines: Vec<&str> = told.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_from_its_end() {
        let said = "running 2 tests\ntest a ... ok\n\nfailures:\n\n---- b stdout ----\nwhy\n";
        assert_eq!(failures_of(said), "failures:\n\n---- b stdout ----\nwhy");
        let long: String = (0..1_000).map(|n| format!("{n}\n")).collect();
        let told = failures_of(&long);
        assert_eq!((told.lines().count(), told.lines().last()), (200, Some("999")));
    }

    #[test]
    fn only_programs_of_tests_are_taken_from_what_cargo_says() {
        let line = |test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/p/grc-core/Cargo.toml","target":{{"name":"walks"}},
                     "profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let found = Tests::read(&line(true, "\"/t/walks-1\"")).unwrap();
        assert_eq!((found.name.as_str(), found.directory), ("grc-core: walks", PathBuf::from("/p/grc-core")));
        assert_eq!(found.program, PathBuf::from("/t/walks-1"));
        for other in
            [line(false, "\"/t/xtask\""), line(true, "null"), r#"{"reason":"build-finished"}"#.to_owned()]
        {
            assert_eq!(Tests::read(&other), None);
        }
    }
}
