//! What fields hold.

use crate::{Word, canonical::CanonicalError, vault::FileInfo};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The value of a field, in clear and free to be serialised: a value of the library's own, of a field that is
/// declared indexed and not personal, or one that the actor may read. What a person typed is a [`Typed`] until then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number; an amount is kept as its cents.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(NaiveDate),
    /// One of the field's options.
    Choice(Word),
    /// Several of the field's options, in the order given.
    Choices(Vec<Word>),
    /// A position: latitude and longitude in micro-degrees (WGS 84).
    Point(i32, i32),
    /// An attachment: its name, what it is, and the key of its bytes.
    File(Box<FileInfo>),
    /// An amount, in cents: how a field of that kind is given and shown. It is kept as an [`Self::Integer`].
    Amount(i64),
}

impl Value {
    /// The plain bytes that are sealed: canonical JSON (docs/formats.md §5).
    pub(crate) fn to_plain(&self) -> Result<Zeroizing<Vec<u8>>, CanonicalError> {
        crate::canonical::to_bytes(self).map(Zeroizing::new)
    }

    pub(crate) fn from_plain(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn wipe(&mut self) {
        match self {
            Self::Text(text) => text.zeroize(),
            Self::Integer(number) | Self::Amount(number) => number.zeroize(),
            Self::Point(lat, lon) => {
                lat.zeroize();
                lon.zeroize();
            }
            Self::File(file) => {
                file.name.zeroize();
                file.key.zeroize();
            }
            Self::Boolean(_) | Self::Date(_) | Self::Choice(_) | Self::Choices(_) => {}
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(yes) => yes.fmt(f),
            Self::Date(day) => day.fmt(f),
            Self::Choice(word) => word.fmt(f),
            Self::Choices(words) => {
                for (n, word) in words.iter().enumerate() {
                    if n > 0 {
                        f.write_str(", ")?;
                    }
                    word.fmt(f)?;
                }
                Ok(())
            }
            Self::File(file) => f.write_str(&file.name),
            Self::Point(lat, lon) => write!(f, "{}, {}", Micro(*lat), Micro(*lon)),
            Self::Amount(cents) => {
                let (sign, size) = (if *cents < 0 { "-" } else { "" }, cents.unsigned_abs());
                write!(f, "{sign}{}.{:02}", size / 100, size % 100)
            }
        }
    }
}

/// Micro-degrees as degrees, without a floating-point number.
struct Micro(i32);

impl fmt::Display for Micro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Boolean(yes)
    }
}

impl From<NaiveDate> for Value {
    fn from(day: NaiveDate) -> Self {
        Self::Date(day)
    }
}

/// A value that a person typed. It has no `Serialize`, and its `Debug` shows nothing: the only way out of it into
/// bytes is the vault, which seals it.
///
/// ```compile_fail
/// fn leaks(value: &grc_core::Typed) -> String {
///     serde_json::to_string(value).unwrap() // `Typed` cannot be serialised
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Typed(Value);

impl Typed {
    /// Takes a typed value.
    pub fn new(value: impl Into<Value>) -> Self {
        Self(value.into())
    }

    /// The value, for whoever has the right to look.
    pub const fn expose(&self) -> &Value {
        &self.0
    }

    /// The value as text, if it is text.
    pub fn expose_text(&self) -> Option<&str> {
        match &self.0 {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}

impl<T: Into<Value>> From<T> for Typed {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}
