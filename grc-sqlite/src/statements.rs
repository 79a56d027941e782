//! How many statements a command takes, as SQLite itself counts them.

#[path = "../tests/budget/town.rs"]
mod town;

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};
use std::{
    collections::BTreeMap,
    process::Command,
    sync::{Mutex, PoisonError},
};
use town::Town;

/// By the names of threads.
static COUNTS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// A connection whose statements are counted.
pub(crate) fn counted(mut connection: Connection) -> Connection {
    // Older versions answer nothing.
    let _ = connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(count as fn(TraceEvent<'_>)));
    connection
}

fn count(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(..) = event {
        let thread = std::thread::current();
        let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(thread.name().unwrap_or_default().to_owned()).or_default() += 1;
    }
}

fn take() -> BTreeMap<String, usize> {
    std::mem::take(&mut *COUNTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Commands that are counted, after as many that are not.
const COMMANDS: usize = 20;

/// Statements of each kind of thread a command, rounded up.
fn cost(mut command: impl FnMut(usize)) -> [usize; 3] {
    take();
    (0..COMMANDS).for_each(&mut command);
    let counts = take();
    ["grc-writer", "grc-reader", "grc-keyring"]
        .map(|thread| counts.get(thread).copied().unwrap_or_default().div_ceil(COMMANDS))
}

#[test]
fn a_command_takes_so_many_statements() {
    // In a process of its own: the threads of other tests have the same names.
    let program = std::env::current_exe().unwrap();
    let run = Command::new(program)
        .args(["statements::counted_alone", "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

/// Whoever makes a command dearer raises its budget in the same change, with the reason.
#[test]
#[ignore = "run by the test before, in a process of its own"]
fn counted_alone() {
    let directory = tempfile::tempdir().unwrap();
    let opened =
        crate::Options::new().create(true).test(true).open(directory.path().join("town.db")).unwrap();
    let town = Town::on(opened.into());
    let known: Vec<_> = (0..COMMANDS).map(|n| town.submit(n)).collect();
    let mut ids = Vec::new();
    let intake = cost(|n| ids.push(town.submit(COMMANDS + n)));
    known.into_iter().for_each(|id| town.assign(id));
    let mut ids = ids.into_iter();
    let transition = cost(|_| town.assign(ids.next().unwrap()));
    assert_eq!(intake, [22, 0, 0], "statements of an intake: writer, readers, keyring");
    assert_eq!(transition, [15, 6, 3], "statements of a transition: writer, readers, keyring");
}
