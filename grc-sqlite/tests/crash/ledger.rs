//! What was acknowledged.

use grc_core::{KeyId, RequestId, TrackingCode, vault::Slot};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    str::FromStr,
};

/// What was acknowledged of a request, and what may have been done to it besides.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    pub(crate) version: u64,
    /// What the intake said, if it was acknowledged.
    pub(crate) intake: Option<(TrackingCode, String, usize)>,
    pub(crate) notes: Vec<String>,
    /// Erasures that were begun, and those that were acknowledged.
    pub(crate) erasing: BTreeSet<String>,
    pub(crate) erased: BTreeSet<String>,
    /// Anonymising was begun; it was acknowledged.
    pub(crate) forgetting: bool,
    pub(crate) forgotten: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) requests: BTreeMap<RequestId, Known>,
    pub(crate) batches: BTreeMap<String, BTreeSet<String>>,
    pub(crate) issued: BTreeSet<KeyId>,
    pub(crate) gone: BTreeSet<KeyId>,
    pub(crate) kept: BTreeMap<KeyId, BTreeSet<Slot>>,
    pub(crate) clock: i64,
    /// The windows that each thread is in.
    pub(crate) open: HashMap<String, String>,
    pub(crate) bad: Vec<String>,
    pub(crate) acknowledged: u64,
    /// Something was acknowledged: the files are made, and must be there.
    pub(crate) made: bool,
}

pub(crate) fn list<T: FromStr + Ord>(text: &str) -> BTreeSet<T> {
    text.split(',').filter_map(|item| item.parse().ok()).collect()
}

impl Ledger {
    pub(crate) fn request(&mut self, id: &str) -> &mut Known {
        self.requests.entry(id.parse().unwrap()).or_default()
    }

    pub(crate) fn note(&mut self, line: &str) {
        let parts: Vec<&str> = line.split('\t').collect();
        match parts[..] {
            ["enter", thread, window, ..] => {
                self.open.insert(thread.to_owned(), window.to_owned());
                if let ["enter", _, "erase", _, _, id, _, kinds] = parts[..]
                    && kinds.contains("anonymised")
                {
                    self.request(id).forgetting = true;
                }
            }
            ["leave", thread, window, done, ..] => {
                self.open.remove(thread);
                if done == "done" {
                    self.acknowledged += 1;
                    self.made = true;
                    self.done(window, &parts[4..]);
                }
            }
            ["submitted", id, version, code, needle, size] => {
                let known = self.request(id);
                known.version = known.version.max(version.parse().unwrap());
                known.intake = Some((code.parse().unwrap(), needle.to_owned(), size.parse().unwrap()));
            }
            ["acted", id, version, note] => {
                let known = self.request(id);
                known.version = known.version.max(version.parse().unwrap());
                known.notes.extend((!note.is_empty()).then(|| note.to_owned()));
            }
            ["erasing", id, path] => drop(self.request(id).erasing.insert(path.to_owned())),
            ["erased", id, version, path] => {
                let known = self.request(id);
                known.version = known.version.max(version.parse().unwrap());
                known.erased.insert(path.to_owned());
            }
            ["clock", micros] => self.clock = self.clock.max(micros.parse().unwrap()),
            ["bad", ..] => self.bad.push(line.to_owned()),
            _ => {}
        }
    }

    pub(crate) fn done(&mut self, window: &str, about: &[&str]) {
        match (window, about) {
            ("commit" | "erase" | "month", [authority, batch, rest @ ..]) => {
                self.batches.entry((*authority).to_owned()).or_default().insert((*batch).to_owned());
                if let [id, version, kinds] = rest
                    && !kinds.is_empty()
                    && !kinds.contains("published")
                {
                    let known = self.request(id);
                    known.version = known.version.max(version.parse().unwrap());
                    known.forgotten |= kinds.contains("anonymised");
                }
            }
            ("issue", [ids]) => self.issued.extend(list::<KeyId>(ids)),
            ("destroy", ["gone", ids]) => self.gone.extend(list::<KeyId>(ids)),
            ("destroy", ["kept", id, slots]) => {
                let slots = list(slots);
                let kept = self.kept.entry(id.parse().unwrap()).or_insert_with(|| slots.clone());
                kept.retain(|slot| slots.contains(slot));
            }
            other => panic!("not understood: {other:?}"),
        }
    }
}
