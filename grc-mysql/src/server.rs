//! A database of a server, or of several that hold the same: what is done with its connections, and repeated.

use crate::{
    Options,
    error::{Fault, Outcome},
    nodes::Nodes,
    session::{Session, Sql},
};
use grc_core::storage::StorageError;
use sqlx::mysql::MySqlRow;
use std::{pin::Pin, sync::Arc};

/// A database of a server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    nodes: Arc<Nodes>,
    options: Options,
}

impl Server {
    /// Where `address` leads. Nothing is connected yet.
    pub(crate) fn at(address: &str, options: &Options) -> Result<Self, StorageError> {
        Ok(Self { nodes: Arc::new(Nodes::at(address, options)?), options: options.clone() })
    }

    pub(crate) fn place(&self) -> &str {
        self.nodes.place()
    }

    /// The connections that there may be at once.
    pub(crate) const fn connections(&self) -> u32 {
        self.options.connections
    }

    /// How often a lock is waited for, a second each time.
    pub(crate) fn lock_waits(&self) -> u32 {
        u32::try_from(self.options.lock_wait.as_secs()).unwrap_or(u32::MAX).max(1)
    }

    /// How many servers there are to go to when one fails.
    pub(crate) fn others(&self) -> usize {
        self.nodes.others()
    }

    /// Makes one connection, and says what stands against it.
    pub(crate) async fn try_out(&self) -> Outcome<()> {
        self.nodes.try_out().await
    }

    /// A connection on loan.
    pub(crate) async fn session(&self) -> Outcome<Session> {
        self.nodes.session().await
    }

    /// Whether the next connection is a new one, as far as can be seen.
    pub(crate) fn is_next_new(&self) -> bool {
        self.nodes.is_next_new()
    }

    /// Reads something, all of one moment.
    pub(crate) async fn read<C: Sync, T>(
        &self,
        what: &C,
        work: for<'a> fn(&'a mut Session, &'a C) -> Reading<'a, T>,
    ) -> Outcome<T> {
        self.again(|| async {
            let mut session = self.session().await?;
            session.begin_reading().await?;
            let out = work(&mut session, what).await;
            session.rollback().await;
            out
        })
        .await
    }

    /// Reads the rows of one statement.
    pub(crate) async fn rows(&self, sql: impl Fn() -> Sql<'static> + Sync) -> Outcome<Vec<MySqlRow>> {
        self.again(|| {
            let sql = sql();
            async move { self.session().await?.rows(sql).await }
        })
        .await
    }

    /// Runs one statement that may be run twice.
    pub(crate) async fn execute(&self, sql: impl Fn() -> Sql<'static> + Sync) -> Outcome<u64> {
        self.again(|| {
            let sql = sql();
            async { self.session().await?.execute(sql).await }
        })
        .await
    }

    /// Does something that may be done twice, until its connection lives and nobody stands in its way.
    pub(crate) async fn again<T, F: Future<Output = Outcome<T>>>(&self, work: impl Fn() -> F) -> Outcome<T> {
        // All idle connections may be dead, when the server was started anew.
        let mut left = self.connections() + 8;
        let mut is_new = false;
        let mut hops = self.others();
        loop {
            match work().await {
                Err(fault) if left > 0 && may_pass(&fault) => {}
                // The session has seen to it that the next one leads to another server.
                Err(fault) if hops > 0 && fault.is_of_node() => hops -= 1,
                Err(fault) if left > 0 && fault.is_of_connection() && !is_new => is_new = self.is_next_new(),
                other => return other,
            }
            left -= 1;
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.nodes.close().await;
    }
}

/// What is read, as a future that a function pointer can name.
pub(crate) type Reading<'a, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'a>>;

/// Whether the same may succeed at once: a connection was dead, or another transaction stood in the way.
fn may_pass(fault: &Fault) -> bool {
    !matches!(fault, Fault::Silent) && (fault.is_lost() || fault.is_clash())
}
