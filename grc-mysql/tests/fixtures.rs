//! The databases that a version of this library has left are opened by every later one, and say the same.
//!
//! `fixtures/N` holds a store and its keyring as a random walk on the definition `voirie` left them on MariaDB, in SQL,
//! and what was said of them then. They are never made again: who changes what is stored adds the next one, which
//! `cargo test -p grc-mysql --test fixtures -- --ignored` makes in `fixtures/new`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod common;
#[path = "../../grc-core/tests/common/left.rs"]
mod left;

use common::{block_on, fresh, options, shared};
use grc_core::{Grc, ManualClock, Stores, conformance::Walk};
use left::{definition, engine, said, summary, work_goes_on};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, Row};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The fixtures that there are, oldest first.
const FIXTURES: [&str; 1] = ["1"];
const FILES: [&str; 2] = ["store.sql", "keys.sql"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Where a fixture is: its store's database and its keyring's.
type Place = [String; 2];

/// Runs statements in the database at an address.
fn run_in(address: &str, sql: &str) {
    block_on(async {
        let mut connection = MySqlConnection::connect(address).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// Fills two fresh databases with a fixture.
fn copy(name: &str) -> Place {
    FILES.map(|file| {
        let address = fresh(shared());
        run_in(&address, &std::fs::read_to_string(folder(name).join(file)).unwrap());
        address
    })
}

async fn stores([store, keys]: &Place) -> Stores {
    let keyring = options().open_keyring(keys).await.unwrap();
    options().open(store, Arc::new(keyring)).await.unwrap()
}

async fn open(place: &Place) -> (Grc, Arc<ManualClock>) {
    engine(stores(place).await).await
}

/// All tables of a database with all that is in them, as statements that any server of this kind takes.
async fn dump(address: &str) -> String {
    let mut connection = MySqlConnection::connect(address).await.unwrap();
    let mut out = String::new();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    for table in tables {
        let shown = sqlx::query(AssertSqlSafe(format!("SHOW CREATE TABLE {table}")));
        let made: String = shown.fetch_one(&mut connection).await.unwrap().get(1);
        // The name of a collation is the server's own; no column of ours has one.
        let made = made.split(" COLLATE=").next().unwrap_or_default();
        writeln!(out, "{made};").unwrap();
        let columns: Vec<(String, String)> = sqlx::query_as(
            "SELECT column_name, data_type FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position",
        )
        .bind(&table)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let shown: Vec<String> = columns
            .iter()
            .map(|(name, kind)| match kind.as_str() {
                "bigint" | "int" | "tinyint" | "smallint" => format!("COALESCE(`{name}`, 'NULL')"),
                _ => format!("COALESCE(CONCAT('X''', HEX(`{name}`), ''''), 'NULL')"),
            })
            .collect();
        let rows = format!("SELECT CONCAT_WS(',', {}) AS r FROM {table} ORDER BY r", shown.join(", "));
        for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap() {
            let row: Vec<u8> = row.get(0);
            writeln!(out, "INSERT INTO {table} VALUES ({});", String::from_utf8(row).unwrap()).unwrap();
        }
    }
    connection.close().await.unwrap();
    out
}

#[test]
#[ignore = "makes the next fixture"]
fn make() {
    let directory = folder("new");
    std::fs::create_dir_all(&directory).unwrap();
    let place = [fresh(shared()), fresh(shared())];
    block_on(async {
        let mut walk = Walk::begin(stores(&place).await, &definition(), 5).await.unwrap();
        for _ in 0..300 {
            walk.step().await.unwrap();
        }
        walk.deal(0, 6).await.unwrap();
        for _ in 0..60 {
            walk.step().await.unwrap();
        }
        walk.check().await.unwrap();
        std::fs::write(directory.join("walked.txt"), walk.trace.summary() + "\n").unwrap();
        for (address, file) in place.iter().zip(FILES) {
            std::fs::write(directory.join(file), dump(address).await).unwrap();
        }
    });
    let place = copy("new");
    let said = block_on(async { said(&open(&place).await.0).await });
    std::fs::write(directory.join("said.txt"), summary(&said)).unwrap();
}

#[test]
fn what_every_version_left_says_the_same() {
    for name in FIXTURES {
        let place = copy(name);
        let said = block_on(async { said(&open(&place).await.0).await });
        let expected = std::fs::read_to_string(folder(name).join("said.txt")).unwrap();
        assert_eq!(summary(&said), expected, "fixture {name} says:\n{said}");
    }
    // The same walk on SQLite left the same.
    let sqlite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-sqlite/tests/fixtures/1/said.txt");
    assert_eq!(std::fs::read(sqlite).unwrap(), std::fs::read(folder("1").join("said.txt")).unwrap());
}

#[test]
fn work_goes_on_in_what_every_version_left() {
    for name in FIXTURES {
        let place = copy(name);
        block_on(async {
            let (grc, clock) = open(&place).await;
            work_goes_on(name, &grc, &clock).await;
        });
    }
}
