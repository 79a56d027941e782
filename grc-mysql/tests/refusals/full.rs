//! The disk is full.

use crate::{
    batches::{blob, change, changes, commit, create, put, town, version},
    common::{fresh, options, start},
    open,
    processes::{another, say},
    refused,
};
use grc_core::storage::{BlobStore, StorageError, StorageErrorKind::Unavailable};
use private_server::{Server, Setup};
use std::{process::Command, time::Duration};

const MIB: usize = 1 << 20;

/// What became of a server whose disk was full.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It refused what did not go in, and went on.
    Refused,
    /// It died of it: MariaDB does, where its undo log finds no room.
    Died,
}

/// A moment in which something may happen; it has not yet.
fn nap() -> bool {
    std::thread::sleep(Duration::from_millis(20));
    false
}

/// Fills the disk until nothing goes in any more, looks that nothing is half written, makes room again, and goes on
/// with the same store. Answers how many pieces went in.
fn until_full(server: &Server, piece: usize, make_room: impl FnOnce(&Fate)) -> (u128, Fate) {
    let address = fresh(server);
    let store = open(&address, &options().patience(Duration::from_secs(6))).unwrap();
    commit(&store, create(1, 10)).unwrap();
    commit(&store, create(2, 10)).unwrap();
    let full = |error: &StorageError| {
        let said = error.to_string();
        let words = if said.contains("is full") {
            ["is full", "free some space"]
        } else {
            // It dies of it, sooner or later.
            let dead = || (0..1_000).any(|_| server.pid().is_none() || nap());
            assert!(dead(), "it lives, and says: {error}");
            if said.contains("does not answer") {
                ["does not answer", "Try again"]
            } else {
                ["no server answers", "start it"]
            }
        };
        refused(error, &address, Unavailable, &words);
    };
    let mut pieces = 0;
    loop {
        match put(&store, pieces, piece) {
            Ok(()) => pieces += 1,
            Err(error) => break full(&error),
        }
        assert!(pieces < 20_000, "it is never full");
    }
    // What is left of the room goes to other tables, until three batches were refused, or one killed the server.
    let (mut there, mut refusals, mut next) = (vec![1, 2], 0, 10);
    while refusals < 3 && server.pid().is_some() {
        match commit(&store, create(next, 3 * piece)) {
            Ok(()) => there.push(next),
            Err(error) => {
                full(&error);
                refusals += 1;
            }
        }
        next += 1;
        assert!(next < 5000, "it is never full");
    }
    let whole = || {
        let found: Vec<u128> = (0..next).filter(|n| version(&store, *n) == 1).collect();
        assert_eq!(found, there, "a batch is lost, or there though it was refused");
        assert_eq!(changes(&store).unwrap(), there.len(), "a part of a batch is there");
        let found = (0..=pieces).filter(|n| stored(&store, *n) == Some(piece)).count();
        assert_eq!(found, usize::try_from(pieces).unwrap());
    };
    let fate = if server.pid().is_some() { Fate::Refused } else { Fate::Died };
    if fate == Fate::Refused {
        whole();
    }
    make_room(&fate);
    whole();
    commit(&store, create(next, 3 * piece)).unwrap();
    commit(&store, change(1, 2)).unwrap();
    assert_eq!((version(&store, 1), version(&store, next)), (2, 1));
    (pieces, fate)
}

fn stored(store: &grc_mysql::MysqlStore, n: u128) -> Option<usize> {
    pollster::block_on(store.get(&town(), blob(n), 0)).unwrap().map(|bytes| bytes.len())
}

#[test]
fn a_tablespace_that_may_not_grow_refuses_whole_batches() {
    let setup = Setup::new()
        .option("innodb-flush-log-at-trx-commit=2")
        .option("innodb-file-per-table=0")
        .option("innodb-data-file-path=ibdata1:12M:autoextend:max:64M");
    let server = start(setup);
    let larger = "innodb-data-file-path=ibdata1:12M:autoextend:max:128M";
    let (pieces, fate) = until_full(&server, MIB, |_| server.restart_with(&[larger]).unwrap());
    println!("full after {pieces} MiB: {fate:?}");
    assert!(pieces >= 5);
}

/// In a mount namespace of its own, which ends with its processes.
#[test]
fn a_file_system_that_is_full_refuses_whole_batches() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let size = if crate::is_mysql() { "344m" } else { "168m" };
    let child = another(&["fill", "tmpfs"]);
    let script = format!("mount -t tmpfs -o mode=1777,size={size} tmpfs \"$1\" && shift && exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]).arg(folder.path()).arg(child.get_program());
    command.args(child.get_args()).env("TMPDIR", folder.path());
    for (name, value) in child.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if text.contains("unshare failed")
        || text.contains("permission denied")
        || text.contains("must be superuser")
    {
        println!("NOT SHOWN: only root may mount a file system of its own: {text}");
        return;
    }
    assert!(output.status.success(), "{text}");
    let full = text.lines().find(|line| line.contains("full after ")).unwrap_or_else(|| panic!("{text}"));
    println!("{full}");
}

/// What the process within it does.
pub(crate) fn fill(which: &str) {
    let server = start(Setup::new().option("innodb-flush-log-at-trx-commit=2"));
    let folder = std::env::temp_dir();
    assert!(server.directory().starts_with(&folder), "{which}");
    let filler = folder.join("filler");
    std::fs::write(&filler, vec![1; 24 * MIB]).unwrap();
    // MariaDB dies of a long row that does not fit, earlier than it is full; MySQL waits a while at each short one.
    let piece = if crate::is_mysql() { MIB } else { 16 << 10 };
    let (pieces, fate) = until_full(&server, piece, |fate| {
        std::fs::remove_file(&filler).unwrap();
        if *fate == Fate::Died {
            server.restart().unwrap();
        }
    });
    assert!(pieces >= 30);
    say(&format!("full after {pieces} pieces of {piece} bytes, {which}: {fate:?}"));
}
