//! The server of the tests: private, one for all tests of a program, and databases of their own in it.

use grc_mysql::{Durability, Options};
use private_server::{Program, Server, Setup};
use sqlx::{ConnectOptions, Connection, Executor, MySqlConnection, mysql::MySqlConnectOptions};
use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

/// Not flushed: these tests do not cut the power.
static SHARED: LazyLock<Server> =
    LazyLock::new(|| start(Setup::new().option("innodb-flush-log-at-trx-commit=2")));

/// A server, MariaDB unless the environment names another one. One that cannot be had fails the test.
pub(crate) fn start(setup: Setup) -> Server {
    setup.program(Program::from_env()).start().unwrap_or_else(|error| panic!("{error}"))
}

/// Something that needs the driver's runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    RUNTIME.block_on(future)
}

/// A connection of the test's own.
pub(crate) async fn connect(server: &Server, database: &str) -> MySqlConnection {
    server.url(database).parse::<MySqlConnectOptions>().unwrap().connect().await.unwrap()
}

/// Runs statements on a connection of their own.
pub(crate) fn run(server: &Server, sql: &str) {
    block_on(async {
        let mut connection = connect(server, "grc").await;
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// The address of a fresh database.
pub(crate) fn fresh(server: &Server) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
    run(server, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
    server.url(&name)
}

/// The server that all tests of this program share.
pub(crate) fn shared() -> &'static Server {
    &SHARED
}

/// How tests open their stores.
pub(crate) fn options() -> Options {
    Options::new().create(true).test(true).durability(Durability::Relaxed)
}
