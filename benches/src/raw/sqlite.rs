//! SQLite by hand, with the settings of `grc-sqlite`.

use super::{Dialect, Raw, Row, TABLES, Totals, Value};
use crate::{Res, timing::timed};
use rusqlite::{
    Connection, OpenFlags, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use std::{collections::BTreeMap, path::Path, sync::Mutex, time::Duration};

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
            let mut connection = shared.lock().map_err(|_| "a caller panicked")?;
            let transaction = connection.transaction()?;
            let (rows, texts) = (transactions.get(n), texts.get(n));
            for (row, text) in rows.into_iter().flatten().zip(texts.into_iter().flatten()) {
                transaction.prepare_cached(text)?.execute(rusqlite::params_from_iter(row.values()))?;
            }
            Ok(transaction.commit()?)
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
}
