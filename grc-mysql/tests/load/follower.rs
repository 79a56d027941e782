//! Who follows the feed.

use super::plan::town;
use grc_core::{
    conformance::Dice,
    storage::{Change, Cursor, Retry, StorageErrorKind, Store, Touched},
};
use pollster::block_on;
use std::collections::{BTreeMap, BTreeSet};

/// What came of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// So many changes.
    Changes(usize),
    /// The server does not answer.
    Nothing,
    /// What was read is gone: it began again from nothing.
    Again,
}

/// Reads the feed, in pages of many sizes, and keeps what it saw.
#[derive(Debug, Clone)]
pub(crate) struct Follower {
    pub(crate) changes: Vec<Change>,
    pub(crate) after: Option<Cursor>,
    pub(crate) dice: Dice,
    /// Where it begins: from nothing, or from a cursor.
    from: Option<Cursor>,
}

impl Follower {
    pub(crate) fn new(from: Option<Cursor>, seed: u64) -> Self {
        Self { changes: Vec::new(), after: from.clone(), dice: Dice::new(seed), from }
    }

    /// Reads a page.
    pub(crate) fn read(&mut self, store: &dyn Store) -> Seen {
        let limit = 1 + self.dice.below(50);
        match block_on(store.changes(&town(), self.after.as_ref(), limit as u32)) {
            Ok(page) => {
                let count = page.changes.len();
                assert!(count <= limit, "a page is not larger than it was asked");
                self.changes.extend(page.changes);
                self.after = Some(page.next);
                Seen::Changes(count)
            }
            Err(error) if error.kind() == StorageErrorKind::Unsupported => {
                let text = error.to_string();
                assert!(text.contains("read everything again") && self.after.is_some(), "{error:?}");
                *self = Self::new(self.from.take(), self.dice.next());
                Seen::Again
            }
            Err(error) => {
                assert_eq!(error.retry(), Retry::Same, "the feed fails otherwise: {error:?}");
                Seen::Nothing
            }
        }
    }

    pub(crate) fn batches(&self) -> BTreeSet<u128> {
        self.changes.iter().map(|change| change.batch.uuid().as_u128()).collect()
    }
}

/// No batch comes twice, and each stream's versions come one by one, from the first; or from anywhere, for who began in
/// the middle. Answers how many batches wrote several streams.
#[track_caller]
pub(crate) fn check_order(changes: &[Change], from_nothing: bool) -> usize {
    let mut batches = BTreeSet::new();
    let mut last: BTreeMap<u128, u64> = BTreeMap::new();
    let mut several = 0;
    for change in changes {
        let id = change.batch.uuid().as_u128();
        assert!(batches.insert(id), "{id} comes twice");
        let mut streams = 0;
        for touched in &change.touched {
            let Touched::Stream(stream, version) = touched else { continue };
            let n = stream.id.as_u128();
            let wrote = change.touched.contains(&Touched::Events(stream.clone(), *version));
            streams += usize::from(wrote);
            let before = last.get(&n).copied().or(from_nothing.then_some(0));
            let expected = before.map(|before| before + u64::from(wrote));
            assert!(
                expected.is_none_or(|expected| expected == *version),
                "stream {n}: {id} says version {version} after {before:?} (written: {wrote})"
            );
            last.insert(n, *version);
        }
        several += usize::from(streams > 1);
    }
    several
}
