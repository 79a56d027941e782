//! Identifiers.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

/// An identifier in stored bytes: an authority, a type, a role, a channel, a state…
///
/// 1 to 64 bytes out of `a-z 0-9 - _ .`, the first a letter or a digit. Words are open: the library knows some
/// (the phases, the actions), and definitions bring their own.
///
/// ```
/// use grc_core::Word;
/// let word: Word = "water-leak".parse()?;
/// assert_eq!(word, "water-leak");
/// assert!("Water leak".parse::<Word>().is_err());
/// assert_eq!(Word::slug("Fuite d’eau — 12 %"), "fuite-d-eau-12");
/// # Ok::<(), grc_core::WordError>(())
/// ```
#[derive(Clone)]
pub struct Word(Text);

/// The library's own words are everywhere, and take no allocation.
#[derive(Clone)]
enum Text {
    Own(&'static str),
    Given(Arc<str>),
}

/// What is wrong with a text that was to be a [`Word`]. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: use 1 to 64 of `a-z 0-9 - _ .`, beginning with a letter or a digit")]
pub struct WordError;

impl Word {
    /// The longest word, in bytes.
    pub const MAX: usize = 64;

    /// A word of the library's own, known to be well formed (tested in this module's users).
    pub(crate) fn of(text: &'static str) -> Self {
        debug_assert!(Self::check(text), "`{text}` is not a word");
        Self(Text::Own(text))
    }

    fn given(text: &str) -> Self {
        Self(Text::Given(text.into()))
    }

    /// Parses a word.
    ///
    /// # Errors
    /// [`WordError`] if the text is not one.
    pub fn new(text: &str) -> Result<Self, WordError> {
        if Self::check(text) { Ok(Self::given(text)) } else { Err(WordError) }
    }

    /// Makes a word out of any text: folded to lower case without accents, everything else a hyphen.
    /// A text with nothing to keep gives `x`. Two texts may give the same word.
    pub fn slug(text: &str) -> Self {
        let mut out = String::new();
        for c in crate::fold::folded(text).chars() {
            if out.len() >= Self::MAX {
                break;
            }
            if c.is_ascii_alphanumeric() {
                out.push(c);
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
        }
        while out.ends_with('-') {
            out.pop();
        }
        if out.is_empty() { Self(Text::Own("x")) } else { Self::given(&out) }
    }

    /// `role.detail`, as the parts of a person are named.
    pub(crate) fn slug_path(role: &Self, detail: &Self) -> Self {
        Self::new(&format!("{role}.{detail}")).unwrap_or_else(|_| role.clone())
    }

    fn check(text: &str) -> bool {
        let bytes = text.as_bytes();
        bytes.len() <= Self::MAX
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
    }

    /// The word as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Own(text) => text,
            Text::Given(text) => text,
        }
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Word {}

impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.as_str())
    }
}

impl FromStr for Word {
    type Err = WordError;
    fn from_str(text: &str) -> Result<Self, WordError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Word {
    type Error = WordError;
    fn try_from(text: &str) -> Result<Self, WordError> {
        Self::new(text)
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Read)
    }
}

/// Takes a word from the text where it stands.
struct Read;

impl de::Visitor<'_> for Read {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Word, E> {
        Word::new(text).map_err(E::custom)
    }
}
