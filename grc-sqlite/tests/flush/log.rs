//! What the log of a child's writes, flushes and acknowledgements says of their order.

use std::collections::BTreeMap;

/// What stands in the log about one file.
#[derive(Default)]
struct Flushes {
    /// The line of the last write, and of the last cut to nothing.
    written: usize,
    cut: usize,
    begun: usize,
    /// All that was written before this line is flushed.
    flushed: usize,
}

impl Flushes {
    fn is_flushed(&self) -> bool {
        self.written <= self.flushed && self.cut <= self.flushed
    }
}

#[derive(Default)]
struct Log {
    files: BTreeMap<String, Flushes>,
}

impl Log {
    fn file(&mut self, name: &str) -> &mut Flushes {
        self.files.entry(name.to_owned()).or_default()
    }

    /// Takes a line into account; lines are counted from 1.
    fn note(&mut self, line: usize, parts: &[&str]) {
        match *parts {
            ["w", file, ..] => self.file(file).written = line,
            ["t", file, _] => self.file(file).cut = line,
            ["b", file] => self.file(file).begun = line,
            ["s", file] => {
                let file = self.file(file);
                file.flushed = file.begun;
            }
            _ => {}
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) acknowledged: u32,
    pub(crate) flushes: u32,
    pub(crate) checkpoints: u32,
    pub(crate) violations: Vec<String>,
}

/// The statement for a store, whatever the number of callers:
///
/// An acknowledgement of batch B (its document's name is in clear in the pages) comes after a flush of the log that began
/// after the last byte of the frame that ends B's transaction. B's transaction is the one that the first page with B's
/// name was written in: before it, there was no such name. Writes of the next group may already stand in the log file
/// unflushed at that moment; they are not B's, and are not asked for.
///
/// Besides: the file is written from the log only when what is in the log is flushed, and the log is begun anew only
/// when what was written to the file is flushed.
pub(crate) fn store_findings(lines: &[String]) -> Findings {
    let (wal, db) = ("town.db-wal", "town.db");
    let mut out = Findings::default();
    let mut log = Log::default();
    // The transaction that is written now, and when those before it are flushed.
    let (mut transaction, mut commit_header) = (0_usize, false);
    let mut ended: Vec<(usize, Option<usize>)> = Vec::new();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (line, text) in lines.iter().enumerate().map(|(n, text)| (n + 1, text)) {
        let parts: Vec<&str> = text.split(' ').collect();
        match parts[..] {
            ["w", file, offset, length, commit, needles] if file == wal => {
                if offset == "0" && length == "32" && !log.file(db).is_flushed() {
                    out.violations
                        .push(format!("line {line}: the log is begun anew, the file is not flushed"));
                }
                for needle in needles.split(',').filter(|needle| !needle.is_empty()) {
                    first.entry(needle.to_owned()).or_insert(transaction);
                }
                if length == "24" {
                    commit_header = commit == "1";
                } else if commit_header {
                    // The page of the last frame.
                    ended.push((line, None));
                    transaction += 1;
                    commit_header = false;
                }
            }
            ["w", file, ..] if file == db && !log.file(wal).is_flushed() => {
                out.violations.push(format!("line {line}: the file is written, its log is not flushed"));
            }
            ["s", file] if file == wal => {
                out.flushes += 1;
                let begun = log.file(wal).begun;
                for (end, flushed) in ended.iter_mut().rev() {
                    if flushed.is_some() {
                        break;
                    }
                    if *end < begun {
                        *flushed = Some(line);
                    }
                }
            }
            ["s", file] if file == db => out.checkpoints += 1,
            ["a", needle] => {
                out.acknowledged += 1;
                let flushed = first.get(needle).and_then(|t| ended.get(*t)).and_then(|(_, flushed)| *flushed);
                if flushed.is_none() {
                    out.violations.push(format!("line {line}: {needle} is acknowledged, and not flushed"));
                }
            }
            _ => {}
        }
        log.note(line, &parts);
    }
    out
}

/// The statement for a keyring, which has a journal that is rolled back: a change is durable when the file was flushed
/// after its last write, then the journal cut to nothing, then the journal flushed. The file is written only when the
/// journal, which holds what was there, is flushed. Each change is acknowledged after that; the changes that have no id
/// of their own to be found by are counted: there are never more acknowledgements than durable changes.
pub(crate) fn keyring_findings(lines: &[String]) -> Findings {
    let (keys, journal) = ("town.keys", "town.keys-journal");
    let mut out = Findings::default();
    let mut log = Log::default();
    let (mut transaction, mut durable, mut base) = (0_usize, 0_usize, 0_usize);
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (line, text) in lines.iter().enumerate().map(|(n, text)| (n + 1, text)) {
        let parts: Vec<&str> = text.splitn(6, ' ').collect();
        let parts = if parts[0] == "a" { text.splitn(2, ' ').collect() } else { parts };
        let before = (transaction, durable);
        match parts[..] {
            ["w", file, .., needles] if file == keys => {
                if !log.file(journal).is_flushed() {
                    out.violations
                        .push(format!("line {line}: the keys are written, the journal is not flushed"));
                }
                for needle in needles.split(',').filter(|needle| !needle.is_empty()) {
                    first.entry(needle.to_owned()).or_insert(transaction);
                }
            }
            ["t", file, "0"] if file == journal => {
                if !log.file(keys).is_flushed() {
                    out.violations.push(format!("line {line}: the journal is cut, the keys are not flushed"));
                }
                transaction += 1;
            }
            ["s", file] => {
                out.flushes += 1;
                if file == journal && log.file(journal).begun > log.file(journal).cut {
                    durable = transaction;
                }
            }
            ["a", "begin"] => base = durable,
            ["a", what] => {
                out.acknowledged += 1;
                if first.get(what).is_some_and(|transaction| *transaction >= durable)
                    || (what.starts_with('0') && !first.contains_key(what))
                    || durable - base < out.acknowledged as usize
                {
                    out.violations.push(format!("line {line}: `{what}` is acknowledged, and not durable"));
                }
            }
            _ => {}
        }
        assert!(transaction >= before.0 && durable >= before.1);
        log.note(line, &parts);
    }
    out
}

/// The statement for one caller of an engine: when a command is acknowledged, nothing that was written to the log, the
/// keys or their journal is unflushed. (The file itself may be: it is written from the log, which stands.)
pub(crate) fn engine_findings(lines: &[String]) -> Findings {
    let mut out = Findings::default();
    let mut log = Log::default();
    for (line, text) in lines.iter().enumerate().map(|(n, text)| (n + 1, text)) {
        let parts: Vec<&str> = text.split(' ').collect();
        match parts[..] {
            ["a", _] => {
                out.acknowledged += 1;
                for file in ["town.db-wal", "town.keys", "town.keys-journal"] {
                    if !log.file(file).is_flushed() {
                        out.violations
                            .push(format!("line {line}: acknowledged, and `{file}` is not flushed"));
                    }
                }
            }
            ["s", _] => out.flushes += 1,
            _ => {}
        }
        log.note(line, &parts);
    }
    out
}
