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
    /// A node that has lost its cluster, or is being given its state.
    pub(crate) const NOT_READY: u16 = 1047;
    /// The row was changed since it was read (MariaDB, `innodb_snapshot_isolation`).
    pub(crate) const CHANGED_SINCE: u16 = 1020;
}

/// A failure on its way out: the driver's, or one that is already said in the contract's words.
#[derive(Debug)]
pub(crate) enum Fault {
    Driver(sqlx::Error),
    Store(StorageError),
    /// What is stored cannot be read.
    Corrupt(&'static str),
    /// The server did not answer within the patience of the options.
    Silent,
    /// The transaction was rolled back by another node's, and the server did not say so.
    Aborted,
    /// No connection could be had, after all the patience that there is: nothing is known but why.
    Away(StorageError),
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
        matches!(self, Self::Aborted)
            || matches!(self.code(), Some(code::DEADLOCK | code::LOCK_WAIT | code::CHANGED_SINCE))
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
            Self::Store(_) | Self::Corrupt(_) | Self::Aborted | Self::Away(_) => false,
        }
    }

    /// Whether another connection may succeed where this one did not: the server looks at some rights only when one is
    /// made, after a failover the old one leads to a replica for ever, and its prepared statements go with it.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self.code(), Some(1044 | 1142 | 1143 | 1227 | 1370 | 1290 | 1461 | 1792 | 1836 | 3989))
    }

    /// Whether another server that holds the same may do what this one does not: it is not part of its cluster just now,
    /// it stands still, or it is read-only.
    pub(crate) fn is_of_node(&self) -> bool {
        matches!(self, Self::Silent) || matches!(self.code(), Some(code::NOT_READY | 1180 | 1290 | 1836))
    }

    /// As the store's callers see it, with the place that it happened to: `host:port/database`, no password.
    pub(crate) fn at(self, place: &str) -> StorageError {
        match self {
            Self::Store(error) | Self::Away(error) => error,
            Self::Silent => StorageError::new(NAME, StorageErrorKind::Unavailable, silent(place)),
            Self::Aborted => {
                let (kind, message) = of_server(code::DEADLOCK, place);
                StorageError::new(NAME, kind, message)
            }
            Self::Corrupt(what) => StorageError::new(NAME, StorageErrorKind::Corrupt, damaged(what, place)),
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
        "the server of `{place}` does not answer: is it a MySQL or MariaDB server, overloaded or stopped, or is the \
         network cut? Try again, or raise the patience of the options"
    )
}

fn damaged(what: &str, place: &str) -> String {
    format!(
        "what is stored in `{place}` cannot be read ({what}): stop writing, keep a copy, and restore a backup"
    )
}

/// Something cannot be used as it is.
pub(crate) fn unusable(message: impl Into<String>) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unusable, message.into())
}

fn cut_off(place: &str) -> String {
    format!(
        "the node of `{place}` is not part of its cluster just now: try again, or name other nodes in the address too"
    )
}

/// A node of a cluster cannot be used just now.
pub(crate) fn away(place: &str) -> StorageError {
    StorageError::new(NAME, StorageErrorKind::Unavailable, cut_off(place))
}

