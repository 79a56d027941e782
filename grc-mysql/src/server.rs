//! A database of a server: its address, its connections, and what is demanded of both.

use crate::{
    Options,
    error::{Fault, Outcome, foreign, unusable},
    session::{Session, Sql},
    settings,
};
use grc_core::storage::StorageError;
use sqlx::{
    MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow, MySqlSslMode},
};
use std::{pin::Pin, sync::Arc, time::Duration};

/// A database of a server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pool: MySqlPool,
    place: Arc<str>,
    options: Options,
}

/// What may follow the database in an address. One that is not known is refused: it may be about encryption.
const QUERY: [&str; 9] =
    ["ssl-mode", "sslmode", "ssl-ca", "sslca", "ssl-cert", "sslcert", "ssl-key", "sslkey", "socket"];

/// How many statements a connection keeps prepared. What is given up again costs more than its own time: the driver sends
/// small packets one after the other without TCP_NODELAY (sqlx 0.9.0), and the next statement waits some 40 ms for the
/// server to acknowledge. A server keeps 16,382 of all connections together (`max_prepared_stmt_count`).
const STATEMENTS: usize = 256;

/// Reads an address, and demands an encrypted connection unless it says otherwise or leads to this machine. No error
/// repeats a part of it: what stands where may be a password with a sign that was not written as %XX.
fn parse(address: &str) -> Result<(MySqlConnectOptions, Arc<str>), StorageError> {
    let wrong = |what: &str| {
        unusable(format!(
            "this is no address of a database ({what}): give `mysql://user:password@host:port/database`, with special \
             characters of the password as %XX"
        ))
    };
    let rest = address
        .strip_prefix("mysql://")
        .or_else(|| address.strip_prefix("mariadb://"))
        .ok_or_else(|| wrong("it does not begin with `mysql://`"))?;
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (account, database) = before.split_once('/').unwrap_or((before, ""));
    if account.contains('#') || database.contains(['@', '/', '#']) || query.contains(['@', '#']) {
        return Err(wrong("a `/`, `?`, `#` or `@` stands where none may be"));
    }
    let pairs = || {
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    };
    let has = |names: &[&str]| pairs().any(|(name, _)| names.contains(&name));
    if pairs().any(|(name, _)| !QUERY.contains(&name)) {
        return Err(wrong(
            "what may follow after `?` is `ssl-mode`, `ssl-ca`, `ssl-cert`, `ssl-key` and `socket`",
        ));
    }
    if has(&["ssl-cert", "sslcert"]) != has(&["ssl-key", "sslkey"]) {
        return Err(wrong("`ssl-cert` and `ssl-key` are given together or not at all"));
    }
    if pairs()
        .any(|(name, value)| matches!(name, "ssl-mode" | "sslmode") && value.parse::<MySqlSslMode>().is_err())
    {
        return Err(wrong("`ssl-mode` is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"));
    }
    // The driver's own error would quote the password.
    let parsed: MySqlConnectOptions =
        format!("mysql://{rest}").parse().map_err(|_| wrong("the host, the port or a %XX cannot be read"))?;
    let database = parsed.get_database().filter(|name| !name.is_empty());
    let database = database.ok_or_else(|| wrong("it names no database"))?;
    let (host, socket) = (parsed.get_host(), parsed.get_socket());
    let place = match socket {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{host}:{}/{database}", parsed.get_port()),
    };
    // A certificate names an IPv6 address without its brackets.
    let host = host.trim_matches(['[', ']']).to_owned();
    let is_here = socket.is_some()
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let parsed = parsed.host(&host).pipes_as_concat(false).statement_cache_capacity(STATEMENTS);
    let says = has(&["ssl-mode", "sslmode"]);
    let parsed = if is_here || says { parsed } else { parsed.ssl_mode(MySqlSslMode::Required) };
    Ok((parsed, place.into()))
}

/// How long a server may take to show why it gave no connection.
const AFTERWARDS: Duration = Duration::from_secs(1);

