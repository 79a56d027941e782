//! The same random batches and readings on the reference store and on SQLite: every answer must be the same.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod dice;
mod lists;
mod steps;

use dice::*;
use grc_core::{
    BatchId, BlobId, Moment, Word,
    storage::{
        Batch, BlobStore, Claim, Cursor, DocumentRange, EventRange, Load, Log, MemoryStore, Parts,
        StorageError, Store, StreamKey, Task, TaskRef, Which,
    },
};
use grc_sqlite::{Durability, Options, SqliteStore};
use pollster::block_on;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

struct World {
    dice: Dice,
    memory: MemoryStore,
    sqlite: Arc<SqliteStore>,
    batches: Vec<Batch>,
    held: Vec<TaskRef>,
    next: u128,
    now: Moment,
    /// What was covered: step kind and outcome.
    covered: BTreeMap<(&'static str, &'static str), u32>,
}

fn same<T: PartialEq + std::fmt::Debug>(
    one: Result<T, StorageError>,
    other: Result<T, StorageError>,
    what: &str,
) -> Option<T> {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other, "{what}");
            Some(one)
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.kind(), other.kind(), "{what}");
            None
        }
        (one, other) => panic!("{what}: the reference says {one:?}, SQLite {other:?}"),
    }
}

impl World {
    fn commit(&mut self) {
        self.now = self.now.plus_millis(3);
        let batch = if !self.batches.is_empty() && self.dice.once_in(15) {
            let n = self.dice.roll(self.batches.len() as u64);
            self.batches[usize::try_from(n).unwrap()].clone()
        } else {
            self.next += 1;
            let id = BatchId::from_uuid(Uuid::from_u128(self.next));
            let town = self.town();
            let mut batch = Batch::new(id, town.clone(), self.now);
            for _ in 0..=self.dice.roll(3) {
                let step = self.step(&town, id);
                batch.push(step);
            }
            batch
        };
        let done = same(
            block_on(self.memory.commit(batch.clone())),
            block_on(self.sqlite.commit(batch.clone())),
            "commit",
        );
        let outcome = match &done {
            Some(receipt) if receipt.replayed => "replayed",
            Some(_) => "applied",
            None => "refused",
        };
        for step in batch.steps() {
            *self.covered.entry((steps::name(step), outcome)).or_default() += 1;
        }
        if outcome == "applied" {
            self.batches.push(batch);
        }
    }

    fn claim(&mut self) {
        let claim = Claim {
            authority: self.town(),
            kinds: self.dice.once_in(3).then(|| vec![self.dice.word(WORDS)]),
            now: self.dice.moment(),
            until: self.dice.moment(),
            limit: u32::try_from(self.dice.roll(4)).unwrap(),
        };
        let tasks = same(block_on(self.memory.claim(&claim)), block_on(self.sqlite.claim(&claim)), "claim");
        self.held.extend(tasks.unwrap().iter().map(Task::reference));
    }

