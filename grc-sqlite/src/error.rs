//! What SQLite's failures mean: the one place that maps them, by code and never by text.

use grc_core::{
    storage::{StorageError, StorageErrorKind},
    vault::KeyringError,
};
use rusqlite::ffi;
use std::path::Path;

/// The name of this store in messages.
pub(crate) const NAME: &str = "sqlite";

/// A failure on its way out: the driver's, or one that is already said in the contract's words.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(rusqlite::Error),
    Store(StorageError),
}

pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// As the store's callers see it, with the file that it happened to.
    pub(crate) fn at(self, file: &Path) -> StorageError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(error) => {
                let (kind, message) = explain(&error, file);
                StorageError::new(NAME, kind, message).with_source(error)
            }
        }
    }

    /// Whether a COMMIT that failed so has surely left nothing: it had no room for its last page, or no lock.
    pub(crate) fn wrote_nothing(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                is_busy(error) || code(error).is_some_and(|code| code & 0xff == ffi::SQLITE_FULL)
            }
            Self::Store(_) => false,
        }
    }

    /// As the keyring's callers see it.
    pub(crate) fn keyring_at(self, file: &Path) -> KeyringError {
        match self {
            Self::Store(error) => keyring_error(error),
            Self::Sqlite(error) => {
                let (kind, message) = explain(&error, file);
                let out = match kind {
                    StorageErrorKind::Unavailable => KeyringError::unavailable(NAME, message),
                    _ => KeyringError::new(NAME, message),
                };
                out.with_source(error)
            }
        }
    }
}

fn keyring_error(error: StorageError) -> KeyringError {
    let message = error.to_string();
    let out = match error.kind() {
        StorageErrorKind::Unavailable => KeyringError::unavailable(NAME, message),
        _ => KeyringError::new(NAME, message),
    };
    out.with_source(error)
}

/// A file that cannot be used as it is.
pub(crate) fn unusable(message: impl Into<String>) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unusable, message.into())
}

/// What is stored cannot be read.
pub(crate) fn corrupt(what: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Corrupt, what)
}

pub(crate) fn unsupported(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unsupported, message)
}

pub(crate) fn limit(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Limit, message)
}

/// The store's threads have ended.
pub(crate) fn closed() -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unusable, "the store was closed: open it again")
}

/// The operating system refused a file.
pub(crate) fn io(error: std::io::Error, doing: &str, file: &Path) -> StorageError {
    use std::io::ErrorKind;
    let file = file.display();
    let (kind, cure) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (StorageErrorKind::Unavailable, "the disk is full: free some space")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            StorageErrorKind::Unusable,
            "this user may not: give the user that runs the program the right to write the file and its directory",
        ),
        ErrorKind::NotFound => (
            StorageErrorKind::Unusable,
            "its directory does not exist: check the path, or make the directory",
        ),
        _ => (StorageErrorKind::Unusable, "the system refused"),
    };
    StorageError::new(NAME, kind, format!("{doing} `{file}`: {cure}")).with_source(error)
}

/// Whether the driver reports that somebody else holds a lock.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    code(error).is_some_and(|code| matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED))
}

fn code(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. } => {
            Some(error.extended_code)
        }
        _ => None,
    }
}

/// The kind of a failure, and what to say and do.
fn explain(error: &rusqlite::Error, file: &Path) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Corrupt, Limit, Other, Unavailable, Unusable};
    let file = file.display();
    let Some(code) = code(error) else {
        return match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => (
                Corrupt,
                format!("a row of `{file}` cannot be read: stop writing, keep a copy, and restore a backup"),
            ),
            _ => (Other, format!("`{file}`: the driver failed")),
        };
    };
    match (code, code & 0xff) {
        (ffi::SQLITE_READONLY_DBMOVED, _) => (
            Unusable,
            format!("`{file}` was moved or deleted while it was open: put it back, and open it again"),
        ),
        (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL) => (
            Unavailable,
            format!(
                "`{file}` is locked by somebody else for longer than the busy timeout: try again, or look for a \
                 program (a backup, a shell) that holds it"
            ),
        ),
        // The index of the log, shared between processes, could not grow: a full disk does not say so here.
        (ffi::SQLITE_IOERR_SHMSIZE, _) | (_, ffi::SQLITE_FULL) => (
            Unavailable,
            format!(
                "the disk is full, or `{file}` has reached its size limit: free some space, then try again"
            ),
        ),
        (ffi::SQLITE_IOERR_NOMEM, _) | (_, ffi::SQLITE_NOMEM) => {
            (Unavailable, format!("out of memory while using `{file}`: try again"))
        }
        (_, ffi::SQLITE_IOERR) => (
            Unavailable,
            format!(
                "the disk could not read or write `{file}` (SQLite code {code}): check its space and its health, \
                 then try again"
            ),
        ),
        (_, ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH) => (
            Unusable,
            format!(
                "`{file}` cannot be written: give the user that runs the program the right to write the file and \
                 its directory"
            ),
        ),
        (_, ffi::SQLITE_CANTOPEN) => (
            Unusable,
            format!(
                "`{file}`, or a file beside it, cannot be opened: check that its directory exists and can be written"
            ),
        ),
        (_, ffi::SQLITE_NOTADB) => (
            Unusable,
            format!("`{file}` is not an SQLite database: check the path; if it was one, restore a backup"),
        ),
        (_, ffi::SQLITE_CORRUPT) => {
            (Corrupt, format!("`{file}` is damaged: stop writing, keep a copy, and restore a backup"))
        }
        (_, ffi::SQLITE_TOOBIG) => (Limit, "something is larger than SQLite can hold".to_owned()),
        _ => (Other, format!("`{file}`: SQLite failed with code {code}")),
    }
}
