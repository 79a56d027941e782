//! What the server's and the driver's failures mean: the one place that maps them, by code and never by text.

use grc_core::{
    storage::{StorageError, StorageErrorKind},
    vault::KeyringError,
};
use sqlx::mysql::MySqlDatabaseError;

/// The name of this store in messages.
pub(crate) const NAME: &str = "mysql";

/// The codes of the server that something is decided on.
pub(crate) mod code {
    pub(crate) const DUPLICATE: u16 = 1062;
    pub(crate) const TABLE_EXISTS: u16 = 1050;
    pub(crate) const COLUMN_EXISTS: u16 = 1060;
    pub(crate) const KEY_EXISTS: u16 = 1061;
    pub(crate) const NO_TABLE: u16 = 1146;
    /// A lock was waited for too long.
    pub(crate) const LOCK_WAIT: u16 = 1205;
    pub(crate) const DEADLOCK: u16 = 1213;
    /// The row was changed since it was read (MariaDB, `innodb_snapshot_isolation`).
    pub(crate) const CHANGED_SINCE: u16 = 1020;
}

/// A failure on its way out: the driver's, or one that is already said in the contract's words.
#[derive(Debug)]
pub(crate) enum Fault {
    Driver(sqlx::Error),
    Store(StorageError),
    /// The server did not answer within the patience of the options.
    Silent,
}

pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// The server's code, if the server answered with one.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Driver(sqlx::Error::Database(error)) => {
                error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
            }
            _ => None,
        }
    }

    pub(crate) fn is_duplicate(&self) -> bool {
        self.code() == Some(code::DUPLICATE)
    }

    /// Whether the transaction met another one, and may be run again as it is.
    pub(crate) fn is_clash(&self) -> bool {
        matches!(self.code(), Some(code::DEADLOCK | code::LOCK_WAIT | code::CHANGED_SINCE))
    }

    /// Whether somebody else's lock was waited for too long.
    pub(crate) fn is_wait(&self) -> bool {
        self.code() == Some(code::LOCK_WAIT)
    }

    /// Whether the connection is lost, so that the server rolls back what was not committed.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Silent => true,
            Self::Driver(error) => {
                matches!(
                    error,
                    sqlx::Error::Io(_)
                        | sqlx::Error::Protocol(_)
                        | sqlx::Error::WorkerCrashed
                        | sqlx::Error::Tls(_)
                ) || matches!(self.code(), Some(1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 4031))
            }
            Self::Store(_) => false,
        }
    }

    /// As the store's callers see it, with the place that it happened to: `host:port/database`, no password.
    pub(crate) fn at(self, place: &str) -> StorageError {
        match self {
            Self::Store(error) => error,
            Self::Silent => StorageError::new(NAME, StorageErrorKind::Unavailable, silent(place)),
            Self::Driver(ref error) => {
                let (kind, message) = explain(error, self.code(), place);
                let out = StorageError::new(NAME, kind, message);
                match self {
                    Self::Driver(error) => out.with_source(error),
                    _ => out,
                }
            }
        }
    }

    /// As the keyring's callers see it.
    pub(crate) fn keyring_at(self, place: &str) -> KeyringError {
        let error = self.at(place);
        let message = without_name(&error);
        let out = match error.kind() {
            StorageErrorKind::Unavailable => KeyringError::unavailable(NAME, message),
            _ => KeyringError::new(NAME, message),
        };
        out.with_source(error)
    }
}

fn without_name(error: &StorageError) -> String {
    let message = error.to_string();
    message.strip_prefix(&format!("store `{NAME}`: ")).unwrap_or(&message).to_owned()
}

fn silent(place: &str) -> String {
    format!(
        "the server of `{place}` does not answer: is it overloaded, stopped, or is the network cut? Try again, or raise \
         the patience of the options"
    )
}

/// Something cannot be used as it is.
pub(crate) fn unusable(message: impl Into<String>) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unusable, message.into())
}

/// What is stored cannot be read.
pub(crate) fn corrupt(what: &'static str) -> Fault {
    Fault::Store(StorageError::new(NAME, StorageErrorKind::Corrupt, what))
}

pub(crate) fn unsupported(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unsupported, message)
}

pub(crate) fn limit(message: &'static str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Limit, message)
}

/// The store's runtime has ended.
pub(crate) fn closed() -> StorageError {
    unusable("the store was closed: open it again")
}

/// A commit of which it is not known whether it was done.
pub(crate) fn doubtful(fault: Fault, place: &str) -> StorageError {
    let error = fault.at(place);
    StorageError::new(
        NAME,
        StorageErrorKind::OutcomeUnknown,
        format!(
            "the connection was lost during the commit, which may or may not be done: commit the same batch again ({})",
            without_name(&error)
        ),
    )
    .with_source(error)
}

