//! Links from keys to streams.

use crate::error::{Fault, NAME, Outcome};
use grc_core::{
    Word,
    storage::{ConflictOn, Link, LinkKey, StorageError, StreamKey},
};
use rusqlite::{Connection, params};

/// Makes a link; a unique one leads to one stream.
pub(super) fn put(connection: &Connection, link: &Link) -> Outcome<()> {
    let StreamKey { authority, kind, id } = &link.stream;
    let (authority, kind, id) = (authority.as_str(), kind.as_str(), &id.as_bytes()[..]);
    let elsewhere: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM link WHERE authority = ? AND link = ? AND key = ?
             AND (kind <> ? OR id <> ?) AND (single OR ?))",
        )?
        .query_row(
            params![authority, link.key.kind.as_str(), link.key.key, kind, id, link.unique],
            |row| row.get(0),
        )?;
    if elsewhere {
        return Err(Fault::Store(StorageError::conflict(
            NAME,
            ConflictOn::Link,
            "another stream has this link",
        )));
    }
    connection
        .prepare_cached(
            "INSERT INTO link (authority, link, key, kind, id, single) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET single = excluded.single WHERE single <> excluded.single",
        )?
        .execute(params![authority, link.key.kind.as_str(), link.key.key, kind, id, link.unique])?;
    Ok(())
}

/// Drops a link.
pub(super) fn drop(
    connection: &Connection,
    authority: &Word,
    key: &LinkKey,
    stream: &StreamKey,
) -> Outcome<()> {
    connection
        .prepare_cached(
            "DELETE FROM link WHERE authority = ? AND link = ? AND key = ? AND kind = ? AND id = ?",
        )?
        .execute(params![
            authority.as_str(),
            key.kind.as_str(),
            key.key,
            stream.kind.as_str(),
            &stream.id.as_bytes()[..]
        ])?;
    Ok(())
}

/// Drops the links of a stream whose kinds begin so.
pub(super) fn drop_all(connection: &Connection, stream: &StreamKey, prefix: &str) -> Outcome<()> {
    // Said outright: of its own accord the planner takes the primary key here, whose first column alone is given, and
    // looks at every link of the authority.
    connection
        .prepare_cached(
            "DELETE FROM link INDEXED BY link_by_stream
             WHERE authority = ?1 AND kind = ?2 AND id = ?3 AND substr(link, 1, length(?4)) = ?4",
        )?
        .execute(params![
            stream.authority.as_str(),
            stream.kind.as_str(),
            &stream.id.as_bytes()[..],
            prefix
        ])?;
    Ok(())
}
