//! Versioned documents. Whoever writes or drops one writes the row of its newest version, and so excludes the others.

use super::rows::{bytes, number, word};
use crate::{
    error::{Fault, NAME, Outcome, unsupported},
    server::Server,
    session::{Session, Sql, sql},
};
use grc_core::{
    Word,
    storage::{ConflictOn, Document, DocumentRange, Expect, StorageError, StoreInfo, Which},
};

/// The name of a document, as values of a statement.
fn keyed<'a>(sql: Sql<'a>, authority: &Word, kind: &Word, name: &Word) -> Sql<'a> {
    sql.bind(authority.as_str().as_bytes()).bind(kind.as_str().as_bytes()).bind(name.as_str().as_bytes())
}

/// A document has another version than a step expects.
pub(super) fn other_version() -> Fault {
    Fault::Store(StorageError::conflict(NAME, ConflictOn::Document, "the document has another version"))
}

/// The newest version of a document; 0 if there is none.
pub(super) async fn newest(
    session: &mut Session,
    authority: &Word,
    kind: &Word,
    name: &Word,
) -> Outcome<u64> {
    let read = "SELECT version FROM grc_newest WHERE authority = ? AND kind = ? AND name = ?";
    let row = session.row(keyed(sqlx::query(read), authority, kind, name)).await?;
    row.map_or(Ok(0), |row| number(&row, 0))
}

/// Writes the newest version of a document over the one that is expected.
async fn advance(
    session: &mut Session,
    authority: &Word,
    (kind, name): (&Word, &Word),
    (from, to): (u64, u64),
) -> Outcome<()> {
    if from == 0 {
        let insert = "INSERT INTO grc_newest (authority, kind, name, version) VALUES (?, ?, ?, ?)";
        return match session.execute(keyed(sqlx::query(insert), authority, kind, name).bind(to)).await {
            Err(fault) if fault.is_duplicate() => Err(other_version()),
            other => other.map(|_| ()),
        };
    }
    let update =
        "UPDATE grc_newest SET version = ? WHERE authority = ? AND kind = ? AND name = ? AND version = ?";
    let update = keyed(sqlx::query(update).bind(to), authority, kind, name).bind(from);
    if session.execute(update).await? == 1 { Ok(()) } else { Err(other_version()) }
}

/// Writes the next version.
pub(super) async fn put(
    session: &mut Session,
    authority: &Word,
    document: &Document,
    expect: Expect,
) -> Outcome<()> {
    let expected = match expect {
        Expect::Absent => 0,
        Expect::Version(version) => version,
    };
    let of = (&document.kind, &document.name);
    advance(session, authority, of, (expected, document.version)).await?;
    if expected.checked_add(1) != Some(document.version) {
        return Err(Fault::Store(unsupported("a document's versions grow by one")));
    }
    insert(session, authority, document).await
}

/// Writes a version if it is newer, and drops all others. Answers whether it was.
pub(super) async fn raise(session: &mut Session, authority: &Word, document: &Document) -> Outcome<bool> {
    let (kind, name) = (&document.kind, &document.name);
    let update =
        "UPDATE grc_newest SET version = ? WHERE authority = ? AND kind = ? AND name = ? AND version < ?";
    let update =
        || keyed(sqlx::query(update).bind(document.version), authority, kind, name).bind(document.version);
    if session.execute(update()).await? == 0 {
        match advance(session, authority, (kind, name), (0, document.version)).await {
            // It is as new already; or somebody made it since we looked, older than ours.
            Err(Fault::Store(_)) if session.execute(update()).await? == 0 => return Ok(false),
            Err(Fault::Store(_)) => {}
            other => other?,
        }
    }
    let drop = "DELETE FROM grc_document WHERE authority = ? AND kind = ? AND name = ?";
    session.execute(keyed(sqlx::query(drop), authority, kind, name)).await?;
    insert(session, authority, document).await?;
    Ok(true)
}

/// Drops all versions of a document whose newest is this one; 0 means that there is none.
pub(super) async fn drop(
    session: &mut Session,
    authority: &Word,
    (kind, name): (&Word, &Word),
    version: u64,
) -> Outcome<()> {
    if version == 0 {
        return if newest(session, authority, kind, name).await? == 0 {
            Ok(())
        } else {
            Err(other_version())
        };
    }
    let delete = "DELETE FROM grc_newest WHERE authority = ? AND kind = ? AND name = ? AND version = ?";
    let delete = keyed(sqlx::query(delete), authority, kind, name).bind(version);
    if session.execute(delete).await? == 0 {
        return Err(other_version());
    }
    let drop = "DELETE FROM grc_document WHERE authority = ? AND kind = ? AND name = ?";
    session.execute(keyed(sqlx::query(drop), authority, kind, name)).await.map(|_| ())
}

async fn insert(session: &mut Session, authority: &Word, document: &Document) -> Outcome<()> {
    let insert = "INSERT INTO grc_document (authority, kind, name, version, body) VALUES (?, ?, ?, ?, ?)";
    let insert = keyed(sqlx::query(insert), authority, &document.kind, &document.name)
        .bind(document.version)
        .bind(&document.body[..]);
    session.execute(insert).await.map(|_| ())
}

/// Reads documents, by name and version.
pub(super) async fn read(server: &Server, range: &DocumentRange) -> Outcome<Vec<Document>> {
    // The names first, then their versions: a limit counts names.
    let (mut names, mut versions) = (String::new(), "");
    if range.name.is_some() {
        names.push_str(" AND name = ?");
    }
    if range.after.is_some() {
        names.push_str(" AND name > ?");
    }
    let from = match range.which {
        Which::Newest => {
            versions = " AND d.version = n.version";
            "SELECT name, version FROM grc_newest"
        }
        Which::Version(_) => {
            names.push_str(" AND version = ?");
            versions = " AND d.version = n.version";
            "SELECT name, version FROM grc_document"
        }
        Which::All => "SELECT name FROM grc_newest",
    };
    let text = format!(
        "SELECT d.name, d.version, d.body
         FROM ({from} WHERE authority = ? AND kind = ?{names} ORDER BY name LIMIT ?) n
         STRAIGHT_JOIN grc_document d ON d.authority = ? AND d.kind = ? AND d.name = n.name{versions}
         ORDER BY d.name, d.version"
    );
    let (authority, kind) = (range.authority.as_str().as_bytes(), range.kind.as_str().as_bytes());
    let rows = server
        .rows(|| {
            let mut read = sql(text.clone()).bind(authority).bind(kind);
            for name in [&range.name, &range.after].into_iter().flatten() {
                read = read.bind(name.as_str().as_bytes());
            }
            if let Which::Version(version) = range.which {
                read = read.bind(version);
            }
            read.bind(range.limit.clamp(1, StoreInfo::MAX_PAGE)).bind(authority).bind(kind)
        })
        .await?;
    rows.iter()
        .map(|row| {
            let (name, version, body) = (word(row, 0)?, number(row, 1)?, bytes(row, 2)?);
            Ok(Document { kind: range.kind.clone(), name, version, body })
        })
        .collect()
}
