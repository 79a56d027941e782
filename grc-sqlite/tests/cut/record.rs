//! The record of what a process wrote, and the files as they were after any part of it.

use grc_core::conformance::Dice;
use std::{collections::BTreeMap, path::Path};

/// What a process did to its files, in order.
#[derive(Debug)]
pub(crate) enum Call {
    Write {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Flush {
        file: String,
    },
    Cut {
        file: String,
        length: usize,
    },
    Remove {
        file: String,
    },
    /// What it acknowledged.
    Said(String),
}

/// Reads the record that the library in between has made.
pub(crate) fn read(path: &Path) -> Vec<Call> {
    let record = std::fs::read(path).unwrap();
    let mut rest = &record[..];
    let mut out = Vec::new();
    while !rest.is_empty() {
        let number = |from: usize| usize::from_ne_bytes(rest[from..from + 8].try_into().unwrap());
        let kind = rest[0];
        let named = usize::from(u16::from_ne_bytes(rest[1..3].try_into().unwrap()));
        let (offset, length) = (number(3), number(11));
        let file = String::from_utf8(rest[19..19 + named].to_vec()).unwrap();
        rest = &rest[19 + named..];
        let mut bytes = || {
            let (bytes, after) = rest.split_at(length);
            rest = after;
            bytes.to_vec()
        };
        out.push(match kind {
            b'w' => Call::Write { file, offset, bytes: bytes() },
            b's' => Call::Flush { file },
            b't' => Call::Cut { file, length },
            b'u' => Call::Remove { file },
            b'a' => Call::Said(String::from_utf8(bytes()).unwrap()),
            other => panic!("the record has an entry {other}"),
        });
    }
    out
}

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The process dies: what it wrote is there.
    Process,
    /// The power fails: what was not flushed is gone.
    Power,
    /// The power fails: of what was not flushed, some sectors are there.
    Torn,
}

#[derive(Debug, Default, Clone)]
struct File {
    /// As the system shows it.
    shown: Vec<u8>,
    /// As the disk has it for certain.
    certain: Vec<u8>,
    /// What was done since it was flushed.
    since: Vec<(usize, Vec<u8>)>,
}

const SECTOR: usize = 512;

fn put(into: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if into.len() < offset + bytes.len() {
        into.resize(offset + bytes.len(), 0);
    }
    into[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl File {
    fn after(&self, end: End, dice: &mut Dice) -> Vec<u8> {
        match end {
            End::Process => self.shown.clone(),
            End::Power => self.certain.clone(),
            End::Torn => {
                let mut out = self.certain.clone();
                for (offset, bytes) in &self.since {
                    for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                        if dice.once_in(2) {
                            put(&mut out, offset + n * SECTOR, sector);
                        }
                    }
                }
                out
            }
        }
    }
}

/// The files, as they come to be.
#[derive(Debug, Default, Clone)]
pub(crate) struct Disk(BTreeMap<String, File>);

impl Disk {
    pub(crate) fn apply(&mut self, call: &Call) {
        match call {
            Call::Write { file, offset, bytes } => {
                let file = self.0.entry(file.clone()).or_default();
                put(&mut file.shown, *offset, bytes);
                file.since.push((*offset, bytes.clone()));
            }
            Call::Flush { file } => {
                let file = self.0.entry(file.clone()).or_default();
                file.certain.clone_from(&file.shown);
                file.since.clear();
            }
            // A file that is cut is shorter at once, or not at all: what it held beyond is not looked at.
            Call::Cut { file, length } => {
                let file = self.0.entry(file.clone()).or_default();
                file.shown.resize(*length, 0);
            }
            Call::Remove { file } => drop(self.0.remove(file)),
            Call::Said(_) => {}
        }
    }

    /// The files after the machine has ended so.
    pub(crate) fn leave(&self, directory: &Path, end: End, dice: &mut Dice) {
        for (name, file) in &self.0 {
            std::fs::write(directory.join(name), file.after(end, dice)).unwrap();
        }
    }
}
