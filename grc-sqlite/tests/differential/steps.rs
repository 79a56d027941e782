//! Random steps, most of which fit what is there.

use crate::{World, dice::*};
use grc_core::{
    BatchId, KeyId, Moment, TaskId, Word,
    storage::{
        Access, Document, DocumentRange, EventRange, Expect, Fact, FactKind, FactValue, Facts, IndexValue,
        Link, LinkKey, Load, Log, Parts, ReceiptRow, Step, Store, StoredEvent, StreamKey, StreamRecord,
        StreamRow, Task, TaskRef,
    },
};
use pollster::block_on;

pub(crate) fn name(step: &Step) -> &'static str {
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

impl World {
    pub(crate) fn town(&mut self) -> Word {
        self.dice.word(TOWNS)
    }

    pub(crate) fn stream(&mut self, town: &Word) -> StreamKey {
        // Now and then of the other authority, which must be refused.
        let town = if self.dice.once_in(60) { self.town() } else { town.clone() };
        StreamKey::new(town, self.dice.word(KINDS), self.dice.id(12))
    }

    pub(crate) fn record(&self, key: &StreamKey) -> Option<StreamRecord> {
        let load = Load {
            authority: key.authority.clone(),
            streams: vec![key.clone()],
            parts: Parts::All,
            receipt: None,
        };
        block_on(self.memory.load(&load)).unwrap().streams.pop().unwrap()
    }

    pub(crate) fn facts(&mut self) -> Facts {
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

    pub(crate) fn row(&mut self, town: &Word) -> Step {
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

    pub(crate) fn append(&mut self, town: &Word, batch: BatchId) -> Step {
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

    pub(crate) fn document(&mut self, town: &Word, raise: bool) -> Document {
        let (kind, name) = (self.dice.word(WORDS), self.dice.word(WORDS));
        let newest = self.newest(town, &kind, &name);
        let step = if raise { self.dice.roll(3) } else { u64::from(!self.dice.once_in(15)) };
        Document { kind, name, version: newest + step, body: self.dice.bytes() }
    }

    pub(crate) fn newest(&self, town: &Word, kind: &Word, name: &Word) -> u64 {
        let range = DocumentRange::newest(town.clone(), kind.clone(), name.clone());
        block_on(self.memory.documents(&range)).unwrap().last().map_or(0, |document| document.version)
    }

    pub(crate) fn task_ref(&mut self) -> TaskRef {
        match self.held.pop() {
            Some(held) if !self.dice.once_in(8) => held,
            _ => TaskRef {
                queue: "q".to_owned(),
                id: TaskId::from_uuid(self.dice.id(30)),
                lease: self.dice.roll(3),
            },
        }
    }

    pub(crate) fn step(&mut self, town: &Word, batch: BatchId) -> Step {
        match self.dice.roll(26) {
            0..=5 => self.row(town),
            6 | 7 => self.append(town, batch),
            8 => Step::PutVault {
                stream: self.stream(town),
                part: u32::try_from(self.dice.roll(4)).unwrap(),
                bytes: self.dice.bytes(),
            },
            9 => Step::DropVault {
                stream: self.stream(town),
                parts: (0..self.dice.roll(3)).map(|part| u32::try_from(part).unwrap()).collect(),
            },
            10 => Step::PutMeasure { stream: self.stream(town), bytes: self.dice.bytes() },
            11 | 12 => {
                let values = (0..self.dice.roll(4))
                    .map(|_| match self.dice.roll(3) {
                        0 => IndexValue::Text(self.dice.of(TEXTS).to_owned()),
                        1 => IndexValue::Number(i64::try_from(self.dice.roll(4)).unwrap() - 1),
                        _ => IndexValue::Text("un autre".to_owned()),
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

    pub(crate) fn link_key(&mut self) -> LinkKey {
        LinkKey { kind: self.dice.word(LINKS), key: vec![u8::try_from(self.dice.roll(4)).unwrap(); 4] }
    }
}
