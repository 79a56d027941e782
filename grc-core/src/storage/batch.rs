//! A batch: everything that one command writes, as a value.

use super::{
    Access, Document, IndexValue, Link, LinkKey, ReceiptRow, StorageError, StorageErrorKind, StoreInfo,
    StoredEvent, StreamKey, StreamRow, Task, TaskRef,
};
use crate::{BatchId, Moment, Word, vault::Part};

/// What a step expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expect {
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}

/// One write. A store that does not know a step refuses the whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Writes a stream row over what was expected.
    PutStream {
        /// The row.
        row: StreamRow,
        /// What was there.
        expect: Expect,
    },
    /// Appends events: the first has the sequence `after` + 1, which must be free.
    Append {
        /// The stream.
        stream: StreamKey,
        /// The last sequence that the caller knows.
        after: u64,
        /// The events, in order, without gap.
        events: Vec<StoredEvent>,
    },
    /// Writes a part of a stream's vault, over what was there.
    PutVault {
        /// The stream.
        stream: StreamKey,
        /// The part.
        part: Part,
        /// The bytes of [`crate::vault::VaultRow`].
        bytes: Vec<u8>,
    },
    /// Drops parts of a stream's vault; absent ones are fine. One step however many: what was exchanged for years must
    /// be forgettable in one batch.
    DropVault {
        /// The stream.
        stream: StreamKey,
        /// The parts.
        parts: Vec<Part>,
    },
    /// Writes a stream's measure row, over what was there.
    PutMeasure {
        /// The stream.
        stream: StreamKey,
        /// The encoded row.
        bytes: Vec<u8>,
    },
    /// Replaces the index entries of one field of a stream; none drops them.
    PutIndex {
        /// The stream.
        stream: StreamKey,
        /// The field.
        field: Word,
        /// Its values.
        values: Vec<IndexValue>,
    },
    /// Makes a link. Making it again changes nothing; a unique one that leads elsewhere is a conflict.
    PutLink(Link),
    /// Drops a link; absent is fine.
    DropLink {
        /// Kind and key.
        key: LinkKey,
        /// Where it leads.
        stream: StreamKey,
    },
    /// Drops all links to a stream whose kind begins so.
    DropLinks {
        /// The stream.
        stream: StreamKey,
        /// How their kinds begin.
        prefix: String,
    },
    /// Puts a task in its queue. The same id again changes nothing.
    Schedule(Task),
    /// Takes a task out of its queue, under its lease.
    Finish(TaskRef),
    /// Puts a task back under its lease: free, due at a moment, or dead.
    Release {
        /// The task.
        task: TaskRef,
        /// When it is due again.
        due: Moment,
        /// Whether it is given up.
        dead: bool,
        /// Why.
        code: Option<Word>,
        /// How often it counts as tried from now on; none leaves the count.
        attempts: Option<u32>,
    },
    /// Takes the tasks of a stream of these kinds out, dead ones and leased ones included.
    Cancel {
        /// The stream.
        stream: StreamKey,
        /// The kinds.
        kinds: Vec<Word>,
    },
    /// Writes a document. Its version is 1 over `Absent`, n + 1 over `Version(n)`; earlier versions stay.
    PutDocument {
        /// The document.
        document: Document,
        /// The newest version that was there.
        expect: Expect,
    },
    /// Raises a document to a version if it is not there yet, and leaves no earlier one; never a conflict.
    RaiseDocument(Document),
    /// Drops all versions of a document whose newest is this one.
    DropDocument {
        /// Its kind.
        kind: Word,
        /// Its name.
        name: Word,
        /// Its newest version.
        version: u64,
    },
    /// Writes nothing: the newest version of this document must be this one when the batch commits (0: absent).
    Current {
        /// Its kind.
        kind: Word,
        /// Its name.
        name: Word,
        /// Its newest version.
        version: u64,
    },
    /// Remembers a command. A receipt under the same token that has not expired at the batch's moment is a conflict.
    PutReceipt(ReceiptRow),
    /// Notes who read what.
    LogAccess(Access),
    /// Sent by the conformance kit only: must be refused.
    #[doc(hidden)]
    Unknown,
}

