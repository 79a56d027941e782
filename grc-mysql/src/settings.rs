//! What a connection is set to, and what is demanded of its server, each time one is made: a server that was started
//! anew may have other settings, and after a failover it is another server.

use crate::{
    Durability, Options,
    error::{Fault, Outcome, away, unusable},
};
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};
use std::{collections::BTreeMap, time::Duration};

/// The variables that are looked at.
const VARIABLES: &str = "SHOW VARIABLES WHERE Variable_name IN ('version', 'innodb_flush_log_at_trx_commit', \
    'log_bin', 'sync_binlog', 'binlog_format', 'read_only', 'super_read_only', 'innodb_read_only', \
    'max_allowed_packet', 'innodb_snapshot_isolation', 'character_set_client', 'character_set_connection', \
    'character_set_results', 'transaction_isolation', 'tx_isolation', 'sql_mode', 'autocommit', 'wsrep_on', \
    'wsrep_sync_wait', 'wsrep_dirty_reads', 'innodb_autoinc_lock_mode')";

/// What makes a node of a Galera cluster wait, at the beginning of a transaction and of each statement outside of one,
/// until it has applied all that was committed on any node before: reading, deleting and updating, inserting. Without it a
/// row that was acknowledged on one node is not there yet on another (C-07), and what a writer expects neither (C-04). A
/// node that is not part of its cluster does not answer what it has. Tables are changed on all nodes.
const CLUSTERED: &str = "SET SESSION wsrep_sync_wait = 7, wsrep_dirty_reads = 0, wsrep_osu_method = 'TOI', wsrep_trx_fragment_size = 0";

/// Whether a node is part of its cluster.
const READY: &str = "SHOW STATUS WHERE Variable_name = 'wsrep_ready'";

/// How long ago what a commit rests on was read, at the most, whichever process made it.
pub(crate) const LAG: Duration = Duration::from_secs(600);

/// The longest that a connection may be silent: then the server ends it, and takes back what was not committed. From the
/// reading of the documents to COMMIT there are two such silences, before the row of the feed and before COMMIT.
pub(crate) const IDLE: Duration = Duration::from_secs(240);

/// Seconds that one lock is waited for before its transaction is run again: short, since a lane of the feed in which
/// somebody stands still is left for another.
const LOCK_WAIT: u64 = 1;

/// The largest body, its statement and some room.
const PACKET: u64 = 8 << 20;

/// Sets a new connection, and refuses a server on which the promises cannot be kept. Answers whether it is a node of a
/// cluster.
pub(crate) async fn settle(
    connection: &mut MySqlConnection,
    options: &Options,
    place: &str,
) -> Outcome<bool> {
    // A process that stands still with an open transaction holds its locks no longer than this.
    let idle = options.patience.as_secs().saturating_mul(2).clamp(1, IDLE.as_secs());
    // Of the others, a server's default may cut lists, write twice what is unique, or begin what nobody commits.
    let set = format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, \
         completion_type = 'NO_CHAIN', sql_select_limit = 18446744073709551615, unique_checks = 1, sql_safe_updates = 0, \
         sql_big_selects = 1, \
         innodb_lock_wait_timeout = {LOCK_WAIT}, lock_wait_timeout = {}, wait_timeout = {idle}; \
         SET NAMES utf8mb4; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        options.lock_wait.as_secs().max(1)
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(set))).await?;
    let mut found = Variables::read(connection).await?;
    if found.is("innodb_snapshot_isolation", &["OFF", "0"]) {
        connection.execute(sqlx::raw_sql("SET SESSION innodb_snapshot_isolation = ON")).await?;
        found = Variables::read(connection).await?;
    }
    if found.is_clustered() {
        if !is_ready(connection).await? {
            return Err(Fault::Store(away(place)));
        }
        connection.execute(sqlx::raw_sql(CLUSTERED)).await?;
        found = Variables::read(connection).await?;
    }
    found.check(options, place)?;
    Ok(found.is_clustered())
}

async fn is_ready(connection: &mut MySqlConnection) -> Outcome<bool> {
    let row = connection.fetch_optional(sqlx::raw_sql(READY)).await?;
    let value = row.map(|row| row.try_get::<String, _>(1)).transpose()?;
    Ok(value.is_some_and(|value| value.eq_ignore_ascii_case("ON")))
}

struct Variables(BTreeMap<String, String>);

