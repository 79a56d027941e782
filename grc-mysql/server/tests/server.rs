//! A private server starts, answers, is killed, stopped, frozen, started again, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod greeting;

use greeting::greeting;
use private_server::{Program, Server, Setup};
use std::{fs, path::Path, process::Command};

fn setup() -> Setup {
    Setup::new().program(Program::from_env())
}

/// Writes a row at each start, and makes a database that is named after how many there are: its folder can be seen.
fn counting() -> Setup {
    setup()
        .sql("CREATE TABLE IF NOT EXISTS grc.starts (n INT NOT NULL AUTO_INCREMENT PRIMARY KEY)")
        .sql("INSERT INTO grc.starts VALUES (NULL);")
        .sql("SELECT CONCAT('CREATE DATABASE start_', COUNT(*)) FROM grc.starts INTO @made")
        .sql("PREPARE made FROM @made")
        .sql("EXECUTE made")
}

#[track_caller]
fn check_answers(server: &Server) {
    let greeting = greeting(server.port()).unwrap();
    assert_eq!(greeting.protocol, 10);
    let mysql = matches!(Program::from_env(), Program::MySql(_));
    assert_ne!(greeting.version.contains("MariaDB"), mysql, "{}", greeting.version);
}

#[track_caller]
fn check_starts(server: &Server, starts: u32) {
    let made = |n| server.data_dir().join(format!("start_{n}")).exists();
    assert!(made(starts) && !made(starts + 1), "{}", server.log());
}

#[test]
fn it_starts_as_who_may_little_and_leaves_nothing() {
    let server = setup().start().unwrap();
    check_answers(&server);
    let pid = server.pid().unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let user = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert!(user.split_whitespace().skip(1).all(|id| id != "0"), "{user}");
    assert_eq!(server.url("a"), format!("mysql://grc:{}@127.0.0.1:{}/a", server.password(), server.port()));
    let directory = server.directory().to_owned();
    assert!(directory.join("data").join("grc").exists());
    drop(server);
    assert!(!directory.exists());
    assert!(!lives(pid));
}

#[test]
fn what_was_written_is_there_after_a_kill_and_after_a_stop() {
    let server = counting().start().unwrap();
    let (port, first) = (server.port(), server.pid().unwrap());
    check_starts(&server, 1);
    server.kill().unwrap();
    assert!(server.pid().is_none() && !lives(first) && greeting(port).is_err());
    assert!(server.kill().is_err(), "it is gone");
    server.restart().unwrap();
    assert_eq!(server.port(), port);
    check_answers(&server);
    check_starts(&server, 2);
    server.stop().unwrap();
    assert!(greeting(port).is_err());
    server.restart().unwrap();
    server.restart().unwrap(); // one that runs
    check_starts(&server, 4);
    assert_ne!(server.pid().unwrap(), first);
    // Options for one start.
    server.restart_with(&["log-bin=noted"]).unwrap();
    let logs = || names(&server.data_dir()).filter(|name| name.starts_with("noted.0")).count();
    assert_eq!(logs(), 1);
    server.restart().unwrap();
    assert_eq!(logs(), 1, "another one is begun at each start that has the option");
    check_starts(&server, 6);
}

#[test]
fn a_frozen_server_answers_when_it_goes_on_and_can_be_stopped_or_dropped() {
    let server = setup().start().unwrap();
    let pid = server.pid().unwrap();
    server.freeze().unwrap();
    assert!(greeting(server.port()).is_err());
    server.thaw().unwrap();
    check_answers(&server);
    server.freeze().unwrap();
    server.stop().unwrap();
    server.restart().unwrap();
    server.freeze().unwrap();
    drop(server);
    assert!(!lives(pid));
}

#[test]
fn two_servers_share_nothing() {
    let (one, other) = (setup().start().unwrap(), setup().start().unwrap());
    assert_ne!(one.port(), other.port());
    assert_ne!(one.password(), other.password());
    drop(one);
    check_answers(&other);
}

#[test]
fn options_and_statements_reach_the_server_and_a_bad_one_is_seen() {
    let server = setup().option("log-bin").option("sync-binlog=1").start().unwrap();
    assert!(names(&server.data_dir()).any(|name| name.contains("-bin.")), "{}", server.log());
    for (setup, said) in [
        (setup().option("no-such-option=1"), "no-such-option"),
        (setup().option("two\nlines"), "line break"),
        (setup().sql("SELEKT 1").sql("SELECT 1"), "error in your SQL syntax"),
        (setup().sql("SELECT 1").sql("DROP DATABASE not_there"), "not_there"),
    ] {
        let error = setup.start().unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn it_has_a_certificate_if_it_is_wanted() {
    let server = setup().tls(true).start().unwrap();
    let authority = fs::read_to_string(server.authority().unwrap()).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(greeting(server.port()).unwrap().tls, "{}", server.log());
    // MySQL makes one for itself.
    let server = setup().start().unwrap();
    assert!(server.authority().is_none());
    let mysql = matches!(Program::from_env(), Program::MySql(_));
    assert_eq!(greeting(server.port()).unwrap().tls, mysql);
}

#[test]
fn another_child_of_its_process_does_not_keep_it() {
    let server = setup().start().unwrap();
    let (pid, port) = (server.pid().unwrap(), server.port());
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    assert!(greeting(port).is_ok());
    drop(server);
    assert!(!lives(pid));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

/// Whether there is a process, be it a zombie.
fn lives(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
}
