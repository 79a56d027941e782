//! A server that holds the database, alone or with others that hold the same, and the connections to it.

use crate::{
    Options,
    address::Address,
    error::{Fault, Outcome, foreign, is_cut, unusable},
    session::Session,
    settings,
};
use sqlx::{
    MySql, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    pool::PoolConnection,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// How long a server may take to show why it gave no connection.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// A server, and the connections to it.
#[derive(Debug)]
pub(crate) struct Node {
    pool: MySqlPool,
    place: Arc<str>,
    options: Options,
    /// Whether it is a node of a cluster, as the last connection found.
    clustered: Arc<AtomicBool>,
}

impl Node {
    /// A server that is asked for a connection for so long. Nothing is connected yet.
    pub(crate) fn new((connect, place): Address, options: &Options, patience: Duration) -> Self {
        let clustered = Arc::new(AtomicBool::new(false));
        let hook = (options.clone(), Arc::clone(&place), Arc::clone(&clustered));
        let pool = MySqlPoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(patience)
            // Less than the server's patience with us: see `settings`.
            .idle_timeout(options.patience.min(settings::IDLE / 2))
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let (options, place, clustered) = hook.clone();
                Box::pin(async move {
                    let settled = settings::settle(connection, &options, &place).await;
                    settled
                        .map(|yes| clustered.store(yes, Ordering::Relaxed))
                        .map_err(|fault| sqlx::Error::Protocol(fault.at(&place).to_string()))
                })
            })
            .connect_lazy_with(connect);
        Self { pool, place, options: options.clone(), clustered }
    }

    /// Makes one connection, and says what stands against it.
    pub(crate) async fn look(&self, patience: Duration) -> Outcome<()> {
        use sqlx::{ConnectOptions, Connection};
        let (connect, options, place) =
            (self.pool.connect_options(), self.options.clone(), Arc::clone(&self.place));
        // A task of its own: the driver panics at a greeting that is too short.
        let attempt = tokio::spawn(async move {
            let mut connection = match connect.connect().await {
                Err(error @ sqlx::Error::Protocol(_)) => {
                    // No part of a conversation that broke off: it never began.
                    return Err(Fault::Store(unusable(foreign(&place)).with_source(error)));
                }
                other => other?,
            };
            let settled = settings::settle(&mut connection, &options, &place).await;
            // Closed in any case; that it cannot even be closed says nothing new.
            let _ = connection.close().await;
            settled
        });
        let abort = attempt.abort_handle();
        match timeout(patience, attempt).await {
            Ok(Ok(settled)) => settled.map(drop),
            Ok(Err(_)) => Err(Fault::Store(unusable(foreign(&self.place)))),
            Err(_) => {
                abort.abort();
                Err(Fault::Silent)
            }
        }
    }

    /// A connection on loan, after all the patience that there is.
    pub(crate) async fn session(&self) -> Outcome<Session> {
        match self.pool.acquire().await {
            Ok(connection) => Ok(self.lend(connection)),
            // The pool has tried for all that time, and does not say what it met.
            Err(error @ sqlx::Error::PoolTimedOut) => {
                let met = self.look(self.options.patience.min(AFTERWARDS)).await;
                let fault = met.err().unwrap_or(Fault::Driver(error));
                Err(Fault::Away(fault.at(&self.place)))
            }
            // It is just going, or coming.
            Err(sqlx::Error::Io(error)) if is_cut(&error) => Err(sqlx::Error::Io(error).into()),
            Err(error) => Err(Fault::Away(Fault::Driver(error).at(&self.place))),
        }
    }

    /// The same, where others can be asked: without the pool's patience with a server that is not there.
    pub(crate) async fn session_at_once(&self, patience: Duration) -> Outcome<Session> {
        if let Some(connection) = self.pool.try_acquire() {
            return Ok(self.lend(connection));
        }
        if !self.is_full() {
            self.reach(patience).await?;
        }
        self.session().await
    }

    /// Whether anybody listens there.
    async fn reach(&self, patience: Duration) -> Outcome<()> {
        let connect: &MySqlConnectOptions = &self.pool.connect_options();
        match timeout(patience, TcpStream::connect((connect.get_host(), connect.get_port()))).await {
            Ok(reached) => reached.map(drop).map_err(|error| sqlx::Error::Io(error).into()),
            Err(_) => Err(Fault::Silent),
        }
    }

    fn lend(&self, connection: PoolConnection<MySql>) -> Session {
        Session::new(connection, self.options.patience, self.clustered.load(Ordering::Relaxed))
    }

    /// Whether all connections that there may be are in use.
    pub(crate) fn is_full(&self) -> bool {
        self.pool.num_idle() == 0 && self.pool.size() >= self.options.connections.max(1)
    }

    /// Whether the next connection is a new one, as far as can be seen.
    pub(crate) fn is_next_new(&self) -> bool {
        self.pool.num_idle() == 0
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
