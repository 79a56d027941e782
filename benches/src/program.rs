//! A program in Python, which is told what to do a line at a time: see `benches/python/driver.py`.

use crate::Res;
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

/// One that runs. It ends with its owner.
#[derive(Debug)]
pub struct Program {
    child: Child,
    told: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Program {
    /// Starts one with this interpreter, and waits until it is ready. What it complains of goes to standard error.
    ///
    /// # Errors
    /// If it cannot be started, or ends.
    pub fn start<'a>(python: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> Res<Self> {
        let mut child = Command::new(python)
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("python"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{}` cannot be run: {error}", python.display()))?;
        let told = child.stdin.take();
        let said = BufReader::new(child.stdout.take().ok_or("a program without an output")?);
        let mut program = Self { child, told, said };
        let word: String = program.answer()?;
        if word == "ready" { Ok(program) } else { Err(format!("a program began with `{word}`").into()) }
    }

    /// Has it do something so many times by so many callers; answers how long it took.
    ///
    /// # Errors
    /// If it ends.
    pub fn time(&mut self, scenario: &str, callers: usize, count: usize) -> Res<Duration> {
        self.tell(&format!("{scenario} {callers} {count}"))?;
        Ok(Duration::try_from_secs_f64(self.answer()?)?)
    }

    /// What there is in the end.
    ///
    /// # Errors
    /// If it ends.
    pub fn check(&mut self) -> Res<BTreeMap<String, usize>> {
        self.tell("check")?;
        self.answer()
    }

    fn tell(&mut self, line: &str) -> Res<()> {
        let told = self.told.as_mut().ok_or("a program without an input")?;
        // One that has ended says so in its answer.
        let _ = writeln!(told, "{line}");
        Ok(())
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Res<T> {
        let mut line = String::new();
        if self.said.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(format!("a program in Python ended ({status}): above is what it said").into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends when it is told nothing more, or failed before.
        self.told = None;
        let _ = self.child.wait();
    }
}
