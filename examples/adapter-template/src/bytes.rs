//! Bytes that sort as what they mean, and are read back: of keys and of values alike.
//!
//! An ordered engine compares keys byte by byte, so each part of a key must sort as the thing itself does, and no part
//! may run into the next one:
//!
//! | part | bytes | why |
//! |---|---|---|
//! | word | its text, then a zero | no word contains a zero, so `rennes` is no prefix of `rennes-2`, and words sort as texts |
//! | number | 8 bytes, the highest first | sorts as the number |
//! | signed number | the same, with the sign bit turned | −1 sorts before 0, the least integer before all |
//! | id, token, hash | as it is | it has always the same length |
//! | bytes of any length | 4 bytes of length, then the bytes | ends where it should; sorts by length first, which no list asks for |

use grc_core::Word;
use std::ops::Deref;
use uuid::Uuid;

const SIGN: u64 = 1 << 63;

/// Bytes under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bytes(Vec<u8>);

impl Bytes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Bytes whose length is known to the reader, or that go on to the end.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn byte(self, byte: u8) -> Self {
        self.raw(&[byte])
    }

    pub(crate) fn word(self, word: &Word) -> Self {
        self.raw(word.as_str().as_bytes()).byte(0)
    }

    pub(crate) fn uuid(self, id: Uuid) -> Self {
        self.raw(id.as_bytes())
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn small(self, number: u32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn signed(self, number: i64) -> Self {
        self.number(number.cast_unsigned() ^ SIGN)
    }

    pub(crate) fn sized(self, bytes: &[u8]) -> Self {
        // The contract's limits are far below: what is longer was never stored, and is not found.
        self.small(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).raw(bytes)
    }

    /// Where the keys that begin so end: the least bytes that are greater than all of them.
    pub(crate) fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                break;
            }
        }
        end
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Reads what [`Bytes`] wrote. Each part is none if it is not there: then the row is damaged.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What follows a prefix of a key.
    pub(crate) fn after(prefix: &[u8], key: &'a [u8]) -> Self {
        Self(key.strip_prefix(prefix).unwrap_or_default())
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn word(&mut self) -> Option<Word> {
        let length = self.0.iter().position(|byte| *byte == 0)?;
        let word = std::str::from_utf8(self.take(length)?).ok()?;
        self.take(1)?;
        Word::new(word).ok()
    }

    pub(crate) fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn small(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        self.number().map(|number| (number ^ SIGN).cast_signed())
    }

    pub(crate) fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.small()?;
        self.take(usize::try_from(length).ok()?)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.sized()?).ok().map(str::to_owned)
    }

    /// What is left.
    pub(crate) fn rest(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sort_as_what_they_mean() {
        let signed: Vec<Bytes> =
            [i64::MIN, -1, 0, 1, i64::MAX].map(|number| Bytes::new().signed(number)).into();
        let words: Vec<Bytes> =
            ["a", "a-b", "ab", "b"].map(|text| Bytes::new().word(&text.parse().unwrap()).number(7)).into();
        for sorted in [signed, words] {
            assert!(sorted.windows(2).all(|two| *two[0] < *two[1]), "{sorted:?}");
        }
    }

    #[test]
    fn a_prefix_ends_after_all_that_begin_so() {
        let end = |bytes: &[u8]| Bytes::new().raw(bytes).end();
        assert_eq!(end(b"a\0"), b"a\x01");
        assert_eq!(end(b"a\xff\xff"), b"b");
    }

    #[test]
    fn what_is_cut_anywhere_is_damaged_and_does_not_panic() {
        let whole = Bytes::new().word(&"town".parse().unwrap()).signed(-5).sized("é".as_bytes()).byte(9);
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            Some((reader.word()?, reader.signed()?, reader.text()?, reader.byte()?))
        };
        assert_eq!(read(&whole), Some(("town".parse().unwrap(), -5, "é".to_owned(), 9)));
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
    }
}
