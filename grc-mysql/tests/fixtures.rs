//! The databases that a version of this library has left are opened by every later one, and say the same.
//!
//! `fixtures/N` holds a store and its keyring as a walk or a script left them on MariaDB
//! (`grc-core/tests/common/left.rs`), in SQL, and what was said of them then. They are never made again: who changes what is
//! stored adds the next one, which `cargo test -p grc-mysql --test fixtures -- --ignored` makes in `fixtures/new`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod common;
#[path = "../../grc-core/tests/common/left.rs"]
mod left;

use common::{block_on, fresh, options, shared};
use grc_core::{
    Grc, Stores, Word,
    conformance::{Walk, kinds},
};
use left::{FIXTURES, Fixture, besides, engine, said, script, summary, wanted, work_goes_on};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

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

async fn open(place: &Place) -> Grc {
    engine(stores(place).await).await.0
}

/// Rows that differ in their number only: the blank ones that a keyring begins with.
fn blanks(table: &str, numbers: &BTreeSet<u64>, rest: &str) -> String {
    let digits: Vec<String> = (0..10).map(|digit| format!("SELECT {digit} AS d")).collect();
    let digits = format!("({})", digits.join(" UNION "));
    let (first, last) = (numbers.first().unwrap(), numbers.last().unwrap());
    assert_eq!(numbers.len() as u64, last - first + 1, "they are without gap");
    format!(
        "INSERT INTO {table} SELECT n, {rest} FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM \
         {digits} AS a, {digits} AS b, {digits} AS c, {digits} AS e) AS numbers WHERE n BETWEEN {first} AND {last};"
    )
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
        let mut alike: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut single = Vec::new();
        for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap() {
            let row = String::from_utf8(row.get(0)).unwrap();
            match row.split_once(',').map(|(n, rest)| (n.parse(), rest)) {
                Some((Ok(n), rest)) if rest.starts_with("NULL,") => {
                    alike.entry(rest.to_owned()).or_default().insert(n);
                }
                _ => single.push(format!("({row})")),
            }
        }
        for (rest, numbers) in &alike {
            writeln!(out, "{}", blanks(&table, numbers, rest)).unwrap();
        }
        if !single.is_empty() {
            writeln!(out, "INSERT INTO {table} VALUES\n{};", single.join(",\n")).unwrap();
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
        script::play(stores(&place).await).await;
        for (address, file) in place.iter().zip(FILES) {
            std::fs::write(directory.join(file), dump(address).await).unwrap();
        }
    });
    let place = copy("new");
    let said = block_on(async { said(&open(&place).await).await });
    std::fs::write(directory.join("said.txt"), summary(&said)).unwrap();
}

#[test]
fn what_every_version_left_says_the_same() {
    for Fixture { name, besides: also, answers } in FIXTURES {
        let place = copy(name);
        let kept = |folder: PathBuf| std::fs::read_to_string(folder.join("said.txt")).unwrap();
        block_on(async {
            // What is said besides first: to look at a request is noted.
            let besides = besides(&open(&place).await).await;
            assert_eq!(summary(&besides).trim_end(), also, "fixture {name} says besides:\n{besides}");
            let said = said(&open(&place).await).await;
            assert_eq!(summary(&said), kept(folder(name)), "fixture {name} says:\n{said}");
            if !answers.is_empty() {
                assert_eq!(script::answers(stores(&place).await).await.trim_end(), answers, "fixture {name}");
            }
        });
        // On SQLite the same was left.
        let sqlite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-sqlite/tests/fixtures").join(name);
        assert_eq!(kept(sqlite), kept(folder(name)));
    }
}

#[test]
fn of_each_kind_of_thing_that_is_stored_some_is_kept() {
    let mut held = BTreeSet::new();
    for Fixture { name, .. } in FIXTURES {
        let place = copy(name);
        let town = Word::new(Walk::TOWN).unwrap();
        held.extend(block_on(async { kinds::held(&*stores(&place).await.store, &town).await }).unwrap());
    }
    let missing: Vec<_> = wanted().into_iter().filter(|kind| !held.contains(kind)).collect();
    assert!(missing.is_empty(), "of these no fixture holds any: {missing:?}");
}

/// A version whose fold is another one has left the rows: their bodies mean nothing here, and the events are folded again.
#[test]
fn states_of_another_fold_are_folded_again() {
    for Fixture { name, besides: also, .. } in FIXTURES {
        let place = copy(name);
        run_in(&place[0], "UPDATE grc_stream SET fold = fold - 1, body = '{\"of\":\"another fold\"}'");
        let besides = block_on(async { besides(&open(&place).await).await });
        assert_eq!(summary(&besides).trim_end(), also, "fixture {name} says besides:\n{besides}");
    }
}

#[test]
fn work_goes_on_in_what_every_version_left() {
    for Fixture { name, .. } in FIXTURES {
        let place = copy(name);
        block_on(async { work_goes_on(name, stores(&place).await).await });
    }
}
