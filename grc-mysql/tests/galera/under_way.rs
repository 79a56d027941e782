//! What another node has under way, which no lock of this one knows: written by hand, and committed after.

use crate::{
    common::{block_on, connect},
    nodes::{among_others, causal, cluster, fresh},
    spread::store,
};
use grc_core::{
    BatchId, Moment, Word,
    storage::{
        Batch, ConflictOn, Document, Expect, Facts, IndexValue, Load, Parts, Step, Store, StreamKey,
        StreamRow,
    },
};
use grc_mysql::MysqlStore;
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqlSafeStr, mysql::MySqlDatabaseError};
use uuid::Uuid;

fn town() -> Word {
    Word::new("rennes").unwrap()
}

fn batch(n: u128) -> Batch {
    Batch::new(BatchId::from_uuid(Uuid::from_u128(n)), town(), Moment::EPOCH)
}

fn stream(n: u128) -> StreamKey {
    StreamKey::new(town(), Word::new("request").unwrap(), Uuid::from_u128(n))
}

fn put(version: u64, expect: Expect) -> Step {
    let row = StreamRow {
        key: stream(1),
        birth: town(),
        version,
        fold: 1,
        head: [0; 32],
        facts: Facts::new(),
        body: b"the same".to_vec(),
    };
    Step::PutStream { row, expect }
}

fn publish(version: u64) -> Step {
    let (kind, name) = (Word::new("organisation").unwrap(), Word::new("main").unwrap());
    let expect = if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
    Step::PutDocument { document: Document { kind, name, version, body: Vec::new() }, expect }
}

fn current(version: u64) -> Step {
    Step::Current { kind: Word::new("organisation").unwrap(), name: Word::new("main").unwrap(), version }
}

fn commit(store: &MysqlStore, batch: Batch) -> Result<bool, grc_core::storage::StorageError> {
    pollster::block_on(store.commit(batch)).map(|receipt| receipt.replayed)
}

/// Writes something on the first node; then something is done elsewhere; then it is committed. Answers with which code
/// that failed.
fn under_way(database: &str, write: &str, meanwhile: impl FnOnce()) -> Option<u16> {
    let code = |error: sqlx::Error| match error {
        sqlx::Error::Database(error) => error.downcast_ref::<MySqlDatabaseError>().number(),
        other => panic!("{other:?}"),
    };
    let mut connection = block_on(connect(&cluster().nodes()[0], database));
    block_on(async {
        connection
            .execute(sqlx::raw_sql("SET SESSION wsrep_sync_wait = 7; START TRANSACTION"))
            .await
            .unwrap();
        let met = connection.execute(AssertSqlSafe(write.to_owned())).await.unwrap();
        assert_eq!(met.rows_affected(), 1, "{write}");
    });
    meanwhile();
    let failed =
        block_on(async { connection.execute(sqlx::raw_sql("COMMIT")).await.map(drop).map_err(code).err() });
    let _ = block_on(connection.close());
    failed
}

/// An attempt stands still before its COMMIT on one node, and is repeated on another, where the organisation is a newer
/// one by now. What is told then holds: the first attempt is not committed later.
#[test]
fn a_conflict_over_a_document_rules_out_what_is_under_way_elsewhere() {
    let _inside = among_others();
    let database = fresh(cluster());
    let store = store(&cluster().nodes()[1].url(&database));
    commit(&store, batch(1).with(publish(1))).unwrap();
    let attempt = format!(
        "INSERT INTO grc_change (authority, lane, n, height, batch, mark, touched)
         VALUES ('rennes', 63, 1000, 2, x'{:032x}', '0000', x'0100')",
        7
    );
    let again = || batch(7).with(current(1)).with(put(1, Expect::Absent));
    let failed = under_way(&database, &attempt, || {
        commit(&store, batch(2).with(publish(2))).unwrap();
        let error = commit(&store, again()).unwrap_err();
        assert_eq!(error.conflict_on(), Some(ConflictOn::Document), "{error:?}");
    });
    assert_eq!(failed, Some(1213), "the first attempt");
    let error = commit(&store, again()).unwrap_err();
    assert_eq!(error.conflict_on(), Some(ConflictOn::Document), "it was not committed: {error:?}");
    let later = batch(7).with(current(2)).with(put(1, Expect::Absent));
    assert!(!commit(&store, later).unwrap(), "nothing of it is left");
}

/// A batch writes a stream as it is, and what belongs to it. Another that changes the stream on another node is refused:
/// in the feed it would stand beside the first, and show the newer version before the older one.
#[test]
fn a_stream_that_is_written_as_it_is_excludes_others() {
    let _inside = among_others();
    let database = fresh(cluster());
    let store = store(&cluster().nodes()[1].url(&database));
    commit(&store, batch(1).with(put(1, Expect::Absent))).unwrap();
    let change = format!("UPDATE grc_stream SET version = 2 WHERE id = x'{:032x}' AND version = 1", 1);
    let failed = under_way(&database, &change, || {
        let same = batch(2).with(put(1, Expect::Version(1)));
        commit(&store, same.with(Step::PutVault { stream: stream(1), part: 0, bytes: vec![1] })).unwrap();
    });
    assert_eq!(failed, Some(1213), "its own row");
    let failed = under_way(&database, &change, || {
        let values = vec![IndexValue::Number(1)];
        let field = Word::new("depth").unwrap();
        commit(&store, batch(3).with(Step::PutIndex { stream: stream(1), field, values })).unwrap();
    });
    assert_eq!(failed, Some(1213), "what is beside it");
    let load = Load { authority: town(), streams: vec![stream(1)], parts: Parts::None, receipt: None };
    let loaded = pollster::block_on(store.load(&load)).unwrap();
    assert_eq!(loaded.streams[0].as_ref().unwrap().row.version, 1);
}

/// Another node's transaction rolls back one that then prepares a statement: it is told, or learns it by asking, as the store
/// does. That it was not told was seen in the keyring's cases (`k6_…`), where half of a change was done.
#[test]
fn who_asks_after_preparing_learns_that_the_transaction_is_gone() {
    let _inside = among_others();
    let database = fresh(cluster());
    let nodes = cluster().nodes();
    let told = block_on(async {
        let (mut here, mut there) = (causal(&nodes[0], &database).await, causal(&nodes[1], &database).await);
        let tables = "CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b (id INT PRIMARY KEY);
                      INSERT INTO a VALUES (1, 0)";
        here.execute(sqlx::raw_sql(tables)).await.unwrap();
        here.execute(sqlx::raw_sql("START TRANSACTION; UPDATE a SET n = n + 1")).await.unwrap();
        there.execute(sqlx::raw_sql("UPDATE a SET n = 7")).await.unwrap();
        let mut other = causal(&nodes[0], &database).await;
        let row = other.fetch_one("SELECT n FROM a").await.unwrap();
        assert_eq!(row.get::<i32, _>(0), 7, "it has come to the first node");
        let prepared = here.prepare(AssertSqlSafe("INSERT INTO b VALUES (?)").into_sql_str()).await.map(drop);
        let asked = here.fetch_one(sqlx::raw_sql("SELECT CAST(@@in_transaction AS SIGNED)")).await;
        let asked = asked.map(|row| row.get::<i64, _>(0));
        println!("prepared: {prepared:?}; asked whether there is a transaction: {asked:?}");
        !matches!((prepared, asked), (Ok(()), Ok(1)))
    });
    assert!(told);
}
