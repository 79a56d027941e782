//! A MySQL or MariaDB server by hand, on a connection a caller.

use super::{Dialect, Raw, Row, TABLES, Totals, Value, plan::is_number};
use crate::{Res, timing::timed};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, MySql, MySqlConnection, Row as _,
    mysql::{MySqlArguments, MySqlConnectOptions},
    query::Query,
};
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// A caller: a connection, and what runs it.
struct Hand {
    runtime: Runtime,
    connection: MySqlConnection,
}

/// Connections to a database whose tables are there.
pub struct Mysql {
    address: String,
    hands: Vec<Hand>,
}

impl fmt::Debug for Mysql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mysql").field("hands", &self.hands.len()).finish_non_exhaustive()
    }
}

impl Mysql {
    /// Connects to a database, by one connection so far.
    ///
    /// # Errors
    /// If the server refuses it.
    pub fn open(address: &str) -> Res<Self> {
        let mut out = Self { address: address.to_owned(), hands: Vec::new() };
        out.need(1)?;
        Ok(out)
    }

    fn need(&mut self, hands: usize) -> Res<()> {
        while self.hands.len() < hands {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let options: MySqlConnectOptions = self.address.parse()?;
            let connection = runtime.block_on(async {
                let mut connection = options.statement_cache_capacity(256).connect().await?;
                sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                    .execute(&mut connection)
                    .await?;
                Ok::<_, sqlx::Error>(connection)
            })?;
            self.hands.push(Hand { runtime, connection });
        }
        Ok(())
    }

    fn one(&mut self) -> Res<&mut Hand> {
        self.hands.first_mut().ok_or_else(|| "there is no connection".into())
    }
}

fn bind<'q>(
    sql: Query<'q, MySql, MySqlArguments>,
    name: &str,
    value: &'q Value,
) -> Query<'q, MySql, MySqlArguments> {
    match value {
        Value::Null if name == "number" || is_number(name) => sql.bind(None::<i64>),
        Value::Null => sql.bind(None::<&[u8]>),
        Value::Integer(number) => sql.bind(*number),
        Value::Text(text) => sql.bind(text.as_bytes()),
        Value::Bytes(bytes) => sql.bind(&bytes[..]),
    }
}

impl Hand {
    fn transaction(&mut self, rows: &[Row], texts: &[String]) -> Res<()> {
        let Self { runtime, connection } = self;
        runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            for (row, text) in rows.iter().zip(texts) {
                let sql = sqlx::query(AssertSqlSafe(text.clone()));
                let columns = row.rest.iter().chain(&row.key);
                let sql = columns.fold(sql, |sql, (name, value)| bind(sql, name, value));
                sql.execute(&mut *transaction).await?;
            }
            Ok(transaction.commit().await?)
        })
    }
}

impl Raw for Mysql {
    fn write(&mut self, callers: usize, transactions: &[Vec<Row>]) -> Res<Duration> {
        self.need(callers)?;
        let texts: Vec<Vec<String>> = transactions
            .iter()
            .map(|rows| rows.iter().map(|row| row.sql(Dialect::Mysql)).collect())
            .collect();
        let hands = self.hands.get_mut(..callers).ok_or("too few connections")?;
        timed(hands, transactions.len(), |hand, n| match (transactions.get(n), texts.get(n)) {
            (Some(rows), Some(texts)) => hand.transaction(rows, texts),
            _ => Ok(()),
        })
    }

    fn page(&mut self, agent: &str, limit: u32) -> Res<usize> {
        let Hand { runtime, connection } = self.one()?;
        runtime.block_on(async {
            let rows = sqlx::query(
                "SELECT * FROM grc_stream WHERE authority = 'town' AND kind = 'request' AND f_agent = ?
                 AND f_closed IS NULL ORDER BY opened DESC, id DESC LIMIT ?",
            )
            .bind(agent.as_bytes())
            .bind(limit)
            .fetch_all(&mut *connection)
            .await?;
            let mut sealed =
                "SELECT bytes FROM grc_vault WHERE authority = 'town' AND kind = 'request' AND part = 0
                              AND id IN ("
                    .to_owned();
            sealed.push_str(&vec!["?"; rows.len()].join(", "));
            sealed.push(')');
            let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
            let sql = ids.iter().fold(sqlx::query(AssertSqlSafe(sealed)), |sql, id| sql.bind(&id[..]));
            let parts = sql.fetch_all(connection).await?;
            let bodies: Vec<Vec<u8>> =
                rows.iter().map(|row| row.try_get("body")).collect::<Result<_, _>>()?;
            Ok(bodies.len().min(parts.len()))
        })
    }

    fn by_service(&mut self) -> Res<BTreeMap<String, i64>> {
        let Hand { runtime, connection } = self.one()?;
        runtime.block_on(async {
            let rows = sqlx::query(
                "SELECT f_service, COUNT(*) FROM grc_stream WHERE authority = 'town' AND kind = 'request'
                 GROUP BY f_service",
            )
            .fetch_all(connection)
            .await?;
            let read = |row: &sqlx::mysql::MySqlRow| -> Res<(String, i64)> {
                Ok((String::from_utf8(row.try_get(0)?)?, row.try_get(1)?))
            };
            rows.iter().map(read).collect()
        })
    }

    fn totals(&mut self) -> Res<Totals> {
        let Hand { runtime, connection } = self.one()?;
        runtime.block_on(async {
            let mut out = Totals::new();
            for (table, bytes) in TABLES {
                let name = if table == "idx" { "index" } else { table };
                let sql = format!(
                    "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(`{bytes}`)), 0) AS SIGNED) FROM grc_{name}
                     WHERE authority = 'town'"
                );
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
                out.insert(table, (row.try_get(0)?, row.try_get(1)?));
            }
            Ok(out)
        })
    }
}