impl Server {
    /// Where `address` leads. Nothing is connected yet.
    pub(crate) fn at(address: &str, options: &Options) -> Result<Self, StorageError> {
        let (connect, place) = parse(address)?;
        let hook = (options.clone(), Arc::clone(&place));
        let pool = MySqlPoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.patience)
            // Less than the server's patience with us: see `settings`.
            .idle_timeout(options.patience.min(settings::IDLE / 2))
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let (options, place) = hook.clone();
                Box::pin(async move {
                    let settled = settings::settle(connection, &options, &place).await;
                    settled.map_err(|fault| sqlx::Error::Protocol(fault.at(&place).to_string()))
                })
            })
            .connect_lazy_with(connect);
        Ok(Self { pool, place, options: options.clone() })
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
        self.look(self.options.patience).await
    }

    async fn look(&self, patience: Duration) -> Outcome<()> {
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
        match tokio::time::timeout(patience, attempt).await {
            Ok(Ok(settled)) => settled,
            Ok(Err(_)) => Err(Fault::Store(unusable(foreign(&self.place)))),
            Err(_) => {
                abort.abort();
                Err(Fault::Silent)
            }
        }
    }

    /// A connection on loan.
    pub(crate) async fn session(&self) -> Outcome<Session> {
        match self.pool.acquire().await {
            Ok(connection) => Ok(Session::new(connection, self.options.patience)),
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

    /// Whether the next connection is a new one, as far as can be seen.
    pub(crate) fn is_next_new(&self) -> bool {
        self.pool.num_idle() == 0
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
        let mut is_new = false;
        loop {
            match work().await {
                Err(fault) if left > 0 && may_pass(&fault) => {}
                Err(fault) if left > 0 && fault.is_of_connection() && !is_new => is_new = self.is_next_new(),
                other => return other,
            }
            left -= 1;
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// What is read, as a future that a function pointer can name.
pub(crate) type Reading<'a, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'a>>;

/// Whether the same may succeed at once: a connection was dead, or another transaction stood in the way.
fn may_pass(fault: &Fault) -> bool {
    !matches!(fault, Fault::Silent) && (fault.is_lost() || fault.is_clash())
}

fn is_cut(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_leaves_the_machine_is_encrypted_unless_the_address_says_otherwise() {
        for (address, mode, place) in [
            ("mysql://u:p@localhost/db", "Preferred", "localhost:3306/db"),
            ("mysql://u:p@127.0.0.1:3307/db", "Preferred", "127.0.0.1:3307/db"),
            ("mysql://u:p@127.9.9.9/db", "Preferred", "127.9.9.9:3306/db"),
            ("mysql://u:p@[::1]:3307/db", "Preferred", "[::1]:3307/db"),
            ("mysql://u:p@db.example/db?socket=/run/s", "Preferred", "/run/s/db"),
            ("mysql://u:p@db.example/db", "Required", "db.example:3306/db"),
            ("mariadb://u:p@db.example/db", "Required", "db.example:3306/db"),
            ("mysql://u:p@10.0.0.1/db?ssl-ca=/x.pem", "Required", "10.0.0.1:3306/db"),
            ("mysql://u:p@[2001:db8::7]/db", "Required", "[2001:db8::7]:3306/db"),
            ("mysql://u:p@localhost.example/db", "Required", "localhost.example:3306/db"),
            ("mysql://u:p@db.example/db?ssl-mode=DISABLED", "Disabled", "db.example:3306/db"),
            ("mysql://u:p@db.example/db?sslmode=preferred", "Preferred", "db.example:3306/db"),
            (
                "mysql://u:p@127.0.0.1/db?ssl-ca=/x.pem&ssl-mode=VERIFY_IDENTITY",
                "VerifyIdentity",
                "127.0.0.1:3306/db",
            ),
        ] {
            let (options, found) = parse(address).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{address}");
            assert_eq!(&*found, place, "{address}");
            assert!(!options.get_host().contains('['), "{address}");
        }
    }

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
