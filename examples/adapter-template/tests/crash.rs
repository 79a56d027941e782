//! A writing process is killed with SIGKILL: what it had acknowledged is there, and nothing is half there (C-01, C-02).
//!
//! The child (this program again) commits numbered batches from several threads and says which were acknowledged. The
//! parent kills it in the middle, and opens the file.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and tells its own child what to do through its environment"
)]

mod common;

use adapter_template::Options;
use common::{create, made, place, read, stream, town};
use grc_core::storage::{EventRange, Log, Step, StorageErrorKind, Store};
use pollster::block_on;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

const FILE: &str = "GRC_TEST_FILE";
const ROUNDS: u128 = 12;
const THREADS: u128 = 3;

/// Batch and stream have the same number; its vault is as long as several pages.
fn numbered(n: u128) -> grc_core::storage::Batch {
    create(n, n).with(Step::PutVault { stream: stream(n), part: 0, bytes: vec![7; 9_000] })
}

/// Not a test: what the child does.
#[test]
fn child() {
    let Ok(file) = std::env::var(FILE) else { return };
    let (file, first) = file.split_once('\n').unwrap();
    let (store, first) = (made(Path::new(file)), first.parse::<u128>().unwrap());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for n in (first + thread..).step_by(usize::try_from(THREADS).unwrap()) {
                    block_on(store.commit(numbered(n))).unwrap();
                    let mut out = std::io::stdout().lock();
                    out.write_all(format!("done {n}\n").as_bytes()).unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

fn start(file: &Path, first: u128) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FILE, format!("{}\n{first}", file.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a child that is killed after some acknowledgements had acknowledged.
fn killed(file: &Path, first: u128, after: u128) -> BTreeSet<u128> {
    let mut child = start(file, first);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut numbers = lines.filter_map(|line| line.strip_prefix("done ")?.parse::<u128>().ok());
    let mut done: BTreeSet<u128> = numbers.by_ref().take(usize::try_from(after).unwrap()).collect();
    // While it lives, nobody else gets the file.
    if after > 0 {
        let error = Options::new().open(file).unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    }
    child.kill().unwrap();
    // What it said before it died has still to be read.
    done.extend(numbers);
    child.wait().unwrap();
    done
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_nothing_is_half_there() {
    let (_directory, path): (_, PathBuf) = place();
    let (mut first, mut acknowledged, mut beyond) = (1, BTreeSet::new(), 0);
    for round in 0..ROUNDS {
        acknowledged.extend(killed(&path, first, round * 3));
        let store = made(&path);
        let mut there = BTreeSet::new();
        // A little further than was acknowledged: what was under way may be there or not.
        let last = acknowledged.last().copied().unwrap_or(0) + 2 * THREADS;
        for n in 1..=last {
            let range = EventRange { stream: stream(n), log: Log::History, after: 0, limit: 10 };
            let events = block_on(store.events(&range)).unwrap().len();
            match read(&store, n) {
                Some(record) => {
                    assert_eq!((events, record.vault.get(&0)), (1, Some(&vec![7; 9_000])), "half of {n}");
                    there.insert(n);
                }
                None => assert_eq!(events, 0, "half of {n}"),
            }
        }
        assert!(there.is_superset(&acknowledged), "lost: {:?}", acknowledged.difference(&there));
        beyond += there.difference(&acknowledged).count();
        // The feed has each of them once.
        let mut feed = Vec::new();
        let mut after = None;
        loop {
            let page = block_on(store.changes(&town(), after.as_ref(), 1_000)).unwrap();
            if page.changes.is_empty() {
                break;
            }
            feed.extend(page.changes.iter().map(|change| change.batch.uuid().as_u128()));
            after = Some(page.next);
        }
        assert_eq!(feed.len(), there.len());
        assert_eq!(feed.into_iter().collect::<BTreeSet<_>>(), there);
        // And the same batch again says so.
        for n in there.iter().rev().take(2) {
            assert!(block_on(store.commit(numbered(*n))).unwrap().replayed);
        }
        acknowledged = there;
        first = last + 1;
    }
    println!("{} batches, {beyond} of them there without having been acknowledged", acknowledged.len());
}

#[test]
fn a_store_whose_making_was_killed_is_made_again() {
    let mut there = 0;
    for round in 0..40 {
        let (_directory, path) = place();
        let mut child = start(&path, 1);
        // From before it looks for the file to after it has made it.
        std::thread::sleep(std::time::Duration::from_micros(round * 400));
        child.kill().unwrap();
        child.wait().unwrap();
        there += u32::from(path.exists());
        let store = made(&path);
        block_on(store.commit(numbered(1_000_000))).unwrap();
    }
    println!("{there} of 40 had made it");
}