/// The kind of a failure, and what to say and do.
fn explain(error: &sqlx::Error, code: Option<u16>, place: &str) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Corrupt, Other, Unavailable, Unusable};
    match (error, code) {
        (_, Some(code)) => of_server(code, place),
        (sqlx::Error::Io(error), _) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => {
                (Unavailable, format!("no server answers at `{place}`: start it, or check host and port"))
            }
            std::io::ErrorKind::NotFound => {
                (Unusable, format!("`{place}`: there is no such socket or certificate file: check the path"))
            }
            _ => (Unavailable, format!("the connection to `{place}` was lost, or cannot be made: try again")),
        },
        (sqlx::Error::Tls(_), _) => (
            Unusable,
            format!(
                "no encrypted connection to `{place}`: the server offers no TLS, or its certificate is not trusted. \
                 Configure TLS on the server and `ssl-ca=FILE` in the address, or add `ssl-mode=DISABLED` if the \
                 network between is yours alone"
            ),
        ),
        // The one thing that the driver cannot be configured to do, once the address was read.
        (sqlx::Error::Configuration(_), _) => (
            Unusable,
            format!(
                "`{place}`: the account uses `caching_sha2_password`, whose first login needs an encrypted connection: \
                 put `ssl-mode=REQUIRED` in the address (and TLS on the server)"
            ),
        ),
        (sqlx::Error::PoolTimedOut, _) => (
            Unavailable,
            format!(
                "no connection to `{place}` within the patience of the options: the server is down, or all connections \
                 are in use (raise `connections`)"
            ),
        ),
        (sqlx::Error::PoolClosed, _) => (Unusable, "the store was closed: open it again".to_owned()),
        (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_), _) => (
            Corrupt,
            format!("a row of `{place}` cannot be read: stop writing, keep a copy, and restore a backup"),
        ),
        (sqlx::Error::Protocol(_), _) => (
            Unavailable,
            format!(
                "`{place}` answers something that is not understood: is it a MySQL or MariaDB server, and does the account \
                 use `mysql_native_password` or `caching_sha2_password`?"
            ),
        ),
        _ => (Other, format!("`{place}`: the driver failed")),
    }
}

/// What the server's own codes mean (the same in MariaDB and MySQL, but for those above 1800).
fn of_server(code: u16, place: &str) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Corrupt, Limit, Other, Unavailable, Unusable};
    match code {
        1044 | 1142 | 1143 | 1227 | 1370 => (
            Unusable,
            format!(
                "the account may not do this in `{place}` (code {code}): grant it SELECT, INSERT, UPDATE and DELETE, and \
                 for making or raising the tables also CREATE, ALTER, INDEX and DROP"
            ),
        ),
        1045 | 1698 | 1862 => (
            Unusable,
            format!(
                "`{place}` refuses the user or the password: check both in the address (special characters as %XX)"
            ),
        ),
        1046 | 1049 => (
            Unusable,
            format!(
                "there is no such database at `{place}`: check the name, or make it with \
                 `CREATE DATABASE name CHARACTER SET utf8mb4`"
            ),
        ),
        1461 => (
            Unavailable,
            format!(
                "`{place}` has too many prepared statements: raise `max_prepared_stmt_count` of the server"
            ),
        ),
        1040 | 1203 | 1226 => (
            Unavailable,
            format!(
                "`{place}` has too many connections: lower `connections` of the options, or raise the server's limit"
            ),
        ),
        code::NO_TABLE => {
            (Unusable, format!("a table is missing in `{place}`: open it with `create`, or restore a backup"))
        }
        1021 | 1114 | 3675 => (
            Unavailable,
            format!(
                "the disk of `{place}` is full, or its quota is reached: free some space, then try again"
            ),
        ),
        1026 | 1030 | 1180 | 1181 | 3 | 14 | 20 => (
            Unavailable,
            format!(
                "the server of `{place}` could not read or write its disk (code {code}): look at its space, its health and \
                 the server's error log, then try again"
            ),
        ),
        1290 | 1792 | 1836 | 3989 => (
            Unusable,
            format!(
                "`{place}` is read-only (a replica, or `read_only` is set): give the address of the primary, or end \
                 `read_only`"
            ),
        ),
        code::DEADLOCK | code::LOCK_WAIT | code::CHANGED_SINCE => (
            Unavailable,
            format!(
                "another transaction in `{place}` stood in the way for too long (code {code}): try again"
            ),
        ),
        1047 => {
            (Unavailable, format!("the node of `{place}` is not part of its cluster just now: try again"))
        }
        1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 | 1317 => {
            (Unavailable, format!("the server of `{place}` ended the connection (code {code}): try again"))
        }
        1153 | 1301 | 1406 | 1118 => (
            Limit,
            format!(
                "something is larger than `{place}` takes (code {code}): raise `max_allowed_packet` of the server"
            ),
        ),
        1034 | 1035 | 1194 | 1712 | 1877 => (
            Corrupt,
            format!("a table of `{place}` is damaged (code {code}): stop writing, and restore a backup"),
        ),
        _ => (Other, format!("`{place}`: the server failed with code {code}")),
    }
}
