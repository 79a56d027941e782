//! What the store says of itself.

use crate::{
    connection::at_once,
    error::{Outcome, unusable},
};
use grc_core::{Entropy, SystemEntropy};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Fills a new file: a new incarnation, and whether it is a test store.
pub(super) fn begin(connection: &Connection, test: bool) -> Outcome<()> {
    let mut id = [0; 16];
    SystemEntropy.fill(&mut id).map_err(|error| unusable(error.to_string()))?;
    put(connection, "incarnation", uuid::Builder::from_random_bytes(id).into_uuid().as_bytes())?;
    put(connection, "test", &[u8::from(test)])
}

pub(super) fn incarnation(connection: &Connection) -> Outcome<Uuid> {
    Ok(connection.query_row("SELECT value FROM meta WHERE name = 'incarnation'", [], |row| {
        row.get(0).map(Uuid::from_bytes)
    })?)
}

pub(super) fn is_test(connection: &Connection) -> Outcome<bool> {
    Ok(connection.query_row("SELECT value FROM meta WHERE name = 'test'", [], |row| {
        row.get::<_, [u8; 1]>(0).map(|value| value == [1])
    })?)
}

/// Whether anything was ever committed.
pub(super) fn is_filled(connection: &Connection) -> Outcome<bool> {
    Ok(connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM change) OR EXISTS (SELECT 1 FROM blob)",
        [],
        |row| row.get(0),
    )?)
}

/// Notes the keyring of a store that has none yet or nothing in it. Answers the one that it has.
pub(super) fn bind(connection: &Connection, keyring: Uuid) -> Outcome<Uuid> {
    let bound = |connection: &Connection| -> Outcome<Option<Uuid>> {
        Ok(connection
            .query_row("SELECT value FROM meta WHERE name = 'keyring'", [], |row| {
                row.get(0).map(Uuid::from_bytes)
            })
            .optional()?)
    };
    if bound(connection)? == Some(keyring) {
        return Ok(keyring);
    }
    at_once(connection, |connection| match bound(connection)? {
        Some(bound) if is_filled(connection)? => Ok(bound),
        _ => {
            put(connection, "keyring", keyring.as_bytes())?;
            Ok(keyring)
        }
    })
}

fn put(connection: &Connection, name: &str, value: &[u8]) -> Outcome<()> {
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", params![name, value])?;
    Ok(())
}
