//! A batch that can be told, and known again by what it left.

use grc_core::{
    BatchId, Moment, Word,
    storage::{
        Batch, Expect, Fact, FactValue, Facts, IndexValue, Link, LinkKey, Step, StoredEvent, StreamKey,
        StreamRow,
    },
};
use std::{fmt, str::FromStr};
use uuid::Uuid;

pub(crate) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

/// Whose everything is.
pub(crate) fn town() -> Word {
    word("rennes")
}

/// A stream, by its number.
pub(crate) fn stream(n: u128) -> StreamKey {
    StreamKey::new(town(), word("request"), Uuid::from_u128(n))
}

/// A batch: each of its streams gets a version more. In every row that it writes is its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) id: u128,
    /// The streams, each with its version before.
    pub(crate) streams: Vec<(u128, u64)>,
    /// A stream that gets an index row only.
    pub(crate) beside: Option<u128>,
}

impl Plan {
    pub(crate) fn batch(&self) -> Batch {
        let mut batch = Batch::new(BatchId::from_uuid(Uuid::from_u128(self.id)), town(), Moment::EPOCH);
        let id = self.id.to_be_bytes().to_vec();
        for (n, before) in &self.streams {
            let key = stream(*n);
            let event = StoredEvent {
                sequence: before + 1,
                batch: batch.id(),
                head: [1; 32],
                body: self.id.to_string().into_bytes(),
            };
            let expect = if *before == 0 { Expect::Absent } else { Expect::Version(*before) };
            batch.push(Step::PutStream { row: row(*n, before + 1, &id), expect });
            batch.push(Step::Append { stream: key.clone(), after: *before, events: vec![event] });
            batch.push(Step::PutVault { stream: key.clone(), part: 0, bytes: id.clone() });
            batch.push(Step::PutMeasure { stream: key.clone(), bytes: id.clone() });
            let link = LinkKey { kind: word("tracking"), key: [&id[..], &n.to_be_bytes()].concat() };
            batch.push(Step::PutLink(Link { key: link, stream: key, unique: true }));
        }
        if let Some(n) = self.beside {
            let values = vec![IndexValue::Text(self.id.to_string())];
            batch.push(Step::PutIndex { stream: stream(n), field: word("last"), values });
        }
        batch
    }

    /// The versions that it makes.
    pub(crate) fn made(&self) -> impl Iterator<Item = (u128, u64)> {
        self.streams.iter().map(|(n, before)| (*n, before + 1))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.streams.iter().try_for_each(|(n, before)| write!(f, " {n}:{before}"))?;
        self.beside.map_or(Ok(()), |n| write!(f, " beside:{n}"))
    }
}

/// Reads one as it was shown.
impl FromStr for Plan {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(' ');
        let number = |text: &str| text.parse().map_err(|_| ());
        let id = parts.next().map_or(Err(()), number)?;
        let mut out = Self { id, streams: Vec::new(), beside: None };
        for part in parts {
            match part.split_once(':').ok_or(())? {
                ("beside", n) => out.beside = Some(number(n)?),
                (n, before) => out.streams.push((number(n)?, before.parse().map_err(|_| ())?)),
            }
        }
        Ok(out)
    }
}

fn row(n: u128, version: u64, body: &[u8]) -> StreamRow {
    let mut facts = Facts::new();
    facts.set(Fact::State, Some(FactValue::Word(word("new"))));
    StreamRow { key: stream(n), birth: town(), version, fold: 1, head: [0; 32], facts, body: body.to_vec() }
}
