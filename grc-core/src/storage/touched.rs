//! What a batch touched: the steps it comes from, and its bytes in a row of the feed, the same in every store.
//!
//! ```text
//! u8(1) ‖ varint(number of streams) ‖ (varint(length) ‖ kind ‖ id (16))* ‖ entry*
//! entry = u8(tag) ‖ what the tag says; a stream is the varint of its place in the list
//! ```

use super::{Batch, LinkKey, Step, StreamKey, Touched};
use crate::{TaskId, Word};
use std::collections::BTreeSet;
use uuid::Uuid;

const VERSION: u8 = 1;

impl Step {
    /// What the step touches if it writes something. Only a [`Self::RaiseDocument`] that finds its version there writes
    /// nothing, and is left out; what is made or dropped or scheduled again is named, whether it changed a byte or not.
    /// Measure and index rows are named with their stream, whose version only the store knows: see [`Touched::Stream`].
    pub fn touched(&self) -> Vec<Touched> {
        vec![match self {
            Self::PutStream { row, .. } => Touched::Stream(row.key.clone(), row.version),
            Self::Append { stream, after, events } => {
                Touched::Events(stream.clone(), after.saturating_add(events.len() as u64))
            }
            Self::PutVault { stream, part, .. } => Touched::Vault(stream.clone(), *part),
            Self::DropVault { stream, parts } => {
                return parts.iter().map(|part| Touched::Vault(stream.clone(), *part)).collect();
            }
            Self::PutLink(link) => Touched::Link(link.key.clone()),
            Self::DropLink { key, .. } => Touched::Link(key.clone()),
            Self::DropLinks { stream, prefix } => Touched::Links(stream.clone(), prefix.clone()),
            Self::Schedule(task) => Touched::Task(task.queue.clone(), task.id),
            Self::Finish(task) | Self::Release { task, .. } => Touched::Task(task.queue.clone(), task.id),
            Self::Cancel { stream, .. } => Touched::Tasks(stream.clone()),
            Self::PutDocument { document, .. } | Self::RaiseDocument(document) => {
                Touched::Document(document.kind.clone(), document.name.clone(), document.version)
            }
            Self::DropDocument { kind, name, .. } => Touched::Document(kind.clone(), name.clone(), 0),
            Self::PutReceipt(receipt) => Touched::Receipt(receipt.token),
            Self::LogAccess(access) => Touched::Access(access.stream.clone()),
            Self::PutMeasure { .. } | Self::PutIndex { .. } | Self::Current { .. } | Self::Unknown => {
                return Vec::new();
            }
        }]
    }
}

impl Batch {
    /// The streams whose measure or index rows it writes without their own, given what else it touched: the feed names
    /// them as the stream, at the version that it has.
    pub fn beside(&self, touched: &[Touched]) -> BTreeSet<&StreamKey> {
        let named =
            |key: &StreamKey| touched.iter().any(|one| matches!(one, Touched::Stream(k, _) if k == key));
        let written = self.steps().iter().filter_map(|step| match step {
            Step::PutMeasure { stream, .. } | Step::PutIndex { stream, .. } => Some(stream),
            _ => None,
        });
        written.filter(|key| !named(key)).collect()
    }
}

/// The bytes of a row of the feed. The authority is the batch's own, and is left out.
pub fn encode(touched: &[Touched]) -> Vec<u8> {
    let mut streams: Vec<&StreamKey> = Vec::new();
    let mut entries = Vec::new();
    for one in touched {
        entry(one, &mut streams, &mut entries);
    }
    let mut out = vec![VERSION];
    varint(&mut out, streams.len() as u64);
    for stream in streams {
        text(&mut out, stream.kind.as_str().as_bytes());
        out.extend_from_slice(stream.id.as_bytes());
    }
    out.append(&mut entries);
    out
}

