//! Stream rows, their vaults and their index entries.

use super::rows::{array, bytes, chunks, integer, number, small, uuid, word};
use crate::{
    error::{Fault, NAME, Outcome, corrupt},
    session::{Session, Sql, holes, sql},
};
use grc_core::{
    Word,
    storage::{
        ConflictOn, Expect, Fact, FactKind, FactValue, Facts, IndexValue, StorageError, StreamKey, StreamRow,
        sql::column,
    },
    vault::Part,
};
use sqlx::{Row, mysql::MySqlRow};
use std::{collections::BTreeMap, sync::LazyLock};

/// All columns of facts, in the order of their numbers.
static FACTS: LazyLock<String> =
    LazyLock::new(|| Fact::ALL.iter().map(|fact| column(*fact)).collect::<Vec<_>>().join(", "));
static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO grc_stream (authority, kind, id, opened, birth, version, fold, head, body, {}) VALUES ({})",
        *FACTS,
        holes(Fact::ALL.len() + 9)
    )
});
static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let facts = Fact::ALL.iter().map(|fact| format!(", {} = ?", column(*fact))).collect::<String>();
    // The condition is on the old version; the assignments are made in order, so the version is written last. Counted
    // beside, so that the row is written even if it stays as it is: what writes nothing excludes nobody on a cluster.
    format!(
        "UPDATE grc_stream SET opened = ?, birth = ?, fold = ?, head = ?, body = ?{facts}, beside = beside + 1, version = ?
         WHERE authority = ? AND kind = ? AND id = ? AND version = ?"
    )
});
static READ: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT authority, kind, id, birth, version, fold, head, body, {} FROM grc_stream", *FACTS)
});

/// The name of a stream, as values of a statement.
pub(super) fn keyed<'a>(sql: Sql<'a>, key: &StreamKey) -> Sql<'a> {
    sql.bind(key.authority.as_str().as_bytes())
        .bind(key.kind.as_str().as_bytes())
        .bind(&key.id.as_bytes()[..])
}

/// The place of a stream in a list: the least integer where it was not opened.
fn order(facts: &Facts) -> i64 {
    facts.integer(Fact::Opened).unwrap_or(i64::MIN)
}

fn with_facts<'a>(mut sql: Sql<'a>, facts: &Facts) -> Sql<'a> {
    for fact in Fact::ALL {
        sql = match (facts.get(*fact), fact.kind()) {
            (Some(FactValue::Word(word)), _) => sql.bind(word.as_str().as_bytes()),
            (Some(FactValue::Integer(number)), _) => sql.bind(*number),
            (None, FactKind::Word) => sql.bind(None::<&[u8]>),
            (None, _) => sql.bind(None::<i64>),
        };
    }
    sql
}

fn facts(row: &MySqlRow, first: usize) -> Outcome<Facts> {
    let mut out = Facts::new();
    for (n, fact) in Fact::ALL.iter().enumerate() {
        let value = if fact.kind() == FactKind::Word {
            let text: Option<Vec<u8>> = row.try_get(first + n)?;
            text.map(super::rows::as_word).transpose()?.map(FactValue::Word)
        } else {
            row.try_get::<Option<i64>, _>(first + n)?.map(FactValue::Integer)
        };
        out.set(*fact, value);
    }
    Ok(out)
}

fn other_version() -> Fault {
    Fault::Store(StorageError::conflict(NAME, ConflictOn::Stream, "the stream has another version"))
}

/// Writes a stream row over what was expected.
pub(super) async fn put(session: &mut Session, row: &StreamRow, expect: Expect) -> Outcome<()> {
    match expect {
        Expect::Absent => {
            let insert = keyed(sqlx::query(INSERT.as_str()), &row.key)
                .bind(order(&row.facts))
                .bind(row.birth.as_str().as_bytes())
                .bind(row.version)
                .bind(row.fold)
                .bind(&row.head[..])
                .bind(&row.body[..]);
            match session.execute(with_facts(insert, &row.facts)).await {
                Err(fault) if fault.is_duplicate() => Err(other_version()),
                other => other.map(|_| ()),
            }
        }
        Expect::Version(expected) => {
            let update = sqlx::query(UPDATE.as_str())
                .bind(order(&row.facts))
                .bind(row.birth.as_str().as_bytes())
                .bind(row.fold)
                .bind(&row.head[..])
                .bind(&row.body[..]);
            let update = keyed(with_facts(update, &row.facts).bind(row.version), &row.key).bind(expected);
            // Who waits here for another commit sees its version, and meets no row.
            if session.execute(update).await? == 1 { Ok(()) } else { Err(other_version()) }
        }
    }
}

