//! The rows of a store.

use super::Facts;
use crate::{BatchId, KeyId, Moment, TaskId, Word, vault::Part};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The name of a stream: authority, kind, id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    /// The authority that owns it now.
    pub authority: Word,
    /// Its kind: an open word.
    pub kind: Word,
    /// Its id.
    pub id: Uuid,
}

impl StreamKey {
    /// Names a stream.
    pub const fn new(authority: Word, kind: Word, id: Uuid) -> Self {
        Self { authority, kind, id }
    }
}

/// The stream row: the state, sealed values apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// Which stream.
    pub key: StreamKey,
    /// The authority under which it was created.
    pub birth: Word,
    /// The sequence of its last event.
    pub version: u64,
    /// The version of the fold that made the body.
    pub fold: u32,
    /// The head of its last event.
    pub head: [u8; 32],
    /// Its columns.
    pub facts: Facts,
    /// The state, as canonical JSON. Holds slots, no typed value.
    pub body: Vec<u8>,
}

/// A stream row with parts of its vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// The row.
    pub row: StreamRow,
    /// The vault parts asked for that exist: the bytes of [`crate::vault::VaultRow`].
    pub vault: BTreeMap<Part, Vec<u8>>,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// The batch that wrote it.
    pub batch: BatchId,
    /// Its head; zeros for access rows.
    pub head: [u8; 32],
    /// The body, exactly as it was hashed.
    pub body: Vec<u8>,
}

/// A value of a declared field in the index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexValue {
    /// A text, a choice, or a day as `2026-11-24`.
    Text(String),
    /// A number, or 0 and 1 for no and yes.
    Number(i64),
}

/// The kind and key bytes of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey {
    /// Its kind: `tracking`, `blob`, `contact.…`, `source.…`, `related.…`.
    pub kind: Word,
    /// A token, or an id.
    pub key: Vec<u8>,
}

/// A link from a key to a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Kind and key.
    pub key: LinkKey,
    /// Where it leads.
    pub stream: StreamKey,
    /// Whether no other stream may have it.
    pub unique: bool,
}

/// Something to be done later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its queue: tasks of one queue are done in order, others beside them. At most 200 bytes.
    pub queue: String,
    /// Its place in the queue; equal places go by id.
    pub order: u64,
    /// What is to be done: an open word.
    pub kind: Word,
    /// Of which stream.
    pub stream: StreamKey,
    /// Not before this moment (recorded time).
    pub due: Moment,
    /// How often it was claimed.
    pub attempts: u32,
    /// The number of its lease; grows with each claim.
    pub lease: u64,
    /// Until when it is held; past when it is free.
    pub leased_until: Moment,
    /// Whether it was given up and steps aside until somebody retries it.
    pub dead: bool,
    /// The code of its last failure: a word, never a text of somebody else's.
    pub code: Option<Word>,
    /// Small JSON without typed values.
    pub body: Vec<u8>,
}

/// A task under a lease, as a step names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRef {
    /// Its queue.
    pub queue: String,
    /// Its id.
    pub id: TaskId,
    /// The number of the lease under which the caller holds it.
    pub lease: u64,
}

impl Task {
    /// The task under its present lease.
    pub fn reference(&self) -> TaskRef {
        TaskRef { queue: self.queue.clone(), id: self.id, lease: self.lease }
    }
}

/// What is remembered of a command that carried a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The token of its key.
    pub token: [u8; 16],
    /// A MAC of the command, under a key derived from the stream's.
    pub mac: [u8; 32],
    /// The data key that the MAC's key derives from.
    pub key: KeyId,
    /// The stream it wrote.
    pub stream: StreamKey,
    /// The stream's version after it.
    pub version: u64,
    /// From this moment on the key may be used again.
    pub expires: Moment,
}

/// A versioned document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its kind: an open word.
    pub kind: Word,
    /// Its name.
    pub name: Word,
    /// Its version, from 1.
    pub version: u64,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Who read which sensitive fields of a stream, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Of which stream.
    pub stream: StreamKey,
    /// When. A store need not keep it: the body says it.
    pub at: Moment,
    /// JSON: the actor and the fields.
    pub body: Vec<u8>,
}

/// One entry of the feed: what one batch wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The batch.
    pub batch: BatchId,
    /// What it touched.
    pub touched: Vec<Touched>,
}

/// Something that a batch wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Touched {
    /// A stream row (and with it its measure and index rows), now at this version.
    Stream(StreamKey, u64),
    /// Events of a stream, up to this sequence.
    Events(StreamKey, u64),
    /// A part of a stream's vault, written or dropped.
    Vault(StreamKey, Part),
    /// A link, made or dropped.
    Link(LinkKey),
    /// All links of a stream of the kinds that begin so were dropped.
    Links(StreamKey, String),
    /// A task, by queue and id.
    Task(String, TaskId),
    /// The tasks of a stream were cancelled.
    Tasks(StreamKey),
    /// A document, at this version; 0 when it was dropped.
    Document(Word, Word, u64),
    /// A receipt.
    Receipt([u8; 16]),
    /// A row of the access log of a stream.
    Access(StreamKey),
}
