//! A MySQL or MariaDB server by hand, on a connection a caller.

use super::{Content, Dialect, Raw, Row, TABLES, Totals, Value, is_compared, plan::is_number};
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
    fn transaction(&mut self, statements: &[(String, &[Row])]) -> Res<()> {
        let Self { runtime, connection } = self;
        runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            for (text, rows) in statements {
                let sql = sqlx::query(AssertSqlSafe(text.clone()));
                let columns = rows.iter().flat_map(|row| row.rest.iter().chain(&row.key));
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
        // The texts are put together before anything is timed. New rows of a table that follow one another are one statement.
        let texts: Vec<Vec<(String, &[Row])>> = transactions
            .iter()
            .map(|rows| {
                let statements = rows.chunk_by(Row::is_joined_by);
                statements.map(|rows| (Row::all_sql(rows, Dialect::Mysql), rows)).collect()
            })
            .collect();
        let hands = self.hands.get_mut(..callers).ok_or("too few connections")?;
        timed(hands, texts.len(), |hand, n| {
            texts.get(n).map_or(Ok(()), |statements| hand.transaction(statements))
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

    fn content(&mut self) -> Res<Content> {
        let Hand { runtime, connection } = self.one()?;
        runtime.block_on(async {
            let mut out = Content::new();
            for table in TABLES.map(|(table, _)| table).into_iter().chain(["document"]) {
                let name = if table == "idx" { "grc_index".to_owned() } else { format!("grc_{table}") };
                let sql = "SELECT CAST(column_name AS CHAR) FROM information_schema.columns
                           WHERE table_schema = DATABASE() AND table_name = ? ORDER BY column_name";
                let names: Vec<String> = sqlx::query_scalar(sql).bind(&name).fetch_all(&mut *connection).await?;
                let columns: Vec<String> = names
                    .iter()
                    .filter(|name| is_compared(table, name))
                    .map(|name| format!("IFNULL(HEX(`{name}`), '-')"))
                    .collect();
                let sql = format!(
                    "SELECT CAST(COALESCE(SUM(CAST(CONV(LEFT(MD5(CONCAT_WS(',', {})), 8), 16, 10) AS UNSIGNED)), 0)
                     AS UNSIGNED) FROM {name} WHERE authority = 'town'",
                    columns.join(", ")
                );
                out.insert(table, sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?);
            }
            Ok(out)
        })
    }
}
