//! What the server looks at to answer: with many rows, about as many as are asked for. The server's own slow log counts
//! them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use common::{block_on, connect, fresh, options, start};
use grc_core::{
    Condition, Moment, Word,
    condition::{Comparison, Scalar, Var},
    storage::{
        Batch, BlobStore, Claim, Cursor, Fact, LinkKey, Load, PageKey, Parts, Query, Step, Store, StreamKey,
    },
};
use private_server::{Server, Setup};
use sqlx::{Executor, Row};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows of each table that is filled.
const ROWS: u64 = 40_000;
/// From here on, requests were opened at one moment, as by an import.
const TIED: u64 = 30_000;

/// Fills the tables, in one statement each: numbers are made of digits.
fn fill(server: &Server, database: &str) {
    const DIGITS: &str =
        "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
         UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
    let numbers = format!(
        "(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n
         FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} d, {DIGITS} e WHERE e.d < 4) s"
    );
    let id = |n: &str| format!("UNHEX(LPAD(HEX({n}), 32, '0'))");
    let statements = [
        format!(
            "INSERT INTO grc_stream (authority, kind, id, opened, f_service, f_state, f_agent, f_closed, f_opened, birth,
             version, fold, head, body)
             SELECT 'rennes', 'request', {}, LEAST(n, {TIED}), CONCAT('s', n % 10), CONCAT('t', n DIV 10 % 7), CONCAT('a-', n % 50),
             IF(n % 3 = 0, NULL, n), n, 'rennes', 1, 1, REPEAT('x', 32), REPEAT('b', 300) FROM {numbers}",
            id("n")
        ),
        format!(
            "INSERT INTO grc_link SELECT 'rennes', 'contact.phone', {0}, CONCAT('request', {0}), 'request', {0}
             FROM {numbers}",
            id("n")
        ),
        format!(
            "INSERT INTO grc_change SELECT 'rennes', n % 64, n DIV 64 + 1, n + 1, {}, '0000', CHAR(1, 0) FROM {numbers}",
            id("n")
        ),
        format!(
            "INSERT INTO grc_task SELECT 'rennes', {}, CONCAT('q', n DIV 3), n % 3, 'deliver', 'request', {}, n, 0, 0, 0, 0,
             NULL, '' FROM {numbers}",
            id("n"),
            id("n DIV 3")
        ),
        format!("INSERT INTO grc_measure SELECT 'rennes', 'request', {}, 'm' FROM {numbers}", id("n")),
        format!("INSERT INTO grc_blob SELECT 'rennes', {}, 0, n, 'b' FROM {numbers}", id("n")),
        "ANALYZE TABLE grc_stream, grc_link, grc_change, grc_task, grc_measure, grc_blob".to_owned(),
    ];
    block_on(async {
        let mut connection = connect(server, database).await;
        for statement in statements {
            connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await.unwrap();
        }
    });
}

/// The statements that were logged since the last call, with how many rows each looked at.
fn logged(server: &Server) -> Vec<(u64, String)> {
    block_on(async {
        let mut connection = connect(server, "mysql").await;
        let read = "SELECT CAST(rows_examined AS CHAR), CONVERT(sql_text USING latin1) FROM mysql.slow_log
             WHERE sql_text LIKE '%grc\\_%' AND sql_text NOT LIKE '%slow_log%' ORDER BY start_time";
        let rows = connection.fetch_all(sqlx::raw_sql(read)).await.unwrap();
        connection.execute(sqlx::raw_sql("TRUNCATE mysql.slow_log")).await.unwrap();
        rows.iter().map(|row| (row.get::<String, _>(0).parse().unwrap(), row.get(1))).collect()
    })
}

/// How many entries of an index were tested without a look at their rows, which the log does not count; MariaDB says so.
fn tested(server: &Server) -> u64 {
    block_on(async {
        let mut connection = connect(server, "mysql").await;
        let read = "SHOW GLOBAL STATUS LIKE 'Handler\\_icp\\_attempts'";
        let row = connection.fetch_optional(sqlx::raw_sql(read)).await.unwrap();
        row.map_or(0, |row| row.get::<String, _>(1).parse().unwrap())
    })
}

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

fn is(fact: Fact, value: &str) -> Condition {
    Condition::Compare(Var::Fact(fact), Comparison::Equal, Scalar::Text(value.to_owned()))
}

