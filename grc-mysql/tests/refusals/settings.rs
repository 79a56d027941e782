//! The server's version and settings.

use crate::{
    batches::{blob, change, changes, commit, create, list, put, read, town, version},
    common::{block_on, connect, fresh, options, run, start},
    impatient, is_mysql, open, refused,
};
use grc_core::storage::{BlobStore, Retry, StorageError, StorageErrorKind::Unusable, Store};
use grc_mysql::Durability;
use private_server::Setup;
use std::{thread, time::Duration};

#[test]
fn a_setting_that_breaks_a_promise_is_refused_with_its_cure() {
    let server = start(
        Setup::new()
            .option("log-bin=log")
            .option("server-id=1")
            .option("sync-binlog=1")
            .option("binlog-format=ROW"),
    );
    let address = fresh(&server);
    let full = options().durability(Durability::Full);
    drop(open(&address, &full).unwrap());
    let mut count = 0;
    for (wrong, right, words, relaxed) in [
        (
            "innodb_flush_log_at_trx_commit = 2",
            "innodb_flush_log_at_trx_commit = 1",
            &["`innodb_flush_log_at_trx_commit` is 2", "set it to 1", "`Durability::Relaxed`"][..],
            true,
        ),
        (
            "innodb_flush_log_at_trx_commit = 0",
            "innodb_flush_log_at_trx_commit = 1",
            &["is 0", "set it to 1"],
            true,
        ),
        (
            "sync_binlog = 0",
            "sync_binlog = 1",
            &["`sync_binlog` is 0", "set it to 1", "`Durability::Relaxed`"],
            true,
        ),
        ("sync_binlog = 100", "sync_binlog = 1", &["`sync_binlog` is 100"], true),
        ("binlog_format = 'STATEMENT'", "binlog_format = 'ROW'", &["`binlog_format`", "ROW"], false),
        ("read_only = 1", "read_only = 0", &["read-only", "the primary"], false),
        (
            "max_allowed_packet = 1048576",
            "max_allowed_packet = 16777216",
            &["1048576 bytes", "`max_allowed_packet` to 16M"],
            false,
        ),
    ] {
        run(&server, &format!("SET GLOBAL {wrong}"));
        refused(&open(&address, &full).unwrap_err(), &address, Unusable, words);
        match open(&address, &options()) {
            Ok(_) => assert!(relaxed, "{wrong}"),
            Err(error) => {
                assert!(!relaxed, "{wrong}: {error}");
                refused(&error, &address, Unusable, words);
            }
        }
        run(&server, &format!("SET GLOBAL {right}"));
        drop(open(&address, &full).unwrap());
        count += 1;
    }
    println!("{count} settings refused");
    assert_eq!(count, 7);
}

#[test]
fn a_server_that_becomes_read_only_is_used_again_when_it_can_be_written() {
    let server = start(Setup::new().option("innodb-flush-log-at-trx-commit=2"));
    let admin = fresh(&server);
    let name = crate::database(&admin);
    // An account that may write in spite of `read_only` would not notice.
    run(
        &server,
        &format!("CREATE USER 'clerk' IDENTIFIED BY 'Okapi-4712'; GRANT ALL ON {name}.* TO 'clerk'"),
    );
    let address = crate::address(&server, "clerk", "Okapi-4712", name);
    let store = open(&address, &impatient()).unwrap();
    commit(&store, create(1, 10)).unwrap();
    let words = ["read-only", "give the address of the primary"];
    for n in 2..4 {
        run(&server, "SET GLOBAL read_only = 1");
        // On connections that there are, and on those that are made anew.
        thread::scope(|scope| {
            let store = &store;
            let all: Vec<_> =
                (0..4).map(|_| scope.spawn(move || commit(store, change(1, n)).unwrap_err())).collect();
            for one in all {
                refused(&one.join().unwrap(), &address, Unusable, &words);
            }
        });
        run(&server, "SET GLOBAL read_only = 0");
        assert_eq!(version(&store, 1), n - 1, "what was refused is not done");
        commit(&store, change(1, n)).unwrap();
    }
    assert_eq!(version(&store, 1), 3);
}

