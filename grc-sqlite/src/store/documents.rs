//! Versioned documents.

use super::rows::{bounded, int, number, word};
use crate::error::{Fault, NAME, Outcome, unsupported};
use grc_core::{
    Word,
    storage::{ConflictOn, Document, DocumentRange, Expect, StorageError, StoreInfo, Which},
};
use rusqlite::{Connection, ToSql, params, params_from_iter};

/// The newest version of a document; 0 if there is none.
pub(super) fn newest(connection: &Connection, authority: &Word, kind: &str, name: &str) -> Outcome<u64> {
    let newest = connection
        .prepare_cached(
            "SELECT coalesce(max(version), 0) FROM document WHERE authority = ? AND kind = ? AND name = ?",
        )?
        .query_row(params![authority.as_str(), kind, name], |row| number(row, 0))?;
    Ok(newest)
}

/// Refuses if the newest version is another one.
pub(super) fn current(
    connection: &Connection,
    authority: &Word,
    kind: &Word,
    name: &Word,
    version: u64,
) -> Outcome<()> {
    if newest(connection, authority, kind.as_str(), name.as_str())? == version {
        return Ok(());
    }
    Err(Fault::Store(StorageError::conflict(NAME, ConflictOn::Document, "the document has another version")))
}

/// Writes the next version.
pub(super) fn put(
    connection: &Connection,
    authority: &Word,
    document: &Document,
    expect: Expect,
) -> Outcome<()> {
    let expected = match expect {
        Expect::Absent => 0,
        Expect::Version(version) => version,
    };
    current(connection, authority, &document.kind, &document.name, expected)?;
    if expected.checked_add(1) != Some(document.version) {
        return Err(Fault::Store(unsupported("a document's versions grow by one")));
    }
    insert(connection, authority, document)
}

/// Writes a version if it is newer, and drops all others. Answers whether it was.
pub(super) fn raise(connection: &Connection, authority: &Word, document: &Document) -> Outcome<bool> {
    if newest(connection, authority, document.kind.as_str(), document.name.as_str())? >= document.version {
        return Ok(false);
    }
    drop(connection, authority, &document.kind, &document.name)?;
    insert(connection, authority, document)?;
    Ok(true)
}

/// Drops all versions.
pub(super) fn drop(connection: &Connection, authority: &Word, kind: &Word, name: &Word) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM document WHERE authority = ? AND kind = ? AND name = ?")?
        .execute(params![authority.as_str(), kind.as_str(), name.as_str()])?;
    Ok(())
}

fn insert(connection: &Connection, authority: &Word, document: &Document) -> Outcome<()> {
    connection
        .prepare_cached("INSERT INTO document (authority, kind, name, version, body) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![
            authority.as_str(),
            document.kind.as_str(),
            document.name.as_str(),
            int(document.version)?,
            document.body
        ])?;
    Ok(())
}

/// Reads documents, by name and version.
pub(super) fn read(connection: &Connection, range: &DocumentRange) -> Outcome<Vec<Document>> {
    // The names first, then their versions: a limit counts names.
    let mut names = "SELECT DISTINCT name FROM document WHERE authority = ?1 AND kind = ?2".to_owned();
    let (authority, kind) = (range.authority.as_str(), range.kind.as_str());
    let (only, after) = (range.name.as_ref().map(Word::as_str), range.after.as_ref().map(Word::as_str));
    let version = match range.which {
        Which::Version(version) => Some(bounded(version)),
        Which::Newest | Which::All => None,
    };
    let mut values: Vec<&dyn ToSql> = vec![&authority, &kind];
    for (test, value) in [
        (" AND name = ?", only.as_ref().map(|value| value as &dyn ToSql)),
        (" AND name > ?", after.as_ref().map(|value| value as &dyn ToSql)),
        (" AND version = ?", version.as_ref().map(|value| value as &dyn ToSql)),
    ] {
        if let Some(value) = value {
            values.push(value);
            names.push_str(&format!("{test}{}", values.len()));
        }
    }
    let limit = range.limit.clamp(1, StoreInfo::MAX_PAGE);
    values.push(&limit);
    names.push_str(&format!(" ORDER BY name LIMIT ?{}", values.len()));
    let sql = format!(
        "SELECT d.name, d.version, d.body FROM ({names}) n CROSS JOIN document d
         ON d.authority = ?1 AND d.kind = ?2 AND d.name = n.name{} ORDER BY d.name, d.version",
        match range.which {
            Which::Newest => " AND d.version = (SELECT max(version) FROM document m
                 WHERE m.authority = ?1 AND m.kind = ?2 AND m.name = n.name)"
                .to_owned(),
            // The last value but one is the version.
            Which::Version(_) => format!(" AND d.version = ?{}", values.len() - 1),
            Which::All => String::new(),
        }
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(Document {
            kind: range.kind.clone(),
            name: word(row, 0)?,
            version: number(row, 1)?,
            body: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