#[test]
fn no_call_looks_at_much_more_than_it_answers() {
    let server = start(Setup::new().option("innodb-flush-log-at-trx-commit=2").option("log-output=TABLE"));
    let address = fresh(&server);
    let database = address.rsplit('/').next().unwrap().to_owned();
    drop(pollster::block_on(options().open_store(&address)).unwrap());
    fill(&server, &database);
    common::run(
        &server,
        "SET GLOBAL slow_query_log = 1, long_query_time = 0, log_queries_not_using_indexes = 0",
    );
    let store = pollster::block_on(options().open_store(&address)).unwrap();
    let town = word("rennes");
    let stream = |n: u128| StreamKey::new(town.clone(), word("request"), Uuid::from_u128(n));
    let list = |filter| Query { filter, ..Query::new(town.clone(), word("request")) };
    let open = Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Closed))));
    let linked = Some(LinkKey { kind: word("contact.phone"), key: Uuid::from_u128(77).as_bytes().to_vec() });
    let mut looked: BTreeMap<&str, u64> = BTreeMap::new();
    logged(&server);
    let mut before = tested(&server);
    let mut note = |what: &'static str, most: u64| {
        let log = logged(&server);
        assert!(!log.is_empty(), "{what}: nothing was logged");
        let now = tested(&server);
        let sum = log.iter().map(|(rows, _)| rows).sum::<u64>() + now - std::mem::replace(&mut before, now);
        let seen = looked.entry(what).or_default();
        *seen = sum.max(*seen);
        assert!(sum <= most, "{what} looks at {sum} rows and entries, more than {most}: {log:#?}");
    };
    pollster::block_on(async {
        for (what, query, most) in [
            ("a page of all", list(Condition::Constant(true)), 150),
            ("a page of a service", list(is(Fact::Service, "s3")), 1_000),
            (
                "a page of a desk",
                list(Condition::All(vec![is(Fact::Service, "s3"), is(Fact::State, "t2")])),
                150,
            ),
            ("a page of an agent's", list(Condition::All(vec![is(Fact::Agent, "a-9"), open])), 150),
            ("what a link leads to", Query { linked, ..Query::new(town.clone(), word("request")) }, 10),
        ] {
            let page = store.query(&query).await.unwrap();
            assert!(!page.rows.is_empty(), "{what}");
            note(what, most);
            // The second page, one in the midst of the list, and one among those that were opened at one moment.
            let at = |value, id| query.cursor(&PageKey { value, id: Uuid::from_u128(id) });
            let tied = at(i64::try_from(TIED).unwrap(), u128::from(TIED + ROWS) / 2);
            let further = page.next.is_some().then(|| [page.next, Some(at(20_000, 0)), Some(tied)]);
            for after in further.into_iter().flatten() {
                let page = store.query(&Query { after, ..query.clone() }).await.unwrap();
                assert!(!page.rows.is_empty(), "{what}");
                note(what, most);
            }
        }
        let claim = Claim {
            authority: town.clone(),
            kinds: None,
            now: Moment::from_micros(1_000_000),
            until: Moment::from_micros(2_000_000),
            limit: 20,
        };
        assert_eq!(store.claim(&claim).await.unwrap().len(), 20);
        note("a claim of 20 tasks", 300);
        let mut after = None;
        for _ in 0..3 {
            let page = store.changes(&town, after.as_ref(), 100).await.unwrap();
            assert!(!page.changes.is_empty());
            note("a page of the feed", 1_500);
            after = Some(page.next);
        }
        let midst = Cursor::after_stream(&stream(u128::from(ROWS / 2)));
        for after in [None, Some(&midst)] {
            assert_eq!(store.measures(&town, after, 100).await.unwrap().rows.len(), 100);
            note("a page of the measures", 150);
        }
        let midst = Cursor::from_bytes(stream(u128::from(ROWS / 2)).id.as_bytes().to_vec());
        for after in [None, Some(midst)] {
            let all = Moment::from_micros(1_000_000);
            assert_eq!(store.list(&town, all, after, 100).await.unwrap().blobs.len(), 100);
            note("a page of the files", 150);
        }
        let load = Load {
            authority: town.clone(),
            streams: (1..=20).map(stream).collect(),
            parts: Parts::All,
            receipt: Some([1; 16]),
        };
        store.load(&load).await.unwrap();
        note("a load of 20", 100);
        let batch =
            Batch::new(grc_core::BatchId::from_uuid(Uuid::from_u128(1 << 100)), town.clone(), Moment::EPOCH)
                .with(Step::DropLinks { stream: stream(5), prefix: "contact.".to_owned() })
                .with(Step::Cancel { stream: stream(5), kinds: vec![word("deliver")] })
                .with(Step::Current { kind: word("organisation"), name: word("main"), version: 0 });
        store.commit(batch).await.unwrap();
        note("a commit", 50);
    });
    println!("rows looked at, of {ROWS} in each table: {looked:#?}");
}

/// How many statements the server has prepared and given up since it started.
fn prepared(server: &Server) -> Vec<(String, u64)> {
    block_on(async {
        let mut connection = connect(server, "mysql").await;
        let read = "SHOW GLOBAL STATUS WHERE variable_name IN ('Com_stmt_prepare', 'Com_stmt_close')";
        let rows = connection.fetch_all(sqlx::raw_sql(read)).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get::<String, _>(1).parse().unwrap())).collect()
    })
}

/// A statement that is given up costs the next one some 40 ms, which is how this was found: see `STATEMENTS`.
#[test]
fn who_asks_again_prepares_nothing_and_gives_nothing_up() {
    let server = start(Setup::new());
    let address = fresh(&server);
    let store = pollster::block_on(options().connections(1).open_store(&address)).unwrap();
    let list = |filter| Query { filter, ..Query::new(word("rennes"), word("request")) };
    let lists = [
        list(Condition::Constant(true)),
        list(is(Fact::Service, "s3")),
        list(is(Fact::Agent, "a-9")),
        list(Condition::Any(vec![is(Fact::Service, "s3"), is(Fact::Service, "s4")])),
        list(Condition::All(vec![is(Fact::Service, "s3"), is(Fact::State, "t2")])),
    ];
    let all = || {
        for query in &lists {
            pollster::block_on(store.query(query)).unwrap();
        }
    };
    let before = prepared(&server);
    all();
    let first = prepared(&server);
    all();
    assert_ne!(first, before);
    assert_eq!(prepared(&server), first);
}
