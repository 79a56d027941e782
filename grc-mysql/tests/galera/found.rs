//! What is in the tables of a node, read past the store, when nobody writes any more.

use crate::{nodes::causal, people::TOWN, town::DATABASE};
use grc_core::storage::{Change, Touched};
use private_server::Server;
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

/// What must be the same on all nodes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Of each table, how many rows it has and their sum.
    tables: BTreeMap<String, (u64, u64)>,
    pub(crate) batches: BTreeSet<u128>,
    pub(crate) requests: u64,
    pub(crate) codes: u64,
    /// Messages that are still to be sent.
    pub(crate) waiting: u64,
}

async fn number(connection: &mut MySqlConnection, read: &'static str) -> u64 {
    let row = connection.fetch_one(read).await.unwrap();
    u64::try_from(row.get::<i64, _>(0)).unwrap()
}

impl Found {
    pub(crate) async fn read(node: &Server) -> Self {
        let mut connection = causal(node, DATABASE).await;
        let names = connection.fetch_all("SHOW TABLES LIKE 'grc_%'").await.unwrap();
        let mut tables = BTreeMap::new();
        for row in names {
            let name: String = row.get(0);
            let sum = AssertSqlSafe(format!("CHECKSUM TABLE {name} EXTENDED"));
            let sum = connection.fetch_one(sum).await.unwrap().get::<i64, _>(1);
            let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {name}"));
            let count = connection.fetch_one(count).await.unwrap().get::<i64, _>(0);
            tables.insert(name, (u64::try_from(count).unwrap(), u64::try_from(sum).unwrap()));
        }
        let batches = Self::lanes(&mut connection).await;
        let connection = &mut connection;
        Self {
            tables,
            batches,
            requests: number(connection, "SELECT COUNT(*) FROM grc_stream WHERE kind = 'request'").await,
            codes: number(connection, "SELECT COUNT(*) FROM grc_link WHERE link = 'tracking'").await,
            waiting: number(connection, "SELECT COUNT(*) FROM grc_task WHERE what = 'deliver'").await,
        }
    }

    /// The batches of the feed, whose lanes have no gap.
    async fn lanes(connection: &mut MySqlConnection) -> BTreeSet<u128> {
        let read =
            format!("SELECT lane, n, batch FROM grc_change WHERE authority = '{TOWN}' ORDER BY lane, n");
        let mut lanes: BTreeMap<u8, u64> = BTreeMap::new();
        let mut out = BTreeSet::new();
        for row in connection.fetch_all(AssertSqlSafe(read)).await.unwrap() {
            let last = lanes.entry(row.get(0)).or_default();
            *last += 1;
            assert_eq!(row.get::<u64, _>(1), *last, "a lane has no gap");
            let batch = u128::from_be_bytes(row.get::<Vec<u8>, _>(2).try_into().unwrap());
            assert!(out.insert(batch), "{batch:032x} is in the feed twice");
        }
        out
    }

    /// The tables that have other rows elsewhere.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let differs = |(name, sum): (&String, &(u64, u64))| {
            let other = other.tables.get(name).copied();
            (other != Some(*sum)).then(|| format!("{name}: {sum:?}, {other:?}"))
        };
        self.tables.iter().filter_map(differs).collect()
    }
}

/// Each batch comes once, and the versions of each stream rise. Answers the batches.
#[track_caller]
pub(crate) fn check_order(changes: &[Change]) -> BTreeSet<u128> {
    let mut batches = BTreeSet::new();
    let mut last: BTreeMap<u128, u64> = BTreeMap::new();
    for change in changes {
        let id = change.batch.uuid().as_u128();
        assert!(batches.insert(id), "{id:032x} comes twice");
        for touched in &change.touched {
            let Touched::Stream(stream, version) = touched else { continue };
            let before = last.insert(stream.id.as_u128(), *version).unwrap_or(0);
            let wrote =
                change.touched.iter().any(|one| matches!(one, Touched::Events(key, _) if key == stream));
            let rises = if wrote { *version > before } else { *version >= before };
            assert!(rises, "{stream:?}: {id:032x} says version {version} after {before}");
        }
    }
    batches
}
