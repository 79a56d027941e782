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
            // A MySQL server fails now and then to show statements that have bytes in them.
            let row = block_on(self.committed.fetch_one(AssertSqlSafe(busy.clone())));
            row.is_ok_and(|row| row.get::<i64, _>(0) == 0)
        });
    }

    /// The batches of a process that stands still between its last statement and COMMIT: those that are written into the
    /// feed, and not committed.
    pub(crate) fn open(&mut self, process: &Process) -> BTreeSet<u128> {
        let role = &process.role;
        let from = Writer::first_id(role.first);
        let until = Writer::first_id(role.first + role.shares.len() as u16);
        let read =
            format!("SELECT batch FROM grc_change WHERE batch >= x'{from:032x}' AND batch < x'{until:032x}'");
        let written = batches(&mut self.all, &read);
        &written - &batches(&mut self.committed, &read)
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
