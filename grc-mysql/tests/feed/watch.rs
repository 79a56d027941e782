//! What the server says of the connections of a process that stands still.

use crate::{
    common::{block_on, connect},
    load::writer::{SHARED, Writer},
    process::Process,
    support::wait_for,
};
use private_server::Server;
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};
use std::collections::BTreeSet;

/// Looks at the server, on two connections: one sees what is committed, the other what is not, too.
pub(crate) struct Watch {
    committed: MySqlConnection,
    all: MySqlConnection,
}

/// The transactions that a process that stands still has open, between its last statement and COMMIT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Open {
    /// The batches that are written into the feed, and not committed.
    pub(crate) batches: BTreeSet<u128>,
    /// How many rows each transaction has written, whether it came as far as the feed or not. The server's answer may
    /// be a tenth of a second old.
    pub(crate) rows: Vec<u64>,
}

impl Watch {
    pub(crate) fn new(server: &Server, address: &str) -> Self {
        let database = address.rsplit('/').next().unwrap();
        block_on(async {
            let (mut committed, mut all) = (connect(server, database).await, connect(server, database).await);
            committed.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await.unwrap();
            all.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED").await.unwrap();
            Self { committed, all }
        })
    }

    /// Waits until no COMMIT of the process is under way that the server has begun.
    pub(crate) fn settle(&mut self, process: &Process) {
        let busy = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{}' AND info LIKE 'COMMIT%'",
            process.user
        );
        wait_for("the server to have committed", || {
            let row = block_on(self.committed.fetch_one(AssertSqlSafe(busy.clone()))).unwrap();
            row.get::<i64, _>(0) == 0
        });
    }

    /// The transactions of a process that stands still.
    pub(crate) fn open(&mut self, process: &Process) -> Open {
        let (role, mut out) = (&process.role, Open::default());
        let from = Writer::first_id(role.first);
        let until = Writer::first_id(role.first + role.shares.len() as u16);
        let read =
            format!("SELECT batch FROM grc_change WHERE batch >= x'{from:032x}' AND batch < x'{until:032x}'");
        let written = batches(&mut self.all, &read);
        out.batches = &written - &batches(&mut self.committed, &read);
        let rows = format!(
            "SELECT t.trx_rows_modified FROM information_schema.innodb_trx t
             JOIN information_schema.processlist p ON t.trx_mysql_thread_id = p.id
             WHERE p.user = '{}' AND t.trx_rows_modified > 0 AND p.command = 'Sleep'",
            process.user
        );
        let rows = block_on(self.committed.fetch_all(AssertSqlSafe(rows))).unwrap();
        out.rows = rows.iter().map(|row| row.get(0)).collect();
        out
    }

    /// Those of some batches that are committed.
    pub(crate) fn committed(&mut self, batches: &BTreeSet<u128>) -> BTreeSet<u128> {
        let all = self::batches(&mut self.committed, "SELECT batch FROM grc_change");
        batches & &all
    }

    /// A stream that a batch, committed or not, has written and others write too; and its version before.
    pub(crate) fn contended(&mut self, batch: u128) -> Option<(u128, u64)> {
        let read =
            format!("SELECT id, sequence FROM grc_event WHERE batch = x'{batch:032x}' ORDER BY id LIMIT 1");
        let row = block_on(self.all.fetch_optional(AssertSqlSafe(read))).unwrap()?;
        let stream = u128::from_be_bytes(row.get::<Vec<u8>, _>(0).try_into().unwrap());
        (stream <= SHARED as u128).then(|| (stream, row.get::<u64, _>(1) - 1))
    }
}

fn batches(connection: &mut MySqlConnection, read: &str) -> BTreeSet<u128> {
    let rows = block_on(connection.fetch_all(AssertSqlSafe(read.to_owned()))).unwrap();
    rows.iter().map(|row| u128::from_be_bytes(row.get::<Vec<u8>, _>(0).try_into().unwrap())).collect()
}
