//! A process that writes, seen from the one that started it.

use crate::{
    child::Role,
    load::plan::Plan,
    support::{another, say, wait_for},
};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

/// What a process said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) acknowledged: BTreeMap<u128, Plan>,
    pub(crate) refused: BTreeMap<u128, Plan>,
    begun: bool,
    ended: bool,
}

/// A process that writes.
#[derive(Debug)]
pub(crate) struct Process {
    /// Its account in the database.
    pub(crate) user: String,
    pub(crate) role: Role,
    child: Child,
    said: Arc<Mutex<Said>>,
    listener: Option<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(user: &str, role: Role) -> Self {
        let words = role.words();
        let mut command = another(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let said: Arc<Mutex<Said>> = Arc::default();
        let (output, ear) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&said));
        let name = user.to_owned();
        let listener = std::thread::spawn(move || {
            for line in output.lines() {
                hear(&name, &line.unwrap(), &mut ear.lock().unwrap());
            }
        });
        let process = Self { user: user.to_owned(), role, child, said, listener: Some(listener) };
        wait_for("a process to begin", || process.heard(|said| said.begun));
        process
    }

    pub(crate) fn heard<T>(&self, ask: impl FnOnce(&Said) -> T) -> T {
        ask(&self.said.lock().unwrap())
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.heard(|said| said.acknowledged.len())
    }

    /// Stops it where it is, and waits until all its threads stand still.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.child.id());
        wait_for("a process to stand still", || {
            fs::read_dir(&tasks).unwrap().all(|task| {
                let stat = fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
                stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
            })
        });
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success(), "{signal}: {done}");
    }

    /// Waits until it ended, as it was told to by somebody.
    pub(crate) fn end(mut self) -> Said {
        let status = self.child.wait().unwrap();
        self.listener.take().unwrap().join().unwrap();
        assert!(status.success() && self.heard(|said| said.ended), "{}: {status}", self.user);
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only if its test failed: nothing can be done about it then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hear(name: &str, line: &str, said: &mut Said) {
    let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut note = |into: fn(&mut Said) -> &mut BTreeMap<u128, Plan>| {
        let plan: Plan = rest.parse().unwrap_or_else(|()| panic!("not understood: {line}"));
        assert!(into(said).insert(plan.id, plan).is_none(), "said twice: {line}");
    };
    match what {
        "begin" => said.begun = true,
        "end" => said.ended = true,
        "acknowledged" => note(|said| &mut said.acknowledged),
        "refused" => note(|said| &mut said.refused),
        "tally" => say(&format!("{name}: {rest}")),
        _ => {}
    }
}