impl Step {
    /// The stream that it writes, if it writes one.
    pub fn stream(&self) -> Option<&StreamKey> {
        match self {
            Self::PutStream { row, .. } => Some(&row.key),
            Self::Append { stream, .. }
            | Self::PutVault { stream, .. }
            | Self::DropVault { stream, .. }
            | Self::PutMeasure { stream, .. }
            | Self::PutIndex { stream, .. }
            | Self::DropLink { stream, .. }
            | Self::DropLinks { stream, .. }
            | Self::Cancel { stream, .. } => Some(stream),
            Self::PutLink(link) => Some(&link.stream),
            Self::Schedule(task) => Some(&task.stream),
            Self::PutReceipt(receipt) => Some(&receipt.stream),
            Self::LogAccess(access) => Some(&access.stream),
            Self::Finish(_)
            | Self::Release { .. }
            | Self::PutDocument { .. }
            | Self::RaiseDocument(_)
            | Self::DropDocument { .. }
            | Self::Current { .. }
            | Self::Unknown => None,
        }
    }
}

/// Everything that one command writes: all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    id: BatchId,
    authority: Word,
    at: Moment,
    steps: Vec<Step>,
}

impl Batch {
    /// An empty batch of one authority, written at a moment.
    pub const fn new(id: BatchId, authority: Word, at: Moment) -> Self {
        Self { id, authority, at, steps: Vec::new() }
    }

    /// With one more step.
    #[must_use]
    pub fn with(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Its id.
    pub const fn id(&self) -> BatchId {
        self.id
    }

    /// Its authority.
    pub const fn authority(&self) -> &Word {
        &self.authority
    }

    /// Its moment (recorded time).
    pub const fn at(&self) -> Moment {
        self.at
    }

    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Checks what does not depend on what is stored: every store calls this first (C-19).
    ///
    /// # Errors
    /// [`StorageErrorKind::Limit`] if something is too large, [`StorageErrorKind::Unsupported`] if the batch is empty.
    pub fn check(&self, store: &'static str) -> Result<(), StorageError> {
        let limit = |message: &'static str| Err(StorageError::new(store, StorageErrorKind::Limit, message));
        if self.steps.is_empty() {
            return Err(StorageError::new(
                store,
                StorageErrorKind::Unsupported,
                "a batch has at least one step",
            ));
        }
        if self.steps.len() > StoreInfo::MAX_STEPS {
            return limit("a batch has at most 2000 steps");
        }
        if self.steps.iter().filter_map(Step::stream).any(|stream| stream.authority != self.authority) {
            let message = "a batch writes one authority";
            return Err(StorageError::new(store, StorageErrorKind::Unsupported, message));
        }
        for step in &self.steps {
            let (body, key) = match step {
                Step::PutStream { row, .. } => (row.body.len(), 0),
                Step::Append { events, .. } => {
                    (events.iter().map(|event| event.body.len()).max().unwrap_or(0), 0)
                }
                Step::PutVault { bytes, .. } | Step::PutMeasure { bytes, .. } => (bytes.len(), 0),
                Step::PutIndex { values, .. } => (
                    0,
                    values
                        .iter()
                        .map(|value| if let IndexValue::Text(text) = value { text.len() } else { 0 })
                        .max()
                        .unwrap_or(0),
                ),
                Step::PutLink(link) => (0, link.key.key.len()),
                Step::Schedule(task) => (task.body.len(), task.queue.len()),
                Step::PutDocument { document, .. } | Step::RaiseDocument(document) => {
                    (document.body.len(), 0)
                }
                Step::LogAccess(access) => (access.body.len(), 0),
                _ => (0, 0),
            };
            if body > StoreInfo::MAX_BODY {
                return limit("a body has at most 4 MiB");
            }
            if key > StoreInfo::MAX_KEY {
                return limit("a key has at most 200 bytes");
            }
        }
        Ok(())
    }
}

/// A batch is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The batch.
    pub batch: BatchId,
    /// Whether it had been committed before, and nothing was changed now.
    pub replayed: bool,
}