/// What is stored cannot be read.
pub(crate) fn corrupt(what: &'static str) -> Fault {
    Fault::Corrupt(what)
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

/// A panic, which is the driver's or ours: what became of the call is not known.
pub(crate) fn broken() -> StorageError {
    StorageError::new(
        NAME,
        StorageErrorKind::OutcomeUnknown,
        "the driver broke off in the middle, and what was asked may or may not be done: ask the same again, and look at \
         what was printed",
    )
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
        (sqlx::Error::Io(error), _) => of_network(error, place),
        (sqlx::Error::Tls(_), _) => (
            Unusable,
            format!(
                "no encrypted connection to `{place}`: the server offers no TLS, or the file of `ssl-ca`, `ssl-cert` or \
                 `ssl-key` is none. Configure TLS on the server, or add `ssl-mode=DISABLED` to the address if the \
                 network between is yours alone"
            ),
        ),
        // The one thing that the driver cannot be configured to do, once the address was read.
        (sqlx::Error::Configuration(_), _) => (
            Unusable,
            format!(
                "`{place}`: the account uses `caching_sha2_password`, whose first login needs an encrypted connection: \
                 put `ssl-mode=REQUIRED` in the address (and TLS on the server). Or, if the address has `ssl-key`, \
                 there is no key in that file"
            ),
        ),
        (sqlx::Error::PoolTimedOut, _) => (
            Unavailable,
            format!(
                "no connection to `{place}` within the patience of the options: all are in use, or the server gives \
                 none: raise `connections`"
            ),
        ),
        (sqlx::Error::PoolClosed, _) => (Unusable, format!("`{place}` was closed: open it again")),
        (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_), _) => {
            (Corrupt, damaged("a column has another type, or no value", place))
        }
        (sqlx::Error::Protocol(_), _) => (Unavailable, foreign(place)),
        _ => (Other, format!("the driver failed with `{place}`: see the error that is behind this one")),
    }
}

/// Something else than a server of ours, or an account of another kind.
pub(crate) fn foreign(place: &str) -> String {
    format!(
        "`{place}` answers something that is not understood: is it a MySQL or MariaDB server, and does the account use \
         `mysql_native_password` or `caching_sha2_password`?"
    )
}

/// Whether a connection broke off. A server that ends one while its encryption is agreed upon says so in a message that
/// has no place there, or in clear.
pub(crate) fn is_cut(error: &std::io::Error) -> bool {
    use rustls::Error::{InappropriateHandshakeMessage, InappropriateMessage, InvalidMessage};
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let encryption = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        || matches!(
            encryption,
            Some(InappropriateMessage { .. } | InappropriateHandshakeMessage { .. } | InvalidMessage(_))
        )
}

fn of_network(error: &std::io::Error, place: &str) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Unavailable, Unusable};
    use std::io::ErrorKind;
    if is_cut(error) {
        let message = format!(
            "the connection to `{place}` was lost: try again; if it always is, is there a MySQL or MariaDB server \
             behind it?"
        );
        return (Unavailable, message);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            (Unavailable, format!("no server answers at `{place}`: start it, or check host and port"))
        }
        ErrorKind::NotFound | ErrorKind::PermissionDenied => (
            Unusable,
            format!(
                "`{place}`: the socket, or the file of `ssl-ca`, `ssl-cert` or `ssl-key`, is not there or may not be \
                 read: check its path and its owner"
            ),
        ),
        // From the encryption, of what it is otherwise: the network itself knows no data that are invalid.
        ErrorKind::InvalidData => (
            Unusable,
            format!(
                "the certificate of `{place}` is not trusted, or is of another host: name the authority that signed it \
                 (`ssl-ca=FILE` in the address) and the host as the certificate does"
            ),
        ),
        _ => (
            Unavailable,
            format!(
                "the connection to `{place}` cannot be made, or was lost ({error}): check host and port, and try again"
            ),
        ),
    }
}

