//! Measure rows: facts and spans, narrow, for figures (docs/formats.md §8).

use super::{Request, Span};
use crate::{
    Moment, Word,
    storage::{Fact, FactValue, Facts},
};
use std::collections::{BTreeMap, HashMap};

/// Bytes that are no measure row of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a measure row cannot be read: {0}")]
pub struct MeasureError(&'static str);

/// What figures are made of: the facts and the spans of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measure {
    /// Its facts.
    pub facts: Facts,
    /// Its spans.
    pub spans: Vec<Span>,
}

impl Measure {
    /// The measure of a request; the position of a public place is given besides.
    pub fn of(request: &Request, point: Option<(i32, i32)>) -> Self {
        Self { facts: request.facts(point), spans: request.spans.clone() }
    }

    /// Writes the row.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![1];
        for (fact, value) in self.facts.iter() {
            out.push(fact as u8 + 1);
            match value {
                FactValue::Word(word) => text(word.as_str(), &mut out),
                FactValue::Integer(number) => signed(*number, &mut out),
            }
        }
        out.push(0);
        unsigned(self.spans.len() as u64, &mut out);
        for span in &self.spans {
            text(span.kind.as_str(), &mut out);
            out.push(u8::try_from(span.dimensions.len()).unwrap_or(u8::MAX));
            for (name, value) in &span.dimensions {
                text(name.as_str(), &mut out);
                text(value.as_str(), &mut out);
            }
            signed(span.from.micros(), &mut out);
            match span.until {
                None => out.push(0),
                Some(until) => {
                    out.push(1);
                    // The same both ways, however far apart they are.
                    signed(until.micros().wrapping_sub(span.from.micros()), &mut out);
                }
            }
            unsigned(span.minutes.into(), &mut out);
            signed(span.cents, &mut out);
        }
        out
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`MeasureError`] if these are not the bytes of a row of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MeasureError> {
        Self::read(bytes, &mut Words::default())
    }

    /// Reads a row, one of many that have mostly the same words.
    pub(crate) fn read(bytes: &[u8], words: &mut Words) -> Result<Self, MeasureError> {
        let mut reader = Reader { bytes, words };
        if reader.byte()? != 1 {
            return Err(MeasureError("unknown version"));
        }
        let mut facts = Facts::new();
        loop {
            let number = reader.byte()?;
            let Some(number) = number.checked_sub(1) else { break };
            let fact = Fact::from_number(number).ok_or(MeasureError("a fact of a newer version"))?;
            let value = match fact.kind() {
                crate::storage::FactKind::Word => FactValue::Word(reader.word()?),
                _ => FactValue::Integer(reader.signed()?),
            };
            facts.set(fact, Some(value));
        }
        let mut spans = Vec::new();
        for _ in 0..reader.unsigned()? {
            let kind = reader.word()?;
            let mut dimensions = BTreeMap::new();
            for _ in 0..reader.byte()? {
                dimensions.insert(reader.word()?, reader.word()?);
            }
            let from = reader.signed()?;
            let until = match reader.byte()? {
                0 => None,
                _ => Some(Moment::from_micros(from.wrapping_add(reader.signed()?))),
            };
            let minutes = u32::try_from(reader.unsigned()?).map_err(|_| MeasureError("too many minutes"))?;
            let cents = reader.signed()?;
            spans.push(Span { kind, dimensions, from: Moment::from_micros(from), until, minutes, cents });
        }
        if reader.bytes.is_empty() { Ok(Self { facts, spans }) } else { Err(MeasureError("bytes left over")) }
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    // Words have at most 64 bytes.
    out.push(u8::try_from(text.len()).unwrap_or(0));
    out.extend_from_slice(text.as_bytes());
}

fn unsigned(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn signed(number: i64, out: &mut Vec<u8>) {
    unsigned(((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

/// The words that rows were made of so far: each is made once, and only so many are remembered.
#[derive(Debug, Default)]
pub(crate) struct Words(HashMap<Vec<u8>, Word>);

impl Words {
    const MOST: usize = 4_096;

    fn word(&mut self, bytes: &[u8]) -> Option<Word> {
        if let Some(word) = self.0.get(bytes) {
            return Some(word.clone());
        }
        let word = Word::new(std::str::from_utf8(bytes).ok()?).ok()?;
        if self.0.len() < Self::MOST {
            self.0.insert(bytes.to_vec(), word.clone());
        }
        Some(word)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    words: &'a mut Words,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, MeasureError> {
        let (byte, rest) = self.bytes.split_first().ok_or(MeasureError("cut short"))?;
        self.bytes = rest;
        Ok(*byte)
    }

    fn word(&mut self) -> Result<Word, MeasureError> {
        let length = self.byte()?;
        let (bytes, rest) = self.bytes.split_at_checked(length.into()).ok_or(MeasureError("cut short"))?;
        self.bytes = rest;
        self.words.word(bytes).ok_or(MeasureError("not a word"))
    }

    fn unsigned(&mut self) -> Result<u64, MeasureError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(MeasureError("a number is too long"))
    }

    fn signed(&mut self) -> Result<i64, MeasureError> {
        let number = self.unsigned()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_and_damage_is_an_error() {
        let mut facts = Facts::new();
        facts.set_word(Fact::Type, Some(&Word::of("fuite")));
        facts.set_integer(Fact::Opened, Some(-5));
        facts.set_integer(Fact::Lon, Some(i64::MAX));
        let mut span = Span::new("work", Moment::from_micros(7), &[("team", Some(&Word::of("t-1")))]).point();
        span.minutes = 90;
        span.cents = -12_345;
        let open = Span::new("state", Moment::from_micros(i64::MIN), &[]);
        let mut back = Span::new("desk", Moment::from_micros(50), &[]);
        back.until = Some(Moment::from_micros(20));
        let mut ever = Span::new("state", Moment::from_micros(i64::MIN), &[]);
        ever.until = Some(Moment::from_micros(i64::MAX));
        let measure = Measure { facts, spans: vec![span, open, back, ever] };
        let bytes = measure.to_bytes();
        assert_eq!(Measure::from_bytes(&bytes), Ok(measure));
        for cut in 0..bytes.len() {
            assert!(Measure::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