fn entry<'a>(one: &'a Touched, streams: &mut Vec<&'a StreamKey>, out: &mut Vec<u8>) {
    let mut stream = |out: &mut Vec<u8>, tag: u8, key: &'a StreamKey| {
        let place = streams.iter().position(|known| *known == key).unwrap_or_else(|| {
            streams.push(key);
            streams.len() - 1
        });
        out.push(tag);
        varint(out, place as u64);
    };
    match one {
        Touched::Stream(key, version) => {
            stream(out, 1, key);
            varint(out, *version);
        }
        Touched::Events(key, last) => {
            stream(out, 2, key);
            varint(out, *last);
        }
        Touched::Vault(key, part) => {
            stream(out, 3, key);
            varint(out, u64::from(*part));
        }
        Touched::Link(link) => {
            out.push(4);
            text(out, link.kind.as_str().as_bytes());
            text(out, &link.key);
        }
        Touched::Links(key, prefix) => {
            stream(out, 5, key);
            text(out, prefix.as_bytes());
        }
        Touched::Task(queue, id) => {
            out.push(6);
            text(out, queue.as_bytes());
            out.extend_from_slice(id.as_bytes());
        }
        Touched::Tasks(key) => stream(out, 7, key),
        Touched::Document(kind, name, version) => {
            out.push(8);
            text(out, kind.as_str().as_bytes());
            text(out, name.as_str().as_bytes());
            varint(out, *version);
        }
        Touched::Receipt(token) => {
            out.push(9);
            out.extend_from_slice(token);
        }
        Touched::Access(key) => stream(out, 10, key),
    }
}

/// Reads the bytes of a row of the feed; none if they are damaged, or of a newer version.
pub fn decode(authority: &Word, bytes: &[u8]) -> Option<Vec<Touched>> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let mut streams = Vec::new();
    for _ in 0..reader.varint()? {
        streams.push(StreamKey::new(authority.clone(), reader.word()?, Uuid::from_bytes(reader.array()?)));
    }
    let mut out = Vec::new();
    while !reader.0.is_empty() {
        out.push(reader.entry(&streams)?);
    }
    Some(out)
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn entry(&mut self, streams: &[StreamKey]) -> Option<Touched> {
        Some(match self.byte()? {
            1 => Touched::Stream(self.stream(streams)?, self.varint()?),
            2 => Touched::Events(self.stream(streams)?, self.varint()?),
            3 => Touched::Vault(self.stream(streams)?, u32::try_from(self.varint()?).ok()?),
            4 => Touched::Link(LinkKey { kind: self.word()?, key: self.bytes()?.to_vec() }),
            5 => Touched::Links(self.stream(streams)?, self.text()?.to_owned()),
            6 => Touched::Task(self.text()?.to_owned(), TaskId::from_uuid(Uuid::from_bytes(self.array()?))),
            7 => Touched::Tasks(self.stream(streams)?),
            8 => Touched::Document(self.word()?, self.word()?, self.varint()?),
            9 => Touched::Receipt(self.array()?),
            10 => Touched::Access(self.stream(streams)?),
            _ => return None,
        })
    }

    fn stream(&mut self, streams: &[StreamKey]) -> Option<StreamKey> {
        streams.get(usize::try_from(self.varint()?).ok()?).cloned()
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut out = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            out |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(out);
            }
        }
        None
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn word(&mut self) -> Option<Word> {
        Word::new(self.text()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_back_and_no_damage_panics() {
        let word = |text: &str| Word::new(text).unwrap();
        let town = word("town");
        let key = |n| StreamKey::new(town.clone(), word("request"), Uuid::from_u128(n));
        let all = vec![
            Touched::Stream(key(1), 7),
            Touched::Events(key(1), u64::MAX),
            Touched::Vault(key(2), u32::MAX),
            Touched::Link(LinkKey { kind: word("tracking"), key: vec![0; 200] }),
            Touched::Links(key(2), "contact.é".to_owned()),
            Touched::Task("q".repeat(200), TaskId::from_uuid(Uuid::from_u128(3))),
            Touched::Tasks(key(1)),
            Touched::Document(word("organisation"), word("main"), 300),
            Touched::Receipt([9; 16]),
            Touched::Access(key(3)),
        ];
        let bytes = encode(&all);
        assert_eq!(decode(&town, &bytes).as_ref(), Some(&all));
        for n in 0..bytes.len() {
            let _ = decode(&town, &bytes[..n]);
            for flip in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[n] ^= flip;
                let _ = decode(&town, &damaged);
            }
        }
    }
}