impl Variables {
    async fn read(connection: &mut MySqlConnection) -> Outcome<Self> {
        let rows = connection.fetch_all(sqlx::raw_sql(VARIABLES)).await?;
        let pairs = rows.iter().map(|row| Ok((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?)));
        Ok(Self(pairs.collect::<Result<_, sqlx::Error>>()?))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether a variable is there and has one of these values.
    fn is(&self, name: &str, values: &[&str]) -> bool {
        self.0.get(name).is_some_and(|value| values.iter().any(|one| value.eq_ignore_ascii_case(one)))
    }

    /// Whether the server is a node of a Galera cluster.
    fn is_clustered(&self) -> bool {
        self.is("wsrep_on", &["ON", "1"])
    }

    fn check(&self, options: &Options, place: &str) -> Outcome<()> {
        let refuse = |message: String| Err(Fault::Store(unusable(format!("`{place}`: {message}"))));
        let version = self.get("version");
        if !is_supported(version) {
            return refuse(format!(
                "the server is of version {version}: MariaDB 10.6, MySQL 8.0 or later is needed"
            ));
        }
        if ["read_only", "super_read_only", "innodb_read_only"].iter().any(|name| self.is(name, &["ON", "1"]))
        {
            return refuse(
                "the server is read-only (a replica, or `read_only` is set): give the address of the primary, or end \
                 `read_only`"
                    .to_owned(),
            );
        }
        let logs = self.is("log_bin", &["ON", "1"]);
        if options.durability == Durability::Full {
            if self.get("innodb_flush_log_at_trx_commit") != "1" {
                return refuse(format!(
                    "commits are not flushed (`innodb_flush_log_at_trx_commit` is {}): set it to 1 in the server's \
                     configuration, or open with `Durability::Relaxed`, which may lose the last second",
                    self.get("innodb_flush_log_at_trx_commit")
                ));
            }
            if logs && self.get("sync_binlog") != "1" {
                return refuse(format!(
                    "the binary log is on but not flushed (`sync_binlog` is {}), so that a power failure takes commits \
                     back: set it to 1 in the server's configuration, or open with `Durability::Relaxed`",
                    self.get("sync_binlog")
                ));
            }
        }
        if logs && self.is("binlog_format", &["STATEMENT"]) {
            return refuse(
                "the binary log is written by statement: set `binlog_format` to ROW in the server's configuration"
                    .to_owned(),
            );
        }
        if self.is_clustered() {
            for (name, value) in [("binlog_format", "ROW"), ("innodb_autoinc_lock_mode", "2")] {
                if !self.is(name, &[value]) {
                    return refuse(format!(
                        "the server is a node of a Galera cluster whose `{name}` is {}: set it to {value} in the \
                         configuration of every node",
                        self.get(name)
                    ));
                }
            }
        }
        if self.get("max_allowed_packet").parse::<u64>().is_ok_and(|bytes| bytes < PACKET) {
            return refuse(format!(
                "the server takes at most {} bytes at once: set `max_allowed_packet` to 16M in its configuration",
                self.get("max_allowed_packet")
            ));
        }
        // What was set just now, seen from the other side: a proxy may swallow it.
        let kept = ["character_set_client", "character_set_connection", "character_set_results"]
            .iter()
            .all(|name| self.is(name, &["utf8mb4"]))
            && self.get("sql_mode").contains("STRICT_ALL_TABLES")
            && ["transaction_isolation", "tx_isolation"]
                .iter()
                .any(|name| self.is(name, &["READ-COMMITTED"]))
            && self.is("autocommit", &["ON", "1"])
            && !self.is("innodb_snapshot_isolation", &["OFF", "0"])
            && (!self.is_clustered()
                || self.is("wsrep_sync_wait", &["7"]) && self.is("wsrep_dirty_reads", &["OFF", "0"]));
        if !kept {
            return refuse(
                "the server, or a proxy before it, does not keep the settings of a connection (character set, SQL mode, \
                 isolation): connect to the server itself, or set the proxy to one connection a client"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// `10.11.19-MariaDB-0+deb12u1`, `9.7.4`, `8.0.11-TiDB-v8.5.0`.
fn is_supported(version: &str) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    number >= if version.contains("MariaDB") { (10, 6) } else { (8, 0) }
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn old_servers_are_told_from_new_ones() {
        for yes in
            ["10.11.19-MariaDB-0+deb12u1-log", "10.6.0-MariaDB", "11.8.3-MariaDB", "8.0.36", "9.7.4-debian"]
        {
            assert!(is_supported(yes), "{yes}");
        }
        for no in ["10.5.29-MariaDB", "5.5.5-10.3.1-MariaDB", "5.7.44", "", "unknown"] {
            assert!(!is_supported(no), "{no}");
        }
    }
}
