//! The cluster that the cases of this program share, and what they ask its nodes.

use crate::common::{block_on, connect};
use private_server::{Cluster, Server, Setup};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, Row};
use std::{
    sync::{
        Condvar, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How many nodes a cluster has.
pub(crate) const NODES: usize = 3;

/// Not flushed: its cases do not cut the power.
static CLUSTER: LazyLock<Cluster> =
    LazyLock::new(|| start(&Setup::new().option("innodb-flush-log-at-trx-commit=2")));

pub(crate) fn start(setup: &Setup) -> Cluster {
    Cluster::start(setup, NODES).unwrap_or_else(|error| panic!("{error}"))
}

/// The cluster that all cases share.
pub(crate) fn cluster() -> &'static Cluster {
    &CLUSTER
}

/// The name of a fresh database, which is there on all nodes.
pub(crate) fn fresh(cluster: &Cluster) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
    crate::common::run(&cluster.nodes()[0], &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
    for node in cluster.nodes() {
        // Without it, whoever connects to the others may be told that there is no such database.
        crate::common::run(node, "SET SESSION wsrep_sync_wait = 1; SELECT 1");
    }
    name
}

/// What a node says of itself; none if it does not answer.
pub(crate) fn status(node: &Server, name: &str) -> Option<String> {
    let read = format!("SHOW STATUS WHERE Variable_name = '{name}'");
    let ask = async {
        let mut connection = connect(node, "grc").await;
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(read))).await.ok()?;
        let value = row.get::<String, _>(1);
        let _ = connection.close().await;
        Some(value)
    };
    block_on(async { tokio::time::timeout(Duration::from_secs(5), ask).await }).ok().flatten()
}

/// Waits until a node says that it serves (`ON`), or that it does not.
#[track_caller]
pub(crate) fn wait_until_ready(node: &Server, ready: &str) {
    for _ in 0..300 {
        if status(node, "wsrep_ready").as_deref() == Some(ready) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("waited in vain for `wsrep_ready` to be {ready}");
}

/// Waits until all nodes are together again, and each has what the others have.
#[track_caller]
pub(crate) fn wait_until_together(cluster: &Cluster) {
    let together = |node: &Server| {
        status(node, "wsrep_local_state_comment").as_deref() == Some("Synced")
            && status(node, "wsrep_cluster_size") == Some(NODES.to_string())
            && status(node, "wsrep_ready").as_deref() == Some("ON")
    };
    for _ in 0..600 {
        if cluster.nodes().iter().all(together) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let of = |node| status(node, "wsrep_local_state_comment");
    panic!(
        "waited in vain for the nodes to be together: {:?}",
        cluster.nodes().iter().map(of).collect::<Vec<_>>()
    );
}

/// A connection that sees all that was committed on any node before.
pub(crate) async fn causal(node: &Server, database: &str) -> MySqlConnection {
    let mut connection = connect(node, database).await;
    connection.execute("SET SESSION wsrep_sync_wait = 7").await.unwrap();
    connection
}

/// Either any number of cases are at work, or one that wants the machine for itself.
#[derive(Debug, Default)]
struct Gate {
    inside: Mutex<usize>,
    news: Condvar,
}

static GATE: LazyLock<Gate> = LazyLock::new(Gate::default);

/// A case at work.
#[derive(Debug)]
pub(crate) struct Inside(usize);

/// More than there are threads of tests.
const ALL: usize = 1_000;

fn enter(count: usize) -> Inside {
    let inside = GATE.inside.lock().unwrap_or_else(PoisonError::into_inner);
    let full = |inside: &mut usize| *inside + count > ALL;
    let mut inside = GATE.news.wait_while(inside, full).unwrap_or_else(PoisonError::into_inner);
    *inside += count;
    Inside(count)
}

/// One of many.
pub(crate) fn among_others() -> Inside {
    enter(1)
}

/// Alone.
pub(crate) fn alone() -> Inside {
    enter(ALL)
}

impl Drop for Inside {
    fn drop(&mut self) {
        *GATE.inside.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        GATE.news.notify_all();
    }
}
