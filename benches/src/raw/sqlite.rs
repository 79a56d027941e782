//! SQLite by hand, with the settings of `grc-sqlite`.

use super::{Content, Dialect, Raw, Row, TABLES, Totals, Value, is_compared};
use crate::{Res, timing::timed};
use rusqlite::{
    Connection, OpenFlags, ToSql,
    config::DbConfig,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::Mutex,
    time::Duration,
};

/// One connection, which all callers share: several would only wait for one another's lock.
#[derive(Debug)]
pub struct Sqlite(Connection);

impl Sqlite {
    /// Opens a file whose tables are there.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(file: &Path) -> Res<Self> {
        let connection = Connection::open_with_flags(
            file,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;
             PRAGMA cache_size=-8192; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF",
        )?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self(connection))
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Raw for Sqlite {
    fn write(&mut self, callers: usize, transactions: &[Vec<Row>]) -> Res<Duration> {
        // The texts are put together before anything is timed.
        let texts: Vec<Vec<String>> = transactions
            .iter()
            .map(|rows| rows.iter().map(|row| row.sql(Dialect::Sqlite)).collect())
            .collect();
        let shared = Mutex::new(&mut self.0);
        timed(&mut vec![(); callers], transactions.len(), |(), n| {
            let connection = shared.lock().map_err(|_| "a caller panicked")?;
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let (rows, texts) = (transactions.get(n), texts.get(n));
            for (row, text) in rows.into_iter().flatten().zip(texts.into_iter().flatten()) {
                connection.prepare_cached(text)?.execute(rusqlite::params_from_iter(row.values()))?;
            }
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        })
    }

    fn page(&mut self, agent: &str, limit: u32) -> Res<usize> {
        let mut statement = self.0.prepare_cached(
            "SELECT * FROM stream WHERE authority = 'town' AND kind = 'request' AND f_agent = ? AND f_closed IS NULL
             ORDER BY opened DESC, id DESC LIMIT ?",
        )?;
        let mut sealed = self.0.prepare_cached(
            "SELECT bytes FROM vault WHERE authority = 'town' AND kind = 'request' AND id = ? AND part = 0",
        )?;
        let mut rows = statement.query(rusqlite::params![agent, limit])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get("body")?;
            let id: Vec<u8> = row.get("id")?;
            let sealed: Vec<u8> = sealed.query_row([id], |row| row.get(0))?;
            count += usize::from(!body.is_empty() && !sealed.is_empty());
        }
        Ok(count)
    }

    fn by_service(&mut self) -> Res<BTreeMap<String, i64>> {
        let mut statement = self.0.prepare_cached(
            "SELECT f_service, count(*) FROM stream WHERE authority = 'town' AND kind = 'request' GROUP BY f_service",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn totals(&mut self) -> Res<Totals> {
        let mut out = Totals::new();
        for (table, bytes) in TABLES {
            let sql = format!(
                "SELECT count(*), coalesce(sum(length({bytes})), 0) FROM {table} WHERE authority = 'town'"
            );
            out.insert(table, self.0.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?);
        }
        Ok(out)
    }

    fn content(&mut self) -> Res<Content> {
        let mut out = Content::new();
        for table in TABLES.map(|(table, _)| table).into_iter().chain(["document"]) {
            let mut names = self.0.prepare("SELECT name FROM pragma_table_info(?) ORDER BY name")?;
            let names: Vec<String> = names.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let columns: Vec<String> = names
                .iter()
                .filter(|name| is_compared(table, name))
                .map(|name| format!("quote({name})"))
                .collect();
            let sql = format!("SELECT {} FROM {table} WHERE authority = 'town'", columns.join(" || ',' || "));
            let mut rows = self.0.prepare(&sql)?;
            let mut sum = 0_u64;
            for row in rows.query_map([], |row| row.get::<_, String>(0))? {
                let mut hasher = DefaultHasher::new();
                row?.hash(&mut hasher);
                sum = sum.wrapping_add(hasher.finish());
            }
            out.insert(table, sum);
        }
        Ok(out)
    }
}
