//! What is in the tables, all of one moment, read past the store.

use super::plan::Plan;
use sqlx::{Executor, MySqlConnection, Row, mysql::MySqlRow};
use std::collections::{BTreeMap, BTreeSet};

/// What is there.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The batches of the feed.
    pub(crate) batches: BTreeSet<u128>,
    /// What each batch wrote: streams and versions.
    written: BTreeMap<u128, BTreeSet<(u128, u64)>>,
    /// The batch of the last event of each stream, and its sequence.
    last: BTreeMap<u128, (u128, u64)>,
    links: BTreeSet<(u128, u128)>,
}

fn id(row: &MySqlRow, column: usize) -> u128 {
    u128::from_be_bytes(row.get::<Vec<u8>, _>(column).try_into().unwrap())
}

impl Found {
    /// Reads all, and checks that nothing is half there.
    pub(crate) async fn read(connection: &mut MySqlConnection) -> Self {
        connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await.unwrap();
        connection.execute(sqlx::raw_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")).await.unwrap();
        let mut out = Self::default();
        out.feed(connection).await;
        out.events(connection).await;
        out.rows(connection).await;
        connection.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
        for (batch, made) in &out.written {
            assert!(out.batches.contains(batch), "{batch} is half there: not in the feed");
            for (stream, _) in made {
                assert!(out.links.contains(&(*batch, *stream)), "{batch} is half there: no link to {stream}");
            }
        }
        assert_eq!(out.links.len(), out.written.values().map(BTreeSet::len).sum::<usize>());
        out
    }

    async fn feed(&mut self, connection: &mut MySqlConnection) {
        let mut lanes: BTreeMap<u8, u64> = BTreeMap::new();
        let read = "SELECT lane, n, batch FROM grc_change ORDER BY lane, n";
        for row in connection.fetch_all(read).await.unwrap() {
            let last = lanes.entry(row.get(0)).or_default();
            *last += 1;
            assert_eq!(row.get::<u64, _>(1), *last, "a lane has no gap");
            assert!(self.batches.insert(id(&row, 2)), "{} is in the feed twice", id(&row, 2));
        }
    }

    async fn events(&mut self, connection: &mut MySqlConnection) {
        let read = "SELECT id, sequence, batch FROM grc_event ORDER BY id, sequence";
        for row in connection.fetch_all(read).await.unwrap() {
            let (stream, sequence, batch) = (id(&row, 0), row.get::<u64, _>(1), id(&row, 2));
            let before = self.last.insert(stream, (batch, sequence)).map_or(0, |(_, sequence)| sequence);
            assert_eq!(sequence, before + 1, "the events of {stream} have no gap");
            self.written.entry(batch).or_default().insert((stream, sequence));
        }
    }

    /// The rows of a stream are of the batch of its last event.
    async fn rows(&mut self, connection: &mut MySqlConnection) {
        for (table, column) in [("grc_stream", "body"), ("grc_vault", "bytes"), ("grc_measure", "bytes")] {
            let read = format!("SELECT id, {column} FROM {table}");
            let rows = connection.fetch_all(sqlx::AssertSqlSafe(read)).await.unwrap();
            assert_eq!(rows.len(), self.last.len(), "{table}: one row a stream");
            for row in rows {
                let stream = id(&row, 0);
                assert_eq!(self.last[&stream].0, id(&row, 1), "{table}: {stream} is half there");
            }
        }
        for row in connection.fetch_all("SELECT id, version FROM grc_stream").await.unwrap() {
            assert_eq!(self.last[&id(&row, 0)].1, row.get::<u64, _>(1), "the version is that of the events");
        }
        for row in connection.fetch_all("SELECT `key` FROM grc_link").await.unwrap() {
            let key = row.get::<Vec<u8>, _>(0);
            let (batch, stream) = key.split_at(16);
            let number = |bytes: &[u8]| u128::from_be_bytes(bytes.try_into().unwrap());
            self.links.insert((number(batch), number(stream)));
        }
    }

    /// Whether a batch is there, whole.
    pub(crate) fn holds(&self, plan: &Plan) -> bool {
        let made = plan.made().collect::<BTreeSet<_>>();
        self.batches.contains(&plan.id)
            && self.written.get(&plan.id).map_or(made.is_empty(), |written| *written == made)
    }
}
