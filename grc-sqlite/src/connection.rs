//! Opening connections, each with the settings that the promises rest on.

use crate::{
    Durability, Options,
    error::{Fault, Outcome, is_busy, unusable},
    schema::{self, Schema},
};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{path::Path, time::Duration};

/// Pages that the log grows to before it is moved into the file: larger ones make grouped commits cheaper.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Statements kept prepared.
const STATEMENTS: usize = 256;

fn raw(file: &Path, flags: OpenFlags, busy: Duration) -> Outcome<Connection> {
    // Each connection is used by one thread at a time.
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    #[cfg(test)]
    let connection = crate::statements::counted(connection);
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A statement is planned once, not again for each value that it is given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Freed bytes are overwritten; nothing is ever written to a temporary file.
    connection
        .execute_batch("PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF")?;
    Ok(connection)
}

/// A connection that writes to a file of this schema, which must exist (it may be empty if `create`).
fn writing(schema: &Schema, file: &Path, options: &Options) -> Outcome<Connection> {
    let connection = raw(file, OpenFlags::SQLITE_OPEN_READ_WRITE, options.busy)?;
    let version = schema.check(&connection, file)?;
    if version == 0 && !options.create {
        return Err(Fault::Store(unusable(format!(
            "`{}` is empty, not a {} file: check the path, or open it with `create` to make a new one",
            file.display(),
            schema.what
        ))));
    }
    if connection.is_readonly("main")? {
        return Err(Fault::Store(unusable(format!(
            "`{}` cannot be written: give the user that runs the program the right to write the file and its directory",
            file.display()
        ))));
    }
    Ok(connection)
}

/// The connection by which a store is written.
pub(crate) fn store_writer(file: &Path, options: &Options) -> Outcome<Connection> {
    let connection = writing(&schema::STORE, file, options)?;
    journal(&connection, "WAL", file, options)?;
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    connection.execute_batch(&format!(
        "PRAGMA synchronous={synchronous}; PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}; PRAGMA cache_size=-8192"
    ))?;
    if let Some(pages) = options.max_pages {
        connection.execute_batch(&format!("PRAGMA max_page_count={pages}"))?;
    }
    Ok(connection)
}

/// A connection by which a store is read.
pub(crate) fn store_reader(file: &Path, options: &Options) -> Outcome<Connection> {
    let connection = raw(file, OpenFlags::SQLITE_OPEN_READ_ONLY, options.busy)?;
    connection.execute_batch("PRAGMA cache_size=-2048; PRAGMA query_only=ON")?;
    Ok(connection)
}

/// The connection of a keyring. No write-ahead log: old key bytes would stay in it. The rollback journal holds the page
/// as it was, and is cut at each commit.
pub(crate) fn keyring(file: &Path, options: &Options) -> Outcome<Connection> {
    let connection = writing(&schema::KEYRING, file, options)?;
    journal(&connection, "TRUNCATE", file, options)?;
    connection.execute_batch("PRAGMA synchronous=EXTRA; PRAGMA cache_size=-2048")?;
    Ok(connection)
}

/// Sets the journal. SQLite does not wait for locks here by itself.
fn journal(connection: &Connection, mode: &str, file: &Path, options: &Options) -> Outcome<()> {
    const STEP: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match connection.query_row(&format!("PRAGMA journal_mode={mode}"), [], |row| row.get::<_, String>(0))
        {
            Ok(now) if now.eq_ignore_ascii_case(mode) => return Ok(()),
            Ok(_) => {
                return Err(Fault::Store(unusable(format!(
                    "`{}` cannot have the journal `{mode}`: is it on a network file system? Put it on a local disk",
                    file.display()
                ))));
            }
            Err(error) if is_busy(&error) && waited < options.busy => {
                std::thread::sleep(STEP);
                waited += STEP;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs something within one read transaction: all of one moment.
pub(crate) fn at_one_moment<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Outcome<T>,
) -> Outcome<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let out = read(connection);
    let ended = connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
    if ended.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    out
}

/// Runs something within one write transaction: all of it, or nothing.
pub(crate) fn at_once<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> Outcome<T>,
) -> Outcome<T> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let out = write(connection).and_then(|out| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(out)
    });
    if out.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    out
}