    fn blob(&mut self) {
        let (town, id) = (self.town(), BlobId::from_uuid(self.dice.id(5)));
        let piece = u32::try_from(self.dice.roll(3)).unwrap();
        if self.dice.once_in(4) {
            block_on(self.memory.remove(&town, id)).unwrap();
            block_on(self.sqlite.remove(&town, id)).unwrap();
        } else {
            let (at, bytes) = (self.dice.moment(), self.dice.bytes());
            block_on(self.memory.put(&town, id, piece, at, bytes.clone())).unwrap();
            block_on(self.sqlite.put(&town, id, piece, at, bytes)).unwrap();
        }
        let got = |store: &dyn BlobStore| block_on(store.get(&town, id, piece));
        same(got(&self.memory), got(&*self.sqlite), "blob");
        let (before, limit) = (self.dice.moment(), 1 + u32::try_from(self.dice.roll(3)).unwrap());
        let mut after = None;
        loop {
            let list = |store: &dyn BlobStore| {
                block_on(store.list(&town, before, after.clone(), limit)).map(|page| (page.blobs, page.next))
            };
            match same(list(&self.memory), list(&*self.sqlite), "blobs").unwrap().1 {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }

    /// Compares everything that there is.
    fn compare(&mut self) {
        for town in TOWNS.iter().copied().map(word) {
            let streams: Vec<StreamKey> = (0..12)
                .flat_map(|n| KINDS.iter().map(move |kind| (n, *kind)))
                .map(|(n, kind)| StreamKey::new(town.clone(), word(kind), Uuid::from_u128(n << 64)))
                .collect();
            for parts in [Parts::All, Parts::None, Parts::These([0, 3].into())] {
                let receipt = Some([u8::try_from(self.dice.roll(6)).unwrap(); 16]);
                let load = Load { authority: town.clone(), streams: streams.clone(), parts, receipt };
                let loaded = |store: &dyn Store| {
                    block_on(store.load(&load)).map(|all| (all.streams, all.receipt, all.organisation))
                };
                same(loaded(&self.memory), loaded(&*self.sqlite), "load");
            }
            for (stream, log) in streams.iter().flat_map(|s| [(s, Log::History), (s, Log::Access)]) {
                let (after, limit) = (self.dice.roll(3), u32::try_from(self.dice.roll(5)).unwrap());
                let range = EventRange { stream: stream.clone(), log, after, limit };
                same(block_on(self.memory.events(&range)), block_on(self.sqlite.events(&range)), "events");
            }
            self.compare_pages(&town);
            for kind in WORDS.iter().copied().map(word) {
                let range = DocumentRange {
                    authority: town.clone(),
                    kind,
                    name: self.dice.once_in(4).then(|| self.dice.word(WORDS)),
                    after: self.dice.once_in(4).then(|| self.dice.word(WORDS)),
                    which: match self.dice.roll(3) {
                        0 => Which::Newest,
                        1 => Which::Version(self.dice.roll(4)),
                        _ => Which::All,
                    },
                    limit: u32::try_from(self.dice.roll(4)).unwrap(),
                };
                let documents = |store: &dyn Store| block_on(store.documents(&range));
                same(documents(&self.memory), documents(&*self.sqlite), &format!("{range:?}"));
            }
        }
    }

    fn compare_pages(&mut self, town: &Word) {
        let limit = u32::try_from(self.dice.roll(5)).unwrap();
        let mut after: Option<Cursor> = None;
        loop {
            let measures = |store: &dyn Store| {
                block_on(store.measures(town, after.as_ref(), limit)).map(|page| (page.rows, page.next))
            };
            match same(measures(&self.memory), measures(&*self.sqlite), "measures").unwrap().1 {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        // Each store has cursors of its own, so the whole feed is compared.
        let feed = |store: &dyn Store| {
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let page = block_on(store.changes(town, after.as_ref(), 7))?;
                if page.changes.is_empty() {
                    return Ok(all);
                }
                all.extend(page.changes);
                after = Some(page.next);
            }
        };
        same(feed(&self.memory), feed(&*self.sqlite), "feed");
    }
}

fn run(seed: u64, rounds: u32, covered: &mut BTreeMap<(&'static str, &'static str), u32>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("town.db");
    let options = Options::new().create(true).test(true).durability(Durability::Relaxed);
    let mut world = World {
        dice: Dice(seed),
        memory: MemoryStore::new(),
        sqlite: options.open(&path).unwrap().store,
        batches: Vec::new(),
        held: Vec::new(),
        next: 0,
        now: Moment::EPOCH,
        covered: std::mem::take(covered),
    };
    for round in 0..rounds {
        match world.dice.roll(20) {
            0..=10 => world.commit(),
            11 | 12 => world.claim(),
            13..=17 => world.query(),
            18 => world.blob(),
            _ if round % 5 == 0 => world.compare(),
            _ => {}
        }
        if round == rounds / 2 {
            // What was written is there after the store was closed, scrubbed and opened again.
            block_on(world.sqlite.scrub()).unwrap();
            world.sqlite.close();
            world.sqlite = Options::new().open(&path).unwrap().store;
        }
    }
    world.compare();
    *covered = world.covered;
}

#[test]
fn sqlite_answers_as_the_reference_does() {
    let mut covered = BTreeMap::new();
    for seed in 1..=12 {
        println!("seed {seed}");
        run(seed, 700, &mut covered);
    }
    for ((what, outcome), n) in &covered {
        println!("{what:>15} {outcome:<8} {n}");
    }
    let steps: Vec<_> = covered.keys().filter(|(_, outcome)| *outcome == "applied").collect();
    assert_eq!(steps.len(), 19, "each kind of step must have been applied: {steps:?}");
}
