//! Chance that follows from a seed, and the few words that are used, so that things meet.

use grc_core::{Moment, Word};
use uuid::Uuid;

/// Small numbers that follow from a seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % below
    }

    pub(crate) fn once_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    pub(crate) fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.roll(words.len() as u64)).unwrap()]
    }

    pub(crate) fn word(&mut self, words: &[&str]) -> Word {
        word(self.of(words))
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let length = if self.once_in(20) { self.roll(20_000) } else { self.roll(40) };
        (0..length).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }

    pub(crate) fn id(&mut self, below: u64) -> Uuid {
        Uuid::from_u128(u128::from(self.roll(below)) << 64)
    }

    pub(crate) fn moment(&mut self) -> Moment {
        Moment::from_micros(i64::try_from(self.roll(60)).unwrap() - 5)
    }
}

pub(crate) fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

pub(crate) const TOWNS: &[&str] = &["brest", "rennes"];
pub(crate) const KINDS: &[&str] = &["authority", "request"];
pub(crate) const FIELDS: &[&str] = &["area", "colour"];
pub(crate) const LINKS: &[&str] = &["contact.a", "contact.b", "tracking"];
pub(crate) const WORDS: &[&str] = &["a", "b", "c"];
pub(crate) const TEXTS: &[&str] = &["a", "b", "Rue Haute", "rue haute", ""];