/// What the server's own codes mean (the same in MariaDB and MySQL, but for those above 1800).
fn of_server(code: u16, place: &str) -> (StorageErrorKind, String) {
    use StorageErrorKind::{Corrupt, Limit, Other, Unavailable, Unusable};
    match code {
        1044 => (
            Unusable,
            format!(
                "the account may not use the database `{place}`, or there is none: check the name, and grant it its \
                 rights (`GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP ON name.* TO …`)"
            ),
        ),
        1142 | 1143 | 1227 | 1370 => (
            Unusable,
            format!(
                "the account may not do this in `{place}` (code {code}): grant it SELECT, INSERT, UPDATE and DELETE, and \
                 for making or raising the tables also CREATE, ALTER, INDEX and DROP"
            ),
        ),
        1045 => (
            Unusable,
            format!(
                "`{place}` refuses the user or the password: check both in the address (special characters as %XX), from \
                 which hosts the account may come, and whether it must use TLS (`ssl-mode=REQUIRED`)"
            ),
        ),
        1129 | 1130 => (
            Unusable,
            format!(
                "`{place}` lets nobody in from this machine: make the account for its host, or end the block with \
                 `FLUSH HOSTS`"
            ),
        ),
        // The second: it takes no password at all (`unix_socket`).
        1251 | 1698 | 1524 => (
            Unusable,
            format!(
                "`{place}`: the account logs in by a way that is not known: let it use `mysql_native_password` or \
                 `caching_sha2_password`"
            ),
        ),
        1820 | 1862 => (
            Unusable,
            format!(
                "`{place}`: the password of the account has expired: give it a new one, and put it in the address"
            ),
        ),
        3118 | 4151 => {
            (Unusable, format!("`{place}`: the account is locked: unlock it (`ALTER USER … ACCOUNT UNLOCK`)"))
        }
        3159 => (
            Unusable,
            format!("`{place}` takes encrypted connections only: put `ssl-mode=REQUIRED` in the address"),
        ),
        1046 | 1049 => (
            Unusable,
            format!(
                "there is no such database as `{place}`: check the name, or make it with \
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
            (Unusable, format!("a table is missing in `{place}`, which was there once: restore a backup"))
        }
        // A column that is not there, or one too many, or with a constraint of others.
        1054 | 1136 | 1364 | 1366 | 1048 | 3819 | 4025 | 1451 | 1452 => (
            Unusable,
            format!(
                "the tables in `{place}` are not as this library made them (code {code}): take the change back, or \
                 restore a backup"
            ),
        ),
        1021 | 1114 | 3675 => (
            Unavailable,
            format!(
                "the disk of `{place}` is full, or its quota is reached: free some space, then try again"
            ),
        ),
        // At COMMIT; on a cluster most often because the node has just lost the others.
        1180 => (
            Unavailable,
            format!(
                "the server of `{place}` could not commit (code 1180): it lost its cluster, or could not write its disk; look \
                 at its error log, then try again"
            ),
        ),
        1026 | 1030 | 1181 | 3 | 14 | 20 => (
            Unavailable,
            format!(
                "the server of `{place}` could not read or write its disk (code {code}): look at its space, its health and \
                 the server's error log, then try again"
            ),
        ),
        1037 | 1038 | 1041 => (
            Unavailable,
            format!("the server of `{place}` is out of memory (code {code}): give it more, then try again"),
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
        code::NOT_READY => (Unavailable, cut_off(place)),
        1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 => {
            (Unavailable, format!("the server of `{place}` ended the connection (code {code}): try again"))
        }
        1317 | 1969 | 3024 => (
            Unavailable,
            format!(
                "the server of `{place}` ended a statement (code {code}): try again, and raise its `max_statement_time` \
                 or `max_execution_time`"
            ),
        ),
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
        _ => (
            Other,
            format!("the server of `{place}` failed with code {code}: see the error that is behind this one"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grc_core::storage::Retry;
    use rustls::{CertificateError, ContentType, Error, InvalidMessage};
    use std::io;

    fn met(error: Error) -> StorageError {
        let error = io::Error::new(io::ErrorKind::InvalidData, error);
        Fault::Driver(sqlx::Error::Io(error)).at("town")
    }

    /// Seen when a server ended connections that were being made.
    #[test]
    fn a_connection_that_breaks_off_while_it_is_encrypted_is_lost_and_says_nothing_of_its_certificate() {
        let message =
            Error::InappropriateMessage { expect_types: Vec::new(), got_type: ContentType::ApplicationData };
        for error in [message, Error::InvalidMessage(InvalidMessage::InvalidContentType)] {
            let error = met(error);
            assert_eq!(
                (error.kind(), error.retry()),
                (StorageErrorKind::Unavailable, Retry::Same),
                "{error}"
            );
        }
        let error = met(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert_eq!(error.kind(), StorageErrorKind::Unusable);
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
