//! Stream rows, their vaults and their index entries.

use super::rows::{int, number, uuid, word};
use crate::{
    error::{Fault, NAME, Outcome, corrupt},
    schema::quoted,
};
use grc_core::{
    Word,
    storage::{
        ConflictOn, Expect, Fact, FactKind, FactValue, Facts, IndexValue, StorageError, StreamKey,
        StreamRecord, StreamRow,
    },
    vault::Part,
};
use rusqlite::{
    Connection, OptionalExtension, Row, ToSql, params,
    types::{ToSqlOutput, ValueRef},
};
use std::{collections::BTreeMap, sync::LazyLock};

/// All columns of facts, in the order of their numbers.
static FACTS: LazyLock<String> =
    LazyLock::new(|| Fact::ALL.iter().map(|fact| quoted(*fact)).collect::<Vec<_>>().join(", "));
static FIND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT rowid, version, birth, {} FROM stream WHERE authority = ? AND kind = ? AND id = ?",
        *FACTS
    )
});
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let holes = vec!["?"; Fact::ALL.len() + 9].join(", ");
    format!(
        "INSERT INTO stream (authority, kind, id, opened, birth, version, fold, head, body, {}) VALUES ({holes})",
        *FACTS
    )
});
const COLUMNS: &str = "authority, kind, id, birth, version, fold, head, body";
static BY_KEY: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {COLUMNS}, {} FROM stream WHERE authority = ? AND kind = ? AND id = ?", *FACTS)
});
static BY_ROW: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS}, {} FROM stream WHERE rowid = ?", *FACTS));

/// The place of a stream in a list: the least integer where it was not opened.
fn order(facts: &Facts) -> i64 {
    facts.integer(Fact::Opened).unwrap_or(i64::MIN)
}

fn fact_sql(value: Option<&FactValue>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        None => ValueRef::Null,
        Some(FactValue::Word(word)) => ValueRef::Text(word.as_str().as_bytes()),
        Some(FactValue::Integer(number)) => ValueRef::Integer(*number),
    })
}

fn facts(row: &Row<'_>, first: usize) -> rusqlite::Result<Facts> {
    let mut out = Facts::new();
    for (n, fact) in Fact::ALL.iter().enumerate() {
        let column = first + n;
        match (row.get_ref(column)?, fact.kind()) {
            (ValueRef::Null, _) => {}
            (ValueRef::Integer(number), FactKind::Integer | FactKind::Moment) => {
                out.set(*fact, Some(FactValue::Integer(number)));
            }
            (ValueRef::Text(_), FactKind::Word) => {
                out.set(*fact, Some(FactValue::Word(word(row, column)?)));
            }
            (other, _) => {
                return Err(rusqlite::Error::InvalidColumnType(
                    column,
                    fact.name().to_owned(),
                    other.data_type(),
                ));
            }
        }
    }
    Ok(out)
}

/// Writes a stream row over what was expected.
pub(super) fn put(connection: &Connection, row: &StreamRow, expect: Expect) -> Outcome<()> {
    let StreamKey { authority, kind, id } = &row.key;
    let found = connection
        .prepare_cached(&FIND)?
        .query_row(params![authority.as_str(), kind.as_str(), &id.as_bytes()[..]], |old| {
            Ok((old.get::<_, i64>(0)?, number(old, 1)?, word(old, 2)?, facts(old, 3)?))
        })
        .optional()?;
    match (found, expect) {
        (None, Expect::Absent) => insert(connection, row),
        (Some((n, version, birth, facts)), Expect::Version(expected)) if version == expected => {
            update(connection, row, n, &birth, &facts)
        }
        _ => Err(Fault::Store(StorageError::conflict(
            NAME,
            ConflictOn::Stream,
            "the stream has another version",
        ))),
    }
}

/// The version of a stream row; 0 if there is none.
pub(super) fn version(connection: &Connection, key: &StreamKey) -> Outcome<u64> {
    let version = connection
        .prepare_cached("SELECT version FROM stream WHERE authority = ? AND kind = ? AND id = ?")?
        .query_row(params![key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..]], |row| {
            number(row, 0)
        })
        .optional()?;
    Ok(version.unwrap_or(0))
}

