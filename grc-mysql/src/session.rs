//! One connection on loan: its statements, each within the patience of the options, and its transactions.

use crate::{
    address::STATEMENTS,
    error::{Fault, Outcome},
    nodes::Nodes,
};
use sqlx::{
    Connection, Execute, Executor, MySql, MySqlConnection, Row, mysql::MySqlArguments, mysql::MySqlRow,
    pool::PoolConnection,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{error::Elapsed, timeout};

type Answer<T> = Result<Result<T, sqlx::Error>, Elapsed>;

/// A statement with its values.
pub(crate) type Sql<'a> = sqlx::query::Query<'a, MySql, MySqlArguments>;

/// Whether there is a transaction.
const THERE: &str = "SELECT CAST(@@in_transaction AS SIGNED)";

/// A statement whose text is put together here, from constants and question marks; values are always bound.
pub(crate) fn sql<'a>(text: String) -> Sql<'a> {
    sqlx::query(sqlx::AssertSqlSafe(text))
}

/// As many question marks.
pub(crate) fn holes(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// A connection on loan. It goes back when it is dropped, unless it is in a state that nobody knows: then it is closed,
/// and the server rolls back what was not committed.
#[derive(Debug)]
pub(crate) struct Session {
    // None only within `drop`.
    connection: Option<PoolConnection<MySql>>,
    patience: Duration,
    /// Whether a transaction is open, or a statement was given up.
    unclean: bool,
    /// Whether it is of no more use, whatever becomes of its transaction.
    spoilt: bool,
    /// Which of several servers it leads to.
    node: Option<(Arc<Nodes>, usize)>,
    /// Whether that is a node of a cluster.
    clustered: bool,
}

impl Session {
    pub(crate) const fn new(connection: PoolConnection<MySql>, patience: Duration, clustered: bool) -> Self {
        Self { connection: Some(connection), patience, unclean: false, spoilt: false, node: None, clustered }
    }

    /// One that leads to this of several servers.
    pub(crate) fn of(mut self, nodes: &Arc<Nodes>, at: usize) -> Self {
        self.node = Some((Arc::clone(nodes), at));
        self
    }

    /// How long the next statements are waited for. Answers how long it was before.
    pub(crate) const fn set_patience(&mut self, patience: Duration) -> Duration {
        std::mem::replace(&mut self.patience, patience)
    }

    /// What became of a statement. Whoever does not answer in time is not waited for.
    fn settle<T>(&mut self, was_unclean: bool, answer: Answer<T>) -> Outcome<T> {
        let fault = match answer {
            Ok(Ok(out)) => {
                self.unclean = was_unclean;
                return Ok(out);
            }
            Ok(Err(error)) => Fault::Driver(error),
            Err(_) => Fault::Silent,
        };
        self.unclean = was_unclean;
        self.spoilt |= fault.is_lost() || fault.is_of_connection() || fault.is_of_node();
        // Outside of a transaction little is waited for but the other nodes of a cluster, of which this one is cut off.
        let cut_off = fault.is_wait() && !was_unclean;
        if let Some((nodes, at)) = &self.node
            && (cut_off || self.spoilt)
        {
            nodes.leave(*at);
        }
        Err(fault)
    }

    /// The connection, for one statement; unclean until it is settled.
    fn lend(&mut self) -> Outcome<(bool, Duration, &mut MySqlConnection)> {
        let (was_unclean, patience) = (std::mem::replace(&mut self.unclean, true), self.patience);
        let connection = self.connection.as_mut().ok_or(Fault::Silent)?;
        Ok((was_unclean, patience, connection))
    }

    /// Prepares a statement of a transaction on a cluster, and sees whether the transaction is still there. A node rolls back
    /// a transaction that stands in another node's way, and says so (1213) to the command that comes next. Seen with MariaDB
    /// 10.11.19, some times in a thousand transactions that met others: if that command prepares a statement, it may
    /// succeed without a word; and what follows is outside of any transaction, and done for good. Statements that a connection
    /// has prepared before were never seen to pass over it.
    async fn ready<'a>(&mut self, mut sql: Sql<'a>) -> Outcome<Sql<'a>> {
        if !self.clustered || !self.unclean {
            return Ok(sql);
        }
        let values = sql.take_arguments().map_err(sqlx::Error::Encode)?.unwrap_or_default();
        let text = sql.sql();
        let (unclean, patience, connection) = self.lend()?;
        let prepare = async {
            let before = connection.cached_statements_size();
            (&mut *connection).prepare(text.clone()).await?;
            // One that was prepared before is not sent; where there is no room for more, that does not show.
            if connection.cached_statements_size() == before && before < STATEMENTS {
                return Ok(true);
            }
            let row = (&mut *connection).fetch_one(sqlx::raw_sql(THERE)).await?;
            row.try_get::<i64, _>(0).map(|there| there == 1)
        };
        let answer = timeout(patience, prepare).await;
        if self.settle(unclean, answer)? { Ok(sqlx::query_with(text, values)) } else { Err(Fault::Aborted) }
    }

    /// Runs a statement. Answers how many rows it met, whether it changed them or not.
    pub(crate) async fn execute(&mut self, sql: Sql<'_>) -> Outcome<u64> {
        let sql = self.ready(sql).await?;
        let (unclean, patience, connection) = self.lend()?;
        let answer = timeout(patience, sql.execute(connection)).await;
        self.settle(unclean, answer).map(|done| done.rows_affected())
    }

    pub(crate) async fn rows(&mut self, sql: Sql<'_>) -> Outcome<Vec<MySqlRow>> {
        let sql = self.ready(sql).await?;
        let (unclean, patience, connection) = self.lend()?;
        let answer = timeout(patience, sql.fetch_all(connection)).await;
        self.settle(unclean, answer)
    }

    pub(crate) async fn row(&mut self, sql: Sql<'_>) -> Outcome<Option<MySqlRow>> {
        let sql = self.ready(sql).await?;
        let (unclean, patience, connection) = self.lend()?;
        let answer = timeout(patience, sql.fetch_optional(connection)).await;
        self.settle(unclean, answer)
    }

    /// Runs statements without values, in one turn.
    pub(crate) async fn raw(&mut self, sql: &'static str) -> Outcome<()> {
        let (unclean, patience, connection) = self.lend()?;
        let answer = timeout(patience, connection.execute(sqlx::raw_sql(sql))).await;
        self.settle(unclean, answer).map(|_| ())
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&mut self) -> Outcome<()> {
        self.raw("START TRANSACTION").await?;
        self.unclean = true;
        Ok(())
    }

    /// Begins a transaction that reads, all of one moment.
    pub(crate) async fn begin_reading(&mut self) -> Outcome<()> {
        let begun =
            self.raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION READ ONLY").await;
        // Of the two, the first may have been done.
        self.unclean = true;
        begun
    }

    pub(crate) async fn commit(&mut self) -> Outcome<()> {
        self.raw("COMMIT").await?;
        self.unclean = false;
        Ok(())
    }

    /// Has the server flush all that was seen on this connection. It shows a commit before it has flushed it: who tells a
    /// caller that something is done, because it was seen, vouches for it. A commit of one's own takes all before it
    /// along. Not within a transaction.
    pub(crate) async fn flush(&mut self) -> Outcome<()> {
        let write = "INSERT INTO grc_schema (name, version) VALUES ('flush', 1)
                     ON DUPLICATE KEY UPDATE version = version + 1";
        self.execute(sqlx::query(write)).await.map(|_| ())
    }

    /// Takes back what was not committed. If that fails, the connection is closed, which does the same; one of which that
    /// is known is not waited for.
    pub(crate) async fn rollback(&mut self) {
        if !self.spoilt && self.raw("ROLLBACK").await.is_ok() {
            self.unclean = false;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if (self.unclean || self.spoilt)
            && let Some(connection) = self.connection.take()
        {
            drop(connection.detach());
        }
    }
}
