//! A database of a server: its address, its connections, and what is demanded of both.

use crate::{
    Options,
    error::{Fault, Outcome, unusable},
    session::{Session, Sql},
    settings,
};
use grc_core::storage::StorageError;
use sqlx::{
    MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow, MySqlSslMode},
};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

/// A database of a server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pool: MySqlPool,
    place: Arc<str>,
    options: Options,
    /// Why the last new connection could not be used: the pool does not say.
    refused: Arc<Mutex<Option<StorageError>>>,
}

/// Reads an address, and demands an encrypted connection unless it says otherwise or leads to this machine.
fn parse(address: &str) -> Result<(MySqlConnectOptions, Arc<str>), StorageError> {
    let wrong = |what: &str| {
        unusable(format!(
            "this is no address of a database ({what}): give `mysql://user:password@host:port/database`"
        ))
    };
    let rest = address
        .strip_prefix("mysql://")
        .or_else(|| address.strip_prefix("mariadb://"))
        .ok_or_else(|| wrong("it does not begin with `mysql://`"))?;
    // A password that is not escaped would be taken for a port or a database, and shown in messages.
    if rest.split_once(['/', '?', '#']).is_some_and(|(_, tail)| tail.contains('@')) {
        return Err(wrong("an `@` follows the host: special characters are written %XX"));
    }
    // The driver's own error would quote the password.
    let parsed: MySqlConnectOptions =
        format!("mysql://{rest}").parse().map_err(|_| wrong("it cannot be read"))?;
    let database = parsed.get_database().filter(|name| !name.is_empty());
    let database = database.ok_or_else(|| wrong("it names no database"))?;
    let (host, socket) = (parsed.get_host(), parsed.get_socket());
    let place = match socket {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{host}:{}/{database}", parsed.get_port()),
    };
    let is_here = socket.is_some()
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let says = rest.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|pair| pair.starts_with("ssl-mode=") || pair.starts_with("sslmode="))
    });
    let parsed = parsed.pipes_as_concat(false);
    let parsed = if is_here || says { parsed } else { parsed.ssl_mode(MySqlSslMode::Required) };
    Ok((parsed, place.into()))
}

impl Server {
    /// Where `address` leads. Nothing is connected yet.
    pub(crate) fn at(address: &str, options: &Options) -> Result<Self, StorageError> {
        let (connect, place) = parse(address)?;
        let refused: Arc<Mutex<Option<StorageError>>> = Arc::default();
        let hook = (options.clone(), Arc::clone(&place), Arc::clone(&refused));
        let pool = MySqlPoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.patience)
            // Less than the server's patience with us: see `settings`.
            .idle_timeout(options.patience)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let (options, place, refused) = hook.clone();
                Box::pin(async move {
                    settings::settle(connection, &options, &place).await.map_err(|fault| {
                        let error = fault.at(&place);
                        let message = error.to_string();
                        *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        sqlx::Error::Protocol(message)
                    })
                })
            })
            .connect_lazy_with(connect);
        Ok(Self { pool, place, options: options.clone(), refused })
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The connections that there may be at once.
    pub(crate) const fn connections(&self) -> u32 {
        self.options.connections
    }

    /// How often a lock is waited for, a second each time.
    pub(crate) fn lock_waits(&self) -> u32 {
        u32::try_from(self.options.lock_wait.as_secs()).unwrap_or(u32::MAX).max(1)
    }

    /// Makes one connection, and says what stands against it.
    pub(crate) async fn try_out(&self) -> Outcome<()> {
        use sqlx::{ConnectOptions, Connection};
        let connect = self.pool.connect_options();
        let attempt = async {
            let mut connection = connect.connect().await?;
            let settled = settings::settle(&mut connection, &self.options, &self.place).await;
            // Closed in any case; that it cannot even be closed says nothing new.
            let _ = connection.close().await;
            settled
        };
        tokio::time::timeout(self.options.patience, attempt).await.unwrap_or(Err(Fault::Silent))
    }

    /// A connection on loan.
    pub(crate) async fn session(&self) -> Outcome<Session> {
        match self.pool.acquire().await {
            Ok(connection) => Ok(Session::new(connection, self.options.patience)),
            Err(sqlx::Error::PoolTimedOut) => {
                let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(refused.map_or(Fault::Driver(sqlx::Error::PoolTimedOut), Fault::Store))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads something, all of one moment.
    pub(crate) async fn read<C: Sync, T>(
        &self,
        what: &C,
        work: for<'a> fn(&'a mut Session, &'a C) -> Reading<'a, T>,
    ) -> Outcome<T> {
        self.again(|| async {
            let mut session = self.session().await?;
            session.begin_reading().await?;
            let out = work(&mut session, what).await;
            session.rollback().await;
            out
        })
        .await
    }

    /// Reads the rows of one statement.
    pub(crate) async fn rows(&self, sql: impl Fn() -> Sql<'static> + Sync) -> Outcome<Vec<MySqlRow>> {
        self.again(|| {
            let sql = sql();
            async move { self.session().await?.rows(sql).await }
        })
        .await
    }

    /// Runs one statement that may be run twice.
    pub(crate) async fn execute(&self, sql: impl Fn() -> Sql<'static> + Sync) -> Outcome<u64> {
        self.again(|| {
            let sql = sql();
            async { self.session().await?.execute(sql).await }
        })
        .await
    }

    /// Does something that may be done twice, until its connection lives and nobody stands in its way.
    pub(crate) async fn again<T, F: Future<Output = Outcome<T>>>(&self, work: impl Fn() -> F) -> Outcome<T> {
        // All idle connections may be dead, when the server was started anew.
        let mut left = self.connections() + 8;
        loop {
            match work().await {
                Err(fault) if left > 0 && may_pass(&fault) => left -= 1,
                other => return other,
            }
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// What is read, as a future that a function pointer can name.
pub(crate) type Reading<'a, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'a>>;

/// Whether the same may succeed at once: a connection was dead, or another transaction stood in the way. A server that
/// refuses connections has been waited for already.
fn may_pass(fault: &Fault) -> bool {
    match fault {
        Fault::Silent => false,
        Fault::Driver(sqlx::Error::Io(error)) => error.kind() != std::io::ErrorKind::ConnectionRefused,
        fault => fault.is_lost() || fault.is_clash(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_password_that_is_not_escaped_is_not_taken_for_something_else() {
        for address in [
            // The driver would read a host `grc`, and in the last a database `secret@host/db`.
            "mysql://grc:12/secret@host/db",
            "mysql://grc:/secret@host/db",
            "mysql://grc:12/x?secret@host/db",
            "mysql://grc:12/x#secret@host/db",
            "mysql://grc:se/cret@host/db",
        ] {
            let error = parse(address).unwrap_err().to_string();
            assert!(error.contains("%XX") && !error.contains("cret"), "{address}: {error}");
        }
        for (address, place) in [
            ("mysql://grc:se@cret@host/db", "host:3306/db"),
            ("mysql://grc:12%2Fsecret@host:1/db", "host:1/db"),
            ("mariadb://grc:secret@host/d%40b?ssl-mode=DISABLED", "host:3306/d@b"),
        ] {
            assert_eq!(&*parse(address).unwrap().1, place, "{address}");
        }
    }
}