/// The version of a stream row, which stays so until the commit, because the row is written; 0 if there is none. Were it
/// only read, another could raise it between this reading and the place in the feed, which would then tell an older
/// version after a newer one. What is not there cannot be locked: its place is, by a row that is put and taken away.
pub(super) async fn version_kept(session: &mut Session, key: &StreamKey) -> Outcome<u64> {
    let write = "UPDATE grc_stream SET beside = beside + 1 WHERE authority = ? AND kind = ? AND id = ?";
    if session.execute(keyed(sqlx::query(write), key)).await? == 0 {
        let put = "INSERT INTO grc_stream (authority, kind, id, opened, birth, version, fold, head, body)
                   VALUES (?, ?, ?, 0, '', 0, 0, '', '')";
        // Who finds it there was overtaken by who made it: a duplicate, upon which the batch is run again.
        session.execute(keyed(sqlx::query(put), key)).await?;
        let take = "DELETE FROM grc_stream WHERE authority = ? AND kind = ? AND id = ?";
        session.execute(keyed(sqlx::query(take), key)).await?;
        return Ok(0);
    }
    let read = "SELECT version FROM grc_stream WHERE authority = ? AND kind = ? AND id = ?";
    let row = session.row(keyed(sqlx::query(read), key)).await?;
    row.map_or(Ok(0), |row| number(&row, 0))
}

fn stream_row(row: &MySqlRow) -> Outcome<StreamRow> {
    Ok(StreamRow {
        key: StreamKey::new(word(row, 0)?, word(row, 1)?, uuid(row, 2)?),
        birth: word(row, 3)?,
        version: number(row, 4)?,
        fold: small(row, 5)?,
        head: array(row, 6)?,
        body: bytes(row, 7)?,
        facts: facts(row, 8)?,
    })
}

/// The test that names streams of an authority, for each of which [`named`] binds its values.
pub(super) fn these(alias: &str, count: usize) -> String {
    let one = format!("({alias}kind = ? AND {alias}id = ?)");
    format!("{alias}authority = ? AND ({})", vec![one; count].join(" OR "))
}

pub(super) fn named<'a>(sql: Sql<'a>, authority: &Word, keys: &[&StreamKey]) -> Sql<'a> {
    keys.iter().fold(sql.bind(authority.as_str().as_bytes()), |sql, key| {
        sql.bind(key.kind.as_str().as_bytes()).bind(&key.id.as_bytes()[..])
    })
}

/// Reads stream rows; those that are not there are left out.
pub(super) async fn read(
    session: &mut Session,
    authority: &Word,
    keys: &[&StreamKey],
) -> Outcome<BTreeMap<StreamKey, StreamRow>> {
    let mut out = BTreeMap::new();
    for keys in keys.chunks(CHUNK) {
        let read = named(sql(format!("{} WHERE {}", *READ, these("", keys.len()))), authority, keys);
        for row in session.rows(read).await? {
            let row = stream_row(&row)?;
            out.insert(row.key.clone(), row);
        }
    }
    Ok(out)
}

/// How many streams are named in one statement.
const CHUNK: usize = 100;

/// Reads parts of vaults, all of them if none are named; those that are not there are left out.
pub(super) async fn vaults(
    session: &mut Session,
    authority: &Word,
    keys: &[&StreamKey],
    parts: Option<&[Part]>,
) -> Outcome<BTreeMap<StreamKey, BTreeMap<Part, Vec<u8>>>> {
    let mut out: BTreeMap<StreamKey, BTreeMap<Part, Vec<u8>>> = BTreeMap::new();
    for keys in keys.chunks(CHUNK) {
        let only = parts.map_or_else(String::new, |parts| format!(" AND part IN ({})", holes(parts.len())));
        let text =
            format!("SELECT kind, id, part, bytes FROM grc_vault WHERE {}{only}", these("", keys.len()));
        let mut read = named(sql(text), authority, keys);
        for part in parts.unwrap_or_default() {
            read = read.bind(*part);
        }
        for row in session.rows(read).await? {
            let key = StreamKey::new(authority.clone(), word(&row, 0)?, uuid(&row, 1)?);
            out.entry(key).or_default().insert(small(&row, 2)?, bytes(&row, 3)?);
        }
    }
    Ok(out)
}

