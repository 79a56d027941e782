//! What the fuzz targets (`grc-core/fuzz`) do, without a fuzzer: with all that is kept in their corpus, findings too,
//! and with thousands of mutations of it from a seed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "targets and helpers of tests"
)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;
#[path = "common/memory.rs"]
mod memory;

use fuzz::TARGETS;
use grc_core::conformance::Dice;
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// What is kept for a target, in the order of the names.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries =
        std::fs::read_dir(corpus().join(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut out: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    out.sort();
    out
}

/// Targets of the quickstart's readers, whose own test does the same.
const ELSEWHERE: [&str; 2] = ["export", "mapping"];

/// How much more memory than it was given a target may have at once: for each byte, and besides.
const PER_BYTE: usize = 400;
const BESIDES: usize = 4 << 20;

/// Runs a target, and tells by what it failed.
fn run(target: &str, call: fn(&[u8]) -> bool, data: &[u8], what: &str) -> bool {
    let (peak, outcome) = memory::peak_of(|| catch_unwind(AssertUnwindSafe(|| call(data))));
    let Ok(read) = outcome else {
        panic!("target {target}, {what}: {} bytes: {}", data.len(), data.escape_ascii());
    };
    let most = PER_BYTE * data.len() + BESIDES;
    assert!(peak <= most, "target {target}, {what}: {peak} bytes at once for {}", data.len());
    read
}

#[test]
fn what_is_kept_does_no_harm_and_its_mutations_neither() {
    let _alone = memory::alone();
    let folders: BTreeSet<String> =
        std::fs::read_dir(corpus()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let here: BTreeSet<String> =
        folders.into_iter().filter(|name| !ELSEWHERE.contains(&name.as_str())).collect();
    assert_eq!(here, names, "each target has a folder of its own in the corpus");
    for (target, call) in TARGETS {
        let kept = kept(target);
        let read = kept.iter().filter(|(name, data)| run(target, *call, data, name)).count();
        // The slow ones have fewer turns.
        let turns = match *target {
            "definition" => 150,
            "intake" | "documents" => 1_500,
            _ => 4_000,
        };
        let mut read_of_mutated = 0;
        for seed in 0..turns {
            let mutated = mutated(&kept, seed);
            read_of_mutated += usize::from(run(target, *call, &mutated, &format!("seed {seed}")));
        }
        println!(
            "{target}: {} kept, {read} of them read; {read_of_mutated} of {turns} mutations read",
            kept.len()
        );
        assert!(
            read > 0 && read_of_mutated * 50 >= turns as usize,
            "{target}: what is read is hardly ever good"
        );
    }
}

/// What is put in the place of something else: ends of numbers, marks of the languages that are read.
const TOKENS: &[&[u8]] = &[
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551615",
    b"4294967295",
    b"9007199254740993",
    b"-1",
    b"0",
    b"1e400",
    b"0.5",
    b"null",
    b"true",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"\\ud800",
    b"\\u0000",
    b"\0",
    b"\xff",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff",
    b"\n",
    b"\r\n",
    b"{{",
    b"}}",
    b"{%",
    b"%}",
    b"'''",
    b"[[",
    "\u{202e}".as_bytes(),
    "e\u{301}\u{301}".as_bytes(),
    "İ".as_bytes(),
    b"+262142-12-31",
];

/// One of what is kept, changed in a few places: always the same for a seed.
fn mutated(kept: &[(String, Vec<u8>)], seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1));
    let mut below = |bound: usize| dice.below(bound);
    let mut data = kept[below(kept.len())].1.clone();
    for _ in 0..=below(4) {
        let at = below(data.len() + 1);
        let until = (at + below(16)).min(data.len());
        match below(8) {
            0 if at < data.len() => data[at] ^= 1 << below(8),
            1 if at < data.len() => data[at] = u8::try_from(below(256)).unwrap(),
            2 => drop(data.drain(at..until)),
            3 => {
                let again = data[at..until].to_vec();
                data.splice(at..at, again);
            }
            4 => drop(data.splice(at..until, TOKENS[below(TOKENS.len())].iter().copied())),
            5 => {
                // The tail of another.
                let other = &kept[below(kept.len())].1;
                let from = below(other.len() + 1);
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                // A number, whole, becomes another.
                let digit = |byte: &u8| byte.is_ascii_digit();
                let Some(begin) = data[at..].iter().position(digit).map(|n| at + n) else { continue };
                let end = data[begin..].iter().position(|b| !digit(b)).map_or(data.len(), |n| begin + n);
                data.splice(begin..end, TOKENS[below(9)].iter().copied());
            }
        }
    }
    data
}
