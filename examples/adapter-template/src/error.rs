//! What the engine's failures mean: the one place that maps them, by kind and never by text.

use grc_core::storage::{ConflictOn, StorageError, StorageErrorKind};
use std::{io, path::Path};

/// The name of this store in messages.
pub(crate) const NAME: &str = "redb";

/// A failure on its way out.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine's, while nothing was being committed.
    Engine(Box<redb::Error>),
    /// The engine's, while it committed: what it wrote may be on the disk or not.
    Commit(Box<redb::Error>),
    /// Already said in the contract's words.
    Store(StorageError),
}

pub(crate) type Outcome<T> = Result<T, Fault>;

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Engine(Box::new(error.into()))
    }
}

impl Fault {
    /// As the store's callers see it, with the file that it happened to.
    pub(crate) fn at(self, file: &Path) -> StorageError {
        match self {
            Self::Store(error) => error,
            Self::Engine(error) => {
                let (kind, message) = explain(&error, file);
                StorageError::new(NAME, kind, message).with_source(error)
            }
            Self::Commit(error) => {
                let message = format!(
                    "the commit to `{}` failed, and may or may not be on the disk: commit the same batch again",
                    file.display()
                );
                StorageError::new(NAME, StorageErrorKind::OutcomeUnknown, message).with_source(error)
            }
        }
    }

    /// Whether the file has to be opened again before it can be used: after a failure of the disk the engine refuses
    /// everything.
    pub(crate) const fn needs_reopening(&self) -> bool {
        !matches!(self, Self::Store(_))
    }
}

pub(crate) fn conflict(on: ConflictOn, message: &'static str) -> Fault {
    Fault::Store(StorageError::conflict(NAME, on, message))
}

pub(crate) fn unsupported(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unsupported, message)
}

pub(crate) fn limit(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Limit, message)
}

/// A file that cannot be used as it is.
pub(crate) fn unusable(message: impl Into<String>) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unusable, message.into())
}

/// What was read back, checked: none is damage.
pub(crate) fn whole<T>(what: &'static str, read: Option<T>) -> Outcome<T> {
    read.ok_or_else(|| Fault::Store(StorageError::new(NAME, StorageErrorKind::Corrupt, what)))
}

/// The store's threads have ended.
pub(crate) fn closed() -> StorageError {
    unusable("the store was closed: open it again")
}

/// The call ended without an answer: the engine panicked, which it does on pages that it did not write so.
pub(crate) fn unanswered() -> StorageError {
    let message = "the engine gave up in the middle of the call: open the file with `check`, and restore a backup if it \
                   is damaged";
    StorageError::new(NAME, StorageErrorKind::Corrupt, message)
}

/// The kind of a failure, and what to say and do.
fn explain(error: &redb::Error, file: &Path) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Corrupt, Limit, Other, Unavailable, Unusable};
    let name = file.display();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => (
            Unavailable,
            format!(
                "`{name}` is open in another process, and this store has one at a time: end that one first"
            ),
        ),
        redb::Error::UpgradeRequired(_) => (
            Unusable,
            format!("`{name}` has an older file format of the engine: convert it with an older version"),
        ),
        redb::Error::TableDoesNotExist(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableIsMultimap(_) => (Unusable, foreign(file)),
        redb::Error::Corrupted(_) => {
            (Corrupt, format!("`{name}` is damaged: stop writing, keep a copy, and restore a backup"))
        }
        redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::TransactionPoisoned => {
            (Unavailable, format!("`{name}` failed before, and is opened anew with the next call: try again"))
        }
        redb::Error::ValueTooLarge(_) => (Limit, "a value is larger than the engine can hold".to_owned()),
        redb::Error::Io(error) => explain_io(error, file),
        _ => (Other, format!("`{name}`: the engine failed")),
    }
}

fn explain_io(error: &io::Error, file: &Path) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Unavailable, Unusable};
    let name = file.display();
    match error.kind() {
        io::ErrorKind::NotFound => (
            Unusable,
            format!(
                "there is no store file `{name}`, or no such directory: check the path, or open it with `create`"
            ),
        ),
        // So the engine says that the file is none of its own.
        io::ErrorKind::InvalidData => (
            Unusable,
            format!("`{name}` is not a redb database: check the path; if it was one, restore a backup"),
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            Unusable,
            format!("`{name}` cannot be written: give the user that runs the program the right to write it"),
        ),
        io::ErrorKind::IsADirectory => {
            (Unusable, format!("`{name}` is a directory: give the path of the store's file"))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Unavailable, format!("the disk of `{name}` is full: free some space, then try again"))
        }
        _ => (
            Unavailable,
            format!("the disk could not read or write `{name}`: check its health, then try again"),
        ),
    }
}

/// What is said of a database of somebody else.
pub(crate) fn foreign(file: &Path) -> String {
    format!("`{}` is a redb database, but not a store of this library: check the path", file.display())
}