/// Writes parts of vaults; of two of one name the later stays.
pub(super) async fn put_vault(session: &mut Session, parts: &[(&StreamKey, Part, &[u8])]) -> Outcome<()> {
    for parts in chunks(parts, |(_, _, bytes)| bytes.len()) {
        let text = format!(
            "INSERT INTO grc_vault (authority, kind, id, part, bytes) VALUES {}
             ON DUPLICATE KEY UPDATE bytes = VALUES(bytes)",
            vec!["(?, ?, ?, ?, ?)"; parts.len()].join(", ")
        );
        let put =
            parts.iter().fold(sql(text), |put, (key, part, bytes)| keyed(put, key).bind(*part).bind(*bytes));
        session.execute(put).await?;
    }
    Ok(())
}

/// Drops parts of a vault.
pub(super) async fn drop_vault(session: &mut Session, key: &StreamKey, parts: &[Part]) -> Outcome<()> {
    for parts in parts.chunks(500) {
        let text = format!(
            "DELETE FROM grc_vault WHERE authority = ? AND kind = ? AND id = ? AND part IN ({})",
            holes(parts.len())
        );
        let drop = parts.iter().fold(keyed(sql(text), key), |sql, part| sql.bind(*part));
        session.execute(drop).await?;
    }
    Ok(())
}

/// Writes a stream's measure row.
pub(super) async fn put_measure(session: &mut Session, key: &StreamKey, bytes: &[u8]) -> Outcome<()> {
    let put = "INSERT INTO grc_measure (authority, kind, id, bytes) VALUES (?, ?, ?, ?)
               ON DUPLICATE KEY UPDATE bytes = VALUES(bytes)";
    session.execute(keyed(sqlx::query(put), key).bind(bytes)).await.map(|_| ())
}

/// Replaces the index entries of a field.
pub(super) async fn put_index(
    session: &mut Session,
    key: &StreamKey,
    field: &Word,
    values: &[IndexValue],
    is_new: bool,
) -> Outcome<()> {
    // Of a stream that is made by the same batch there are none, but for who wrote them beside it; their first is where
    // ours is to be.
    if is_new && !values.is_empty() {
        match insert_index(session, key, field, values).await {
            Err(fault) if fault.is_duplicate() => {}
            other => return other,
        }
    }
    let drop = "DELETE FROM grc_index WHERE authority = ? AND kind = ? AND id = ? AND field = ?";
    session.execute(keyed(sqlx::query(drop), key).bind(field.as_str().as_bytes())).await?;
    insert_index(session, key, field, values).await
}

async fn insert_index(
    session: &mut Session,
    key: &StreamKey,
    field: &Word,
    values: &[IndexValue],
) -> Outcome<()> {
    let mut n = 0_u32;
    for values in values.chunks(100) {
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?)"; values.len()].join(", ");
        let text =
            format!("INSERT INTO grc_index (authority, kind, id, field, n, text, number) VALUES {rows}");
        let mut insert = sql(text);
        for value in values {
            let (text, number) = match value {
                IndexValue::Text(text) => (Some(text.as_bytes()), None),
                IndexValue::Number(number) => (None, Some(*number)),
            };
            insert = keyed(insert, key).bind(field.as_str().as_bytes()).bind(n).bind(text).bind(number);
            n = n.checked_add(1).ok_or_else(|| corrupt("too many values"))?;
        }
        session.execute(insert).await?;
    }
    Ok(())
}

/// The place of a row of a list.
pub(super) fn place(row: &MySqlRow) -> Outcome<grc_core::storage::PageKey> {
    Ok(grc_core::storage::PageKey { value: integer(row, 0)?, id: uuid(row, 1)? })
}