#[test]
fn a_setting_that_is_changed_under_a_store_stops_it_until_it_is_mended() {
    let server = start(Setup::new());
    let address = fresh(&server);
    let store = open(&address, &impatient().durability(Durability::Full)).unwrap();
    commit(&store, create(1, 10)).unwrap();
    let server_says = |sql| run(&server, sql);
    server.kill().unwrap();
    server.restart().unwrap();
    server_says("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
    let words = ["`innodb_flush_log_at_trx_commit` is 2", "set it to 1"];
    for _ in 0..2 {
        refused(&commit(&store, change(1, 2)).unwrap_err(), &address, Unusable, &words);
    }
    server_says("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
    commit(&store, change(1, 2)).unwrap();
    assert_eq!(version(&store, 1), 2);
}

#[test]
fn an_old_server_is_refused_by_its_version() {
    if is_mysql() {
        println!("does not apply to MySQL, which cannot be told to give another version");
        return;
    }
    for version in ["5.5.62", "10.3.39-MariaDB"] {
        let server = start(Setup::new().option(&format!("version={version}")));
        let address = server.url("grc");
        let error = open(&address, &options()).unwrap_err();
        refused(&error, &address, Unusable, &[version, "MariaDB 10.6, MySQL 8.0 or later"]);
    }
}

/// A server's defaults for new connections that would begin what nobody commits, cut lists, or write twice what is unique.
#[test]
fn what_a_server_gives_its_connections_by_default_changes_nothing() {
    let server = start(Setup::new());
    let address = fresh(&server);
    for default in
        ["completion_type = 'CHAIN'", "sql_select_limit = 3", "unique_checks = 0", "sql_safe_updates = 1"]
    {
        run(&server, &format!("SET GLOBAL {default}"));
    }
    let store = open(&address, &options().connections(1)).unwrap();
    for n in 1..=10 {
        commit(&store, create(n, 10)).unwrap();
        put(&store, n, 10).unwrap();
    }
    let other = open(&address, &options()).unwrap();
    for n in 1..=10 {
        let piece = pollster::block_on(other.get(&town(), blob(n), 0)).unwrap();
        assert_eq!(piece.map(|bytes| bytes.len()), Some(10), "piece {n}");
    }
    assert_eq!((list(&other).unwrap(), changes(&other).unwrap()), (10, 10));
    // The same batch once more, by another process: its id is unique still.
    let again = pollster::block_on(other.commit(create(1, 10))).unwrap();
    assert!(again.replayed);
}

#[test]
fn statements_that_are_prepared_beyond_the_servers_limit_are_given_back() {
    let server = start(Setup::new());
    let address = fresh(&server);
    let store = open(&address, &options().connections(1)).unwrap();
    run(&server, "SET GLOBAL max_prepared_stmt_count = 14");
    for n in 1..=5 {
        again(|| commit(&store, create(n, 10)));
        again(|| put(&store, n, 10));
        let both = (again(|| list(&store)), again(|| changes(&store)));
        assert_eq!(both, (n as usize, n as usize));
        assert!(again(|| read(&store, n)).is_some_and(|record| record.row.version == 1));
    }
}

/// Makes a call again while it says that it may be: the server frees what a connection had some time after that was closed.
fn again<T>(call: impl Fn() -> Result<T, StorageError>) -> T {
    for _ in 0..100 {
        match call() {
            Err(error) if error.retry() == Retry::Same => thread::sleep(Duration::from_millis(20)),
            settled => return settled.unwrap(),
        }
    }
    call().unwrap()
}

#[test]
fn a_keyring_that_somebody_is_making_is_waited_for() {
    let server = start(Setup::new());
    let address = fresh(&server);
    let options = options().lock_wait(Duration::from_secs(20));
    drop(pollster::block_on(options.open_keyring(&address)).unwrap());
    let mut maker = block_on(connect(&server, crate::database(&address)));
    // As one that is being made: its row is there for nobody else yet.
    let begin = "SET autocommit = 1; CREATE TEMPORARY TABLE was AS SELECT * FROM grc_keyring; DELETE FROM grc_keyring;
                 START TRANSACTION; INSERT INTO grc_keyring SELECT * FROM was";
    block_on(sqlx::raw_sql(begin).execute(&mut maker)).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| pollster::block_on(options.open_keyring(&address)).map(|_| ()));
        thread::sleep(Duration::from_millis(2_500));
        assert!(!second.is_finished(), "it waits");
        block_on(sqlx::raw_sql("COMMIT").execute(&mut maker)).unwrap();
        second.join().unwrap().unwrap();
    });
}
