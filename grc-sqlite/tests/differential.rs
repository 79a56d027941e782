//! The same random batches and readings on the reference store and on SQLite: every answer must be the same.

use grc_core::{
    BatchId, BlobId, Condition, KeyId, Moment, TaskId, Word,
    condition::{Comparison, Scalar, Var},
    storage::{
        Access, Batch, BlobStore, Claim, Cursor, Document, DocumentRange, EventRange, Expect, Fact, FactKind,
        FactValue, Facts, IndexValue, Link, LinkKey, Load, Log, MemoryStore, Order, Page, Parts, Query,
        ReceiptRow, Step, StorageError, Store, StoredEvent, StreamKey, StreamRecord, StreamRow, Task,
        TaskRef, Which,
    },
};
use grc_sqlite::{Durability, Options, SqliteStore};
use pollster::block_on;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Small numbers that follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % below
    }

    fn once_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.roll(words.len() as u64)).unwrap()]
    }

    fn word(&mut self, words: &[&str]) -> Word {
        word(self.of(words))
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = if self.once_in(20) { self.roll(20_000) } else { self.roll(40) };
        (0..length).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }

    fn id(&mut self, below: u64) -> Uuid {
        Uuid::from_u128(u128::from(self.roll(below)) << 64)
    }

    fn moment(&mut self) -> Moment {
        Moment::from_micros(i64::try_from(self.roll(60)).unwrap() - 5)
    }
}

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

const TOWNS: &[&str] = &["brest", "rennes"];
const KINDS: &[&str] = &["authority", "request"];
const FIELDS: &[&str] = &["area", "colour"];
const LINKS: &[&str] = &["contact.a", "contact.b", "tracking"];
const WORDS: &[&str] = &["a", "b", "c"];
const TEXTS: &[&str] = &["a", "b", "Rue Haute", "rue haute", ""];

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

