//! Reading: ranges, lists, pages.

use super::{Change, LinkKey, Log, StorageError, StorageErrorKind, StoreInfo, StreamKey, StreamRecord};
use crate::{Condition, Word, vault::Part};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, fmt, str::FromStr};
use uuid::Uuid;

/// The order of a list. Equal values go by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Order {
    /// By when they were opened, the oldest first.
    OldestFirst,
    /// By when they were opened, the newest first.
    #[default]
    NewestFirst,
    /// Sent by the conformance kit only: must be refused.
    #[doc(hidden)]
    Unknown,
}

/// A list of streams: those of a kind whose facts and declared fields meet a condition.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose.
    pub authority: Word,
    /// Of which kind.
    pub kind: Word,
    /// Which. A relation in it is refused: the engine resolves relations before.
    pub filter: Condition,
    /// Only what this link leads to; with an empty key, what any link of its kind leads to.
    pub linked: Option<LinkKey>,
    /// In which order.
    pub order: Order,
    /// From where.
    pub after: Option<Cursor>,
    /// At most so many (1 to [`StoreInfo::MAX_PAGE`]).
    pub limit: u32,
    /// Look at most at so many rows; past it the page is short and has a cursor. Whether a row that the link does not lead
    /// to was looked at is the store's own.
    pub scan: u32,
    /// With these parts of their vaults.
    pub parts: BTreeSet<Part>,
}

impl Query {
    /// All streams of a kind, newest first, at most 50 a page, without their vaults.
    pub const fn new(authority: Word, kind: Word) -> Self {
        Self {
            authority,
            kind,
            filter: Condition::Constant(true),
            linked: None,
            order: Order::NewestFirst,
            after: None,
            limit: 50,
            scan: 10_000,
            parts: BTreeSet::new(),
        }
    }

    /// What a cursor of this list is bound to: everything but where it begins and how much it takes.
    pub fn fingerprint(&self) -> [u8; 8] {
        let linked = self.linked.as_ref().map(|l| (l.kind.as_str(), l.key.as_slice()));
        let text = format!(
            "{}\0{}\0{}\0{:?}\0{linked:?}",
            self.authority,
            self.kind,
            self.filter.to_json(),
            self.order
        );
        let mut out = [0; 8];
        for (to, from) in out.iter_mut().zip(Sha256::digest(text)) {
            *to = from;
        }
        out
    }

    /// Where the page begins, checked to belong to this list.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] for a foreign or damaged cursor, an unknown order, or a limit of 0 or above
    /// [`StoreInfo::MAX_PAGE`].
    pub fn start(&self, store: &'static str) -> Result<Option<PageKey>, StorageError> {
        let refuse = |message: &'static str| StorageError::new(store, StorageErrorKind::Unsupported, message);
        if matches!(self.order, Order::Unknown) {
            return Err(refuse("this order is not known"));
        }
        if self.limit == 0 || self.limit > StoreInfo::MAX_PAGE || self.scan == 0 {
            return Err(refuse("a page has 1 to 1000 rows, out of at least one looked at"));
        }
        self.after
            .as_ref()
            .map(|cursor| self.key_of(cursor).ok_or_else(|| refuse("this cursor is not of this list")))
            .transpose()
    }

    fn key_of(&self, cursor: &Cursor) -> Option<PageKey> {
        let (fingerprint, rest) = cursor.0.split_first_chunk::<8>()?;
        let (value, id) = rest.split_first_chunk::<8>()?;
        (*fingerprint == self.fingerprint()).then_some(PageKey {
            value: i64::from_be_bytes(*value),
            id: Uuid::from_bytes(id.try_into().ok()?),
        })
    }

    /// The cursor after a row.
    pub fn cursor(&self, key: &PageKey) -> Cursor {
        let mut bytes = self.fingerprint().to_vec();
        bytes.extend_from_slice(&key.value.to_be_bytes());
        bytes.extend_from_slice(key.id.as_bytes());
        Cursor(bytes)
    }
}

/// A row's place in a list: the value it is ordered by, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    /// The ordering fact; the least integer where it is absent.
    pub value: i64,
    /// The stream's id.
    pub id: Uuid,
}

/// Where to go on reading. Opaque; as text it can be handed to a client and back.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub(crate) Vec<u8>);

impl Cursor {
    /// A cursor of a store's own making.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, for the store that made it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The cursor after a stream, for readings in the order of stream keys.
    pub fn after_stream(key: &StreamKey) -> Self {
        let mut bytes = key.id.as_bytes().to_vec();
        bytes.extend_from_slice(key.kind.as_str().as_bytes());
        Self(bytes)
    }

    /// The stream that [`Self::after_stream`] was made for.
    ///
    /// # Errors
    /// [`StorageErrorKind::Unsupported`] if it was not made so.
    pub fn stream(&self, store: &'static str, authority: &Word) -> Result<StreamKey, StorageError> {
        self.0
            .split_first_chunk::<16>()
            .and_then(|(id, kind)| {
                let kind = Word::new(std::str::from_utf8(kind).ok()?).ok()?;
                Some(StreamKey::new(authority.clone(), kind, Uuid::from_bytes(*id)))
            })
            .ok_or_else(|| StorageError::new(store, StorageErrorKind::Unsupported, "this cursor is not ours"))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

impl FromStr for Cursor {
    type Err = StorageError;
    fn from_str(text: &str) -> Result<Self, StorageError> {
        (text.len() <= 1_000).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten().map(Self).ok_or_else(
            || {
                StorageError::new(
                    "cursor",
                    StorageErrorKind::Unsupported,
                    "this text is not a cursor of ours",
                )
            },
        )
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<StreamRecord>,
    /// Where it goes on; none at the end. A page may be short and still go on.
    pub next: Option<Cursor>,
}

/// A stretch of a stream's history, or of its access log.
#[derive(Debug, Clone)]
pub struct EventRange {
    /// Which stream.
    pub stream: StreamKey,
    /// Which of its logs.
    pub log: Log,
    /// After this sequence.
    pub after: u64,
    /// At most so many (1 to [`StoreInfo::MAX_PAGE`]).
    pub limit: u32,
}

/// Narrow rows in bulk.
#[derive(Debug, Clone, Default)]
pub struct MeasurePage {
    /// Streams and their encoded rows.
    pub rows: Vec<(StreamKey, Vec<u8>)>,
    /// Where it goes on; none at the end.
    pub next: Option<Cursor>,
}

/// A stretch of the feed.
#[derive(Debug, Clone)]
pub struct ChangePage {
    /// What was written, in order.
    pub changes: Vec<Change>,
    /// Where to go on, now or later. There is always one.
    pub next: Cursor,
}

/// Which versions of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The newest of each.
    Newest,
    /// One version.
    Version(u64),
    /// All of them.
    All,
}

/// Documents of a kind.
#[derive(Debug, Clone)]
pub struct DocumentRange {
    /// Whose.
    pub authority: Word,
    /// Their kind.
    pub kind: Word,
    /// One name only.
    pub name: Option<Word>,
    /// Names after this one.
    pub after: Option<Word>,
    /// Which versions.
    pub which: Which,
    /// At most so many names (1 to [`StoreInfo::MAX_PAGE`]).
    pub limit: u32,
}

impl DocumentRange {
    /// The newest version of one document.
    pub const fn newest(authority: Word, kind: Word, name: Word) -> Self {
        Self { authority, kind, name: Some(name), after: None, which: Which::Newest, limit: 1 }
    }
}
