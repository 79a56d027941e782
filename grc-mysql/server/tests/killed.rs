//! However a process ends, its server and its directory end with it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use private_server::{Program, Server, Setup};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

const ROLE: &str = "PRIVATE_SERVER_TEST_ROLE";

/// A server that is never dropped.
static SERVER: OnceLock<Server> = OnceLock::new();

/// Not a test of its own: what the others start as another process. It has a server and ends in the way that it is told.
#[test]
fn child() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    let server = SERVER.get_or_init(|| Setup::new().program(Program::from_env()).start().unwrap());
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nSERVER {} {}", server.pid().unwrap(), server.directory().display()).unwrap();
    out.flush().unwrap();
    match role.to_str() {
        Some("exits") => std::process::exit(0),
        Some("freezes") => server.freeze().unwrap(),
        Some("aborts") => std::process::abort(),
        _ => {}
    }
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

struct Other {
    process: Child,
    server: u32,
    directory: PathBuf,
}

/// This program again, until it has a server.
fn another(role: &str) -> Other {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = said.map(Result::unwrap).find(|line| line.starts_with("SERVER ")).expect("it has a server");
    let (pid, directory) = line.trim_start_matches("SERVER ").split_once(' ').unwrap();
    Other { server: pid.parse().unwrap(), directory: directory.into(), process }
}

#[track_caller]
fn check_gone(other: &Other) {
    // A machine that is busy may need its time; it is done after some milliseconds.
    for _ in 0..1_000 {
        if !lives(other.server) && !other.directory.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("left: server {}, directory {}", lives(other.server), other.directory.exists());
}

#[test]
fn a_process_that_is_killed_leaves_nothing() {
    for role in ["waits", "freezes"] {
        let mut other = another(role);
        assert!(lives(other.server) && other.directory.exists());
        other.process.kill().unwrap();
        other.process.wait().unwrap();
        check_gone(&other);
    }
}

#[test]
fn a_process_that_ends_without_dropping_leaves_nothing() {
    for role in ["exits", "aborts"] {
        let mut other = another(role);
        other.process.wait().unwrap();
        check_gone(&other);
    }
}

/// Whether there is a process, be it a zombie.
fn lives(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}