fn name(step: &Step) -> &'static str {
    match step {
        Step::PutStream { .. } => "PutStream",
        Step::Append { .. } => "Append",
        Step::PutVault { .. } => "PutVault",
        Step::DropVault { .. } => "DropVault",
        Step::PutMeasure { .. } => "PutMeasure",
        Step::PutIndex { .. } => "PutIndex",
        Step::PutLink(_) => "PutLink",
        Step::DropLink { .. } => "DropLink",
        Step::DropLinks { .. } => "DropLinks",
        Step::Schedule(_) => "Schedule",
        Step::Finish(_) => "Finish",
        Step::Release { .. } => "Release",
        Step::Cancel { .. } => "Cancel",
        Step::PutDocument { .. } => "PutDocument",
        Step::RaiseDocument(_) => "RaiseDocument",
        Step::DropDocument { .. } => "DropDocument",
        Step::Current { .. } => "Current",
        Step::PutReceipt(_) => "PutReceipt",
        Step::LogAccess(_) => "LogAccess",
        _ => "Unknown",
    }
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
    fn town(&mut self) -> Word {
        self.dice.word(TOWNS)
    }

    fn stream(&mut self, town: &Word) -> StreamKey {
        // Now and then of the other authority, which must be refused.
        let town = if self.dice.once_in(60) { self.town() } else { town.clone() };
        StreamKey::new(town, self.dice.word(KINDS), self.dice.id(12))
    }

    fn record(&self, key: &StreamKey) -> Option<StreamRecord> {
        let load = Load {
            authority: key.authority.clone(),
            streams: vec![key.clone()],
            parts: Parts::All,
            receipt: None,
        };
        block_on(self.memory.load(&load)).unwrap().streams.pop().unwrap()
    }

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::new();
        for fact in Fact::ALL {
            if self.dice.once_in(2) {
                continue;
            }
            let value = match fact.kind() {
                FactKind::Word => FactValue::Word(self.dice.word(WORDS)),
                FactKind::Integer | FactKind::Moment => match self.dice.roll(12) {
                    0 => FactValue::Integer(i64::MIN),
                    1 => FactValue::Integer(i64::MAX),
                    n => FactValue::Integer(i64::try_from(n).unwrap() % 4),
                },
            };
            facts.set(*fact, Some(value));
        }
        facts
    }

    fn row(&mut self, town: &Word) -> Step {
        let key = self.stream(town);
        let old = self.record(&key).map(|record| record.row);
        let mut expect = old.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        if self.dice.once_in(12) {
            expect = if self.dice.once_in(2) { Expect::Absent } else { Expect::Version(self.dice.roll(4)) };
        }
        let facts = match &old {
            // Mostly a few facts change, as in life.
            Some(row) if !self.dice.once_in(4) => {
                let mut facts = row.facts.clone();
                for fact in [Fact::State, Fact::Agent, Fact::Closed, Fact::Opened] {
                    if self.dice.once_in(3) {
                        let value = self.facts().get(fact).cloned();
                        facts.set(fact, value);
                    }
                }
                facts
            }
            _ => self.facts(),
        };
        let row = StreamRow {
            key,
            birth: self.dice.word(TOWNS),
            version: old.map_or(1, |row| row.version + 1),
            fold: u32::try_from(self.dice.roll(3)).unwrap(),
            head: [u8::try_from(self.dice.roll(256)).unwrap(); 32],
            facts,
            body: self.dice.bytes(),
        };
        Step::PutStream { row, expect }
    }

    fn append(&mut self, town: &Word, batch: BatchId) -> Step {
        let stream = self.stream(town);
        let range = EventRange { stream: stream.clone(), log: Log::History, after: 0, limit: 1_000 };
        let mut after = block_on(self.memory.events(&range)).unwrap().len() as u64;
        if self.dice.once_in(12) {
            after = self.dice.roll(4);
        }
        let gap = u64::from(self.dice.once_in(30));
        let events = (0..self.dice.roll(4))
            .map(|n| StoredEvent {
                sequence: after + 1 + n + gap,
                batch,
                head: [7; 32],
                body: self.dice.bytes(),
            })
            .collect();
        Step::Append { stream, after, events }
    }

    fn document(&mut self, town: &Word, raise: bool) -> Document {
        let (kind, name) = (self.dice.word(WORDS), self.dice.word(WORDS));
        let newest = self.newest(town, &kind, &name);
        let step = if raise { self.dice.roll(3) } else { u64::from(!self.dice.once_in(15)) };
        Document { kind, name, version: newest + step, body: self.dice.bytes() }
    }

    fn newest(&self, town: &Word, kind: &Word, name: &Word) -> u64 {
        let range = DocumentRange::newest(town.clone(), kind.clone(), name.clone());
        block_on(self.memory.documents(&range)).unwrap().last().map_or(0, |document| document.version)
    }

    fn task_ref(&mut self) -> TaskRef {
        match self.held.pop() {
            Some(held) if !self.dice.once_in(8) => held,
            _ => TaskRef {
                queue: "q".to_owned(),
                id: TaskId::from_uuid(self.dice.id(30)),
                lease: self.dice.roll(3),
            },
        }
    }

    fn step(&mut self, town: &Word, batch: BatchId) -> Step {
        match self.dice.roll(26) {
            0..=5 => self.row(town),
            6 | 7 => self.append(town, batch),
            8 => Step::PutVault {
                stream: self.stream(town),
                part: u32::try_from(self.dice.roll(4)).unwrap(),
                bytes: self.dice.bytes(),
            },
            9 => {
                Step::DropVault { stream: self.stream(town), part: u32::try_from(self.dice.roll(4)).unwrap() }
            }
            10 => Step::PutMeasure { stream: self.stream(town), bytes: self.dice.bytes() },
            11 | 12 => {
                let values = (0..self.dice.roll(4))
                    .map(|_| match self.dice.roll(3) {
                        0 => IndexValue::Text(self.dice.of(TEXTS).to_owned()),
                        1 => IndexValue::Number(i64::try_from(self.dice.roll(4)).unwrap() - 1),
                        _ => IndexValue::Token([u8::try_from(self.dice.roll(3)).unwrap(); 16]),
                    })
                    .collect();
                Step::PutIndex { stream: self.stream(town), field: self.dice.word(FIELDS), values }
            }
            13 | 14 => Step::PutLink(Link {
                key: self.link_key(),
                stream: self.stream(town),
                unique: self.dice.once_in(3),
            }),
            15 => Step::DropLink { key: self.link_key(), stream: self.stream(town) },
            16 => Step::DropLinks {
                stream: self.stream(town),
                prefix: self.dice.of(&["", "c", "contact.", "contact.a", "contact.aa", "%"]).to_owned(),
            },
            17 | 18 => {
                let order = self.dice.roll(4);
                Step::Schedule(Task {
                    id: TaskId::from_uuid(self.dice.id(30)),
                    queue: self.dice.of(&["q", "r", "s", ""]).to_owned(),
                    order,
                    kind: self.dice.word(WORDS),
                    stream: self.stream(town),
                    due: self.dice.moment(),
                    attempts: 0,
                    lease: 0,
                    leased_until: Moment::EPOCH,
                    dead: self.dice.once_in(10),
                    code: self.dice.once_in(4).then(|| word("failed")),
                    body: self.dice.bytes(),
                })
            }
            19 => Step::Finish(self.task_ref()),
            20 => Step::Release {
                task: self.task_ref(),
                due: self.dice.moment(),
                dead: self.dice.once_in(4),
                code: self.dice.once_in(2).then(|| word("failed")),
                attempts: self.dice.once_in(3).then_some(0),
            },
            21 if self.dice.once_in(2) => {
                Step::Cancel { stream: self.stream(town), kinds: vec![self.dice.word(WORDS), word("a")] }
            }
            21 => Step::LogAccess(Access {
                stream: self.stream(town),
                at: self.dice.moment(),
                body: self.dice.bytes(),
            }),
            22 => {
                let document = self.document(town, false);
                let expect = match document.version.saturating_sub(1) {
                    0 => Expect::Absent,
                    before => Expect::Version(before),
                };
                Step::PutDocument { document, expect }
            }
            23 => Step::RaiseDocument(self.document(town, true)),
            24 => {
                let (kind, name) = (self.dice.word(WORDS), self.dice.word(WORDS));
                let mut version = self.newest(town, &kind, &name);
                if self.dice.once_in(6) {
                    version += 1;
                }
                if self.dice.once_in(3) {
                    Step::DropDocument { kind, name, version }
                } else {
                    Step::Current { kind, name, version }
                }
            }
            _ => Step::PutReceipt(ReceiptRow {
                token: [u8::try_from(self.dice.roll(6)).unwrap(); 16],
                mac: [3; 32],
                key: KeyId::from_uuid(self.dice.id(4)),
                stream: self.stream(town),
                version: self.dice.roll(9),
                expires: self.now.plus_millis(i64::try_from(self.dice.roll(20)).unwrap()),
            }),
        }
    }

    fn link_key(&mut self) -> LinkKey {
        LinkKey { kind: self.dice.word(LINKS), key: vec![u8::try_from(self.dice.roll(4)).unwrap(); 4] }
    }

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
            *self.covered.entry((name(step), outcome)).or_default() += 1;
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

    fn condition(&mut self, depth: u32) -> Condition {
        let scalar = |dice: &mut Dice| match dice.roll(4) {
            0 => Scalar::Integer(i64::try_from(dice.roll(4)).unwrap()),
            1 => Scalar::Boolean(dice.once_in(2)),
            _ => Scalar::Text(dice.of(TEXTS).to_owned()),
        };
        let var = |dice: &mut Dice| {
            if dice.once_in(3) {
                Var::Field(dice.word(FIELDS))
            } else {
                let facts =
                    [Fact::Service, Fact::State, Fact::Agent, Fact::Opened, Fact::Closed, Fact::Reopened];
                Var::Fact(facts[usize::try_from(dice.roll(6)).unwrap()])
            }
        };
        let comparisons = [
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::AtMost,
            Comparison::More,
            Comparison::AtLeast,
        ];
        let dice = &mut self.dice;
        match dice.roll(if depth == 0 { 5 } else { 9 }) {
            0 => Condition::Constant(dice.once_in(2)),
            1 => {
                let comparison = comparisons[usize::try_from(dice.roll(6)).unwrap()];
                Condition::Compare(var(dice), comparison, scalar(dice))
            }
            2 => Condition::OneOf(var(dice), (0..dice.roll(4)).map(|_| scalar(dice)).collect()),
            3 => Condition::Present(var(dice)),
            4 => Condition::Contains(var(dice), dice.of(TEXTS).to_owned()),
            5 => Condition::Not(Box::new(self.condition(depth - 1))),
            6 => Condition::Any((0..self.dice.roll(3)).map(|_| self.condition(depth - 1)).collect()),
            _ => Condition::All((0..self.dice.roll(4)).map(|_| self.condition(depth - 1)).collect()),
        }
    }

    /// A condition as lists have them: what an index leads, and the rest.
    fn filter(&mut self) -> Condition {
        let mut parts = Vec::new();
        for fact in [Fact::Service, Fact::State, Fact::Agent] {
            if self.dice.once_in(2) {
                let words: Vec<Word> = (0..=self.dice.roll(2)).map(|_| self.dice.word(WORDS)).collect();
                parts.push(Condition::among(fact, &words));
            }
        }
        if self.dice.once_in(2) {
            parts.push(Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Closed)))));
        }
        if self.dice.once_in(2) {
            parts.push(self.condition(2));
        }
        if self.dice.once_in(5) { self.condition(3) } else { Condition::All(parts) }
    }

    fn query(&mut self) {
        let mut query = Query::new(self.town(), self.dice.word(KINDS));
        query.filter = self.filter();
        if self.dice.once_in(4) {
            let mut key = self.link_key();
            if self.dice.once_in(3) {
                key.key.clear();
            }
            query.linked = Some(key);
        }
        query.order = if self.dice.once_in(2) { Order::NewestFirst } else { Order::OldestFirst };
        query.limit = u32::try_from(self.dice.roll(6)).unwrap();
        query.scan =
            u32::try_from(if self.dice.once_in(3) { 1 + self.dice.roll(5) } else { 10_000 }).unwrap();
        query.parts = (0..self.dice.roll(3)).map(|n| u32::try_from(n).unwrap()).collect();
        let what = format!("{query:?}");
        if let Some(rows) = same(all_pages(&self.memory, &query), all_pages(&*self.sqlite, &query), &what) {
            *self.covered.entry(("query", if rows.is_empty() { "empty" } else { "rows" })).or_default() += 1;
        }
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

fn all_pages(store: &dyn Store, query: &Query) -> Result<Vec<StreamRecord>, StorageError> {
    let mut query = query.clone();
    let mut out = Vec::new();
    loop {
        let Page { rows, next } = block_on(store.query(&query))?;
        assert!(rows.len() <= query.limit as usize);
        assert!(query.scan >= query.limit || rows.len() <= query.scan as usize);
        out.extend(rows);
        match next {
            Some(next) => query.after = Some(next),
            None => return Ok(out),
        }
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
