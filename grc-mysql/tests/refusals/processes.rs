//! Several processes at once, and one that is killed.

use crate::{
    batches::{commit, create, version},
    common::{block_on, connect, fresh, options, run, shared},
    database, handles, open, refused,
};
use grc_core::storage::{StorageErrorKind::Unusable, Store};
use sqlx::{AssertSqlSafe, Row};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
};

const ROLE: &str = "GRC_TEST_ROLE";

/// This program again, as a process of its own that runs its test `child` only, which is told what to do.
pub(crate) fn another(role: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "processes::child", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role.join("\n"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Says something that whoever started this process hears.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

#[test]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "how a test tells its own child what to do")]
    let Ok(role) = std::env::var(ROLE) else { return };
    let role: Vec<&str> = role.split('\n').collect();
    match role[..] {
        ["open", address] => {
            say("ready");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            let store = open(address, &options().durability(grc_mysql::Durability::Relaxed)).unwrap();
            say(&format!("opened {}", store.info().incarnation));
        }
        ["drop", address] => handles::drop_everywhere(address),
        ["fill", which] => crate::full::fill(which),
        _ => panic!("{role:?}"),
    }
}

fn hear(child: &mut Child, beginning: &str) -> Option<String> {
    let out = child.stdout.as_mut().unwrap();
    // Byte by byte, so that nothing that follows is swallowed.
    let mut lines = BufReader::with_capacity(1, out).lines().map_while(Result::ok);
    lines.find_map(|line| line.split_once(beginning).map(|(_, rest)| rest.trim().to_owned()))
}

/// Processes that are about to open a store.
fn ready(address: &str, count: usize) -> Vec<Child> {
    let mut all: Vec<Child> = (0..count).map(|_| another(&["open", address]).spawn().unwrap()).collect();
    for child in &mut all {
        hear(child, "ready").unwrap();
    }
    all
}

fn go(child: &mut Child) {
    child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
}

/// What the database is made of.
fn shape(address: &str) -> Vec<String> {
    let read = "SELECT CAST(CONCAT_WS(' ', table_name, column_name, ordinal_position, column_type, is_nullable, column_key) AS CHAR)
         FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, ordinal_position";
    block_on(async {
        let mut connection = connect(shared(), "grc").await;
        let rows = sqlx::query(read).bind(database(address)).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    })
}

fn whole() -> Vec<String> {
    let address = fresh(shared());
    drop(open(&address, &options()).unwrap());
    let shape = shape(&address);
    let tables: BTreeSet<&str> = shape.iter().map(|row| row.split(' ').next().unwrap()).collect();
    assert_eq!(tables.len(), 15);
    shape
}

#[test]
fn processes_that_begin_at_once_make_one_store() {
    let whole = whole();
    let mut count = 0;
    for processes in [2, 2, 2, 8, 8] {
        let address = fresh(shared());
        let mut all = ready(&address, processes);
        all.iter_mut().for_each(go);
        let mut ids = BTreeSet::new();
        for mut child in all {
            let Some(id) = hear(&mut child, "opened ") else {
                let mut text = String::new();
                child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
                panic!("one of {processes} could not open it: {text}");
            };
            ids.insert(id);
            assert!(child.wait().unwrap().success());
            count += 1;
        }
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(shape(&address), whole);
        let store = open(&address, &options().create(false)).unwrap();
        assert!(ids.contains(&store.info().incarnation.to_string()));
        commit(&store, create(1, 10)).unwrap();
        assert_eq!(version(&store, 1), 1);
    }
    println!("{count} processes opened 5 stores");
    assert_eq!(count, 22);
}

#[test]
fn a_start_that_was_killed_is_finished_by_the_next() {
    let whole = whole();
    let mut left = Vec::new();
    for table in ["grc_meta", "grc_index", "grc_blob"] {
        let address = fresh(shared());
        let name = database(&address);
        // Somebody takes his time to make a table of that name: the process stands before it, with what it has made.
        let mut holder = block_on(connect(shared(), name));
        let id = "SELECT CAST(CONNECTION_ID() AS CHAR)";
        let id: String = block_on(sqlx::query(id).fetch_one(&mut holder)).unwrap().get(0);
        let make = format!("CREATE TABLE {table} AS SELECT SLEEP(600) AS one");
        let making =
            std::thread::spawn(move || block_on(sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut holder)));
        while waiting(name, "User sleep") == 0 {}
        let mut child = ready(&address, 1).pop().unwrap();
        go(&mut child);
        while waiting(name, "metadata lock") == 0 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before {table}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        left.push(made(name, table));
        let error = open(&address, &options().create(false)).unwrap_err();
        refused(&error, &address, Unusable, &["there is no store", "`create`"]);
        run(shared(), &format!("KILL {id}"));
        assert!(making.join().unwrap().is_err(), "it was not made to its end");
        // MySQL may have made it all the same.
        run(shared(), &format!("DROP TABLE IF EXISTS {name}.{table}"));
        let store = open(&address, &options()).unwrap();
        commit(&store, create(1, 10)).unwrap();
        assert_eq!(version(&store, 1), 1);
        assert_eq!(shape(&address), whole);
        run(shared(), &format!("DROP DATABASE {name}"));
    }
    println!("killed with {left:?} of 15 tables");
    assert_eq!(left, [1, 7, 14]);
}

/// How many tables there are, but for this one. Their names only: it cannot be looked into.
fn made(name: &str, but: &str) -> i64 {
    let read = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name LIKE 'grc%' AND table_name <> ?";
    block_on(async {
        let mut connection = connect(shared(), "grc").await;
        sqlx::query(read).bind(name).bind(but).fetch_one(&mut connection).await.unwrap().get(0)
    })
}

/// How many connections to a database are in such a state.
fn waiting(name: &str, state: &str) -> i64 {
    let read = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = ? AND state LIKE ?";
    block_on(async {
        let mut connection = connect(shared(), "grc").await;
        let read = sqlx::query(read).bind(name).bind(format!("%{state}%"));
        read.fetch_one(&mut connection).await.unwrap().get(0)
    })
}
