//! Too many connections, of the server's and of ours.

use crate::{
    batches::{change, commit, create, list, version},
    common::{block_on, connect, fresh, run, start},
    impatient, open, options, refused,
};
use grc_core::storage::StorageErrorKind::Unavailable;
use private_server::{Server, Setup};
use sqlx::{ConnectOptions, Executor, MySqlConnection, Row, mysql::MySqlConnectOptions};
use std::thread;

/// Takes all connections that the server still gives.
fn take_all(server: &Server) -> Vec<MySqlConnection> {
    let url: MySqlConnectOptions = server.url("grc").parse().unwrap();
    let mut all = Vec::new();
    while let Ok(one) = block_on(url.connect()) {
        all.push(one);
        assert!(all.len() < 50, "the server has no limit");
    }
    all
}

#[test]
fn the_server_has_too_many() {
    let server = start(Setup::new().option("max-connections=10"));
    let address = fresh(&server);
    let store = open(&address, &impatient()).unwrap();
    commit(&store, create(1, 10)).unwrap();
    // The store's own idle connection is closed, so that it needs another one.
    let mut held = take_all(&server);
    assert!(held.len() >= 5, "{}", held.len());
    assert_eq!(list(&store).unwrap(), 1, "it has a connection still");
    let words = ["too many connections", "lower `connections`"];
    refused(&open(&address, &impatient()).unwrap_err(), &address, Unavailable, &words);
    // Its connections are ended, and whatever that frees is taken: at once, or when the store was quicker, again.
    let refusal = (0..100).find_map(|_| {
        end_all(held.first_mut().unwrap(), crate::database(&address));
        held.extend(take_all(&server));
        list(&store).err()
    });
    refused(&refusal.unwrap(), &address, Unavailable, &words);
    take_rest(&server, &mut held);
    refused(&commit(&store, change(1, 2)).unwrap_err(), &address, Unavailable, &words);
    println!("{} connections held", held.len());
    drop(held);
    until_free(&server);
    commit(&store, change(1, 2)).unwrap();
    assert_eq!(version(&store, 1), 2);
}

/// Takes all connections until those that were ended are gone, which the server does in its own time.
fn take_rest(server: &Server, held: &mut Vec<MySqlConnection>) {
    let mut alone = false;
    loop {
        let more = take_all(server);
        if alone && more.is_empty() {
            return;
        }
        held.extend(more);
        let read = sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
        let row = block_on(held.first_mut().unwrap().fetch_one(read)).unwrap();
        let count: usize = row.get::<String, _>(1).parse().unwrap();
        alone = count == held.len();
    }
}

/// Ends the connections to a database.
fn end_all(admin: &mut MySqlConnection, database: &str) {
    let read = "SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = ?";
    block_on(async {
        let ids: Vec<(u64,)> = sqlx::query_as(read).bind(database).fetch_all(&mut *admin).await.unwrap();
        for (id,) in ids {
            // One that is gone by itself meanwhile cannot be ended.
            let _ = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("KILL {id}"))).execute(&mut *admin).await;
        }
    });
}

/// Waits until the server has a connection left.
fn until_free(server: &Server) {
    let url: MySqlConnectOptions = server.url("grc").parse().unwrap();
    while block_on(url.connect()).is_err() {
        thread::yield_now();
    }
}

#[test]
fn all_of_ours_are_in_use() {
    let server = crate::common::shared();
    let address = fresh(server);
    let name = crate::database(&address);
    let store =
        open(&address, &options().connections(1).patience(std::time::Duration::from_secs(2))).unwrap();
    commit(&store, create(1, 10)).unwrap();
    // Somebody holds the stream, so that whoever changes it keeps the one connection until his patience ends.
    let mut holder = block_on(connect(server, name));
    block_on(sqlx::raw_sql("START TRANSACTION; UPDATE grc_stream SET fold = fold").execute(&mut holder))
        .unwrap();
    let errors: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| commit(&store, change(1, 2)).unwrap_err())).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for error in &errors {
        refused(error, &address, Unavailable, &[]);
    }
    let busy = errors.iter().filter(|error| error.to_string().contains("raise `connections`")).count();
    println!("{busy} of 6 waited for a connection in vain");
    assert!(busy >= 2, "{errors:?}");
    block_on(sqlx::raw_sql("ROLLBACK").execute(&mut holder)).unwrap();
    commit(&store, change(1, 2)).unwrap();
    assert_eq!(version(&store, 1), 2);
    run(server, &format!("DROP DATABASE {name}"));
}