fn insert(connection: &Connection, row: &StreamRow) -> Outcome<()> {
    let version = int(row.version)?;
    let opened = order(&row.facts);
    let mut statement = connection.prepare_cached(&INSERT)?;
    let fixed: [&dyn ToSql; 9] = [
        &row.key.authority.as_str(),
        &row.key.kind.as_str(),
        &&row.key.id.as_bytes()[..],
        &opened,
        &row.birth.as_str(),
        &version,
        &row.fold,
        &&row.head[..],
        &row.body,
    ];
    let facts = Fact::ALL.iter().map(|fact| fact_sql(row.facts.get(*fact)));
    let fixed = fixed.into_iter().map(ToSql::to_sql).collect::<Result<Vec<_>, _>>()?;
    for (n, value) in fixed.into_iter().chain(facts).enumerate() {
        statement.raw_bind_parameter(n + 1, value)?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// Writes the columns that changed, so that an index whose columns stay costs no page.
fn update(
    connection: &Connection,
    row: &StreamRow,
    n: i64,
    old_birth: &Word,
    old_facts: &Facts,
) -> Outcome<()> {
    let mut sql = "UPDATE stream SET version = ?, fold = ?, head = ?, body = ?".to_owned();
    let mut values: Vec<ToSqlOutput<'_>> = vec![
        int(row.version)?.into(),
        row.fold.into(),
        ToSqlOutput::Borrowed(ValueRef::Blob(&row.head)),
        ToSqlOutput::Borrowed(ValueRef::Blob(&row.body)),
    ];
    if row.birth != *old_birth {
        sql.push_str(", birth = ?");
        values.push(ToSqlOutput::Borrowed(ValueRef::Text(row.birth.as_str().as_bytes())));
    }
    if order(&row.facts) != order(old_facts) {
        sql.push_str(", opened = ?");
        values.push(order(&row.facts).into());
    }
    for fact in Fact::ALL {
        let new = row.facts.get(*fact);
        if new != old_facts.get(*fact) {
            sql.push_str(&format!(", {} = ?", quoted(*fact)));
            values.push(fact_sql(new));
        }
    }
    sql.push_str(" WHERE rowid = ?");
    values.push(n.into());
    let mut statement = connection.prepare_cached(&sql)?;
    for (n, value) in values.into_iter().enumerate() {
        statement.raw_bind_parameter(n + 1, value)?;
    }
    statement.raw_execute()?;
    Ok(())
}

fn stream_row(row: &Row<'_>) -> rusqlite::Result<StreamRow> {
    Ok(StreamRow {
        key: StreamKey::new(word(row, 0)?, word(row, 1)?, uuid(row, 2)?),
        birth: word(row, 3)?,
        version: number(row, 4)?,
        fold: row.get(5)?,
        head: row.get(6)?,
        body: row.get(7)?,
        facts: facts(row, 8)?,
    })
}

/// Reads a stream row.
pub(super) fn by_key(connection: &Connection, key: &StreamKey) -> Outcome<Option<StreamRow>> {
    Ok(connection
        .prepare_cached(&BY_KEY)?
        .query_row(params![key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..]], stream_row)
        .optional()?)
}

/// Reads the stream row of this number, with parts of its vault.
pub(super) fn by_row(
    connection: &Connection,
    n: i64,
    parts: impl IntoIterator<Item = Part>,
) -> Outcome<StreamRecord> {
    let row = connection.prepare_cached(&BY_ROW)?.query_row([n], stream_row)?;
    let vault = these(connection, &row.key, parts)?;
    Ok(StreamRecord { row, vault })
}

/// Reads these parts of a vault, as far as they are there.
pub(super) fn these(
    connection: &Connection,
    key: &StreamKey,
    parts: impl IntoIterator<Item = Part>,
) -> Outcome<BTreeMap<Part, Vec<u8>>> {
    let mut statement = connection
        .prepare_cached("SELECT bytes FROM vault WHERE authority = ? AND kind = ? AND id = ? AND part = ?")?;
    let mut out = BTreeMap::new();
    for part in parts {
        let found = statement
            .query_row(
                params![key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..], part],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(bytes) = found {
            out.insert(part, bytes);
        }
    }
    Ok(out)
}

/// Reads a whole vault.
pub(super) fn all(connection: &Connection, key: &StreamKey) -> Outcome<BTreeMap<Part, Vec<u8>>> {
    let mut statement = connection
        .prepare_cached("SELECT part, bytes FROM vault WHERE authority = ? AND kind = ? AND id = ?")?;
    let rows = statement
        .query_map(params![key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..]], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes a part of a vault.
pub(super) fn put_vault(connection: &Connection, key: &StreamKey, part: Part, bytes: &[u8]) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO vault (authority, kind, id, part, bytes) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute(params![key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..], part, bytes])?;
    Ok(())
}

/// Drops a part of a vault.
pub(super) fn drop_vault(connection: &Connection, key: &StreamKey, part: Part) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM vault WHERE authority = ? AND kind = ? AND id = ? AND part = ?")?
        .execute(params![key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..], part])?;
    Ok(())
}

/// Replaces the index entries of a field.
pub(super) fn put_index(
    connection: &Connection,
    key: &StreamKey,
    field: &Word,
    values: &[IndexValue],
) -> Outcome<()> {
    let (authority, kind, id) = (key.authority.as_str(), key.kind.as_str(), &key.id.as_bytes()[..]);
    connection
        .prepare_cached("DELETE FROM idx WHERE authority = ? AND kind = ? AND id = ? AND field = ?")?
        .execute(params![authority, kind, id, field.as_str()])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO idx (authority, kind, id, field, n, text, number) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (n, value) in values.iter().enumerate() {
        let n = i64::try_from(n).map_err(|_| corrupt("too many values"))?;
        let (text, number) = match value {
            IndexValue::Text(text) => (Some(text.as_str()), None),
            IndexValue::Number(number) => (None, Some(*number)),
        };
        insert.execute(params![authority, kind, id, field.as_str(), n, text, number])?;
    }
    Ok(())
}
