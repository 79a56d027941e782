//! The address of a database: of one server, or of the nodes of a cluster.

use crate::error::unusable;
use grc_core::storage::StorageError;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use std::sync::Arc;

/// What may follow the database in an address. One that is not known is refused: it may be about encryption.
const QUERY: [&str; 9] =
    ["ssl-mode", "sslmode", "ssl-ca", "sslca", "ssl-cert", "sslcert", "ssl-key", "sslkey", "socket"];

/// How many statements a connection keeps prepared. What is given up again costs more than its own time: the driver sends
/// small packets one after the other without TCP_NODELAY (sqlx 0.9.0), and the next statement waits some 40 ms for the
/// server to acknowledge. A server keeps 16,382 of all connections together (`max_prepared_stmt_count`).
pub(crate) const STATEMENTS: usize = 256;

/// Where one server is: how it is reached, and what it is called in messages.
pub(crate) type Address = (MySqlConnectOptions, Arc<str>);

/// Reads the address of a server, or of several that hold the same (`mysql://user:password@a:3306,b:3306/database`), in
/// their order; and what they are called together.
pub(crate) fn read(address: &str) -> Result<(Vec<Address>, Arc<str>), StorageError> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (account, database) = rest.split_once('/').unwrap_or((rest, ""));
    // What is before the last `@` may be a password with anything in it.
    let (user, hosts) = account.rsplit_once('@').map_or((None, account), |(user, hosts)| (Some(user), hosts));
    if !hosts.contains(',') {
        let (options, place) = parse(address)?;
        return Ok((vec![(options, Arc::clone(&place))], place));
    }
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let one = |host: &str| {
        if host.is_empty() {
            return Err(unusable("this is no address of a database: between two commas there is no host"));
        }
        parse(&format!("{scheme}://{user}{host}/{database}"))
    };
    let all = hosts.split(',').map(one).collect::<Result<Vec<_>, _>>()?;
    if all.iter().any(|(options, _)| options.get_socket().is_some()) {
        return Err(unusable("an address of several hosts has no `socket`: name the hosts, or the socket"));
    }
    let name = |place: &str| place.rsplit_once('/').map_or(place, |(host, _)| host).to_owned();
    let names: Vec<String> = all.iter().map(|(_, place)| name(place)).collect();
    let database = all.first().and_then(|(options, _)| options.get_database()).unwrap_or_default();
    let place = format!("{}/{database}", names.join(","));
    Ok((all, place.into()))
}

/// Reads an address, and demands an encrypted connection unless it says otherwise or leads to this machine. No error
/// repeats a part of it: what stands where may be a password with a sign that was not written as %XX.
fn parse(address: &str) -> Result<(MySqlConnectOptions, Arc<str>), StorageError> {
    let wrong = |what: &str| {
        unusable(format!(
            "this is no address of a database ({what}): give `mysql://user:password@host:port/database`, with special \
             characters of the password as %XX; the nodes of a cluster as `host:port,host:port`"
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

    #[test]
    fn several_hosts_are_read_in_their_order() {
        let (all, place) = read("mysql://u:a,b@a:1,[::1],c.example/d%40b?ssl-mode=REQUIRED").unwrap();
        let found: Vec<(&str, u16)> = all.iter().map(|(one, _)| (one.get_host(), one.get_port())).collect();
        assert_eq!(found, [("a", 1), ("::1", 3306), ("c.example", 3306)]);
        assert!(all.iter().all(|(one, _)| format!("{:?}", one.get_ssl_mode()) == "Required"));
        assert_eq!(&*place, "a:1,[::1]:3306,c.example:3306/d@b");
        let places: Vec<&str> = all.iter().map(|(_, place)| &**place).collect();
        assert_eq!(places, ["a:1/d@b", "[::1]:3306/d@b", "c.example:3306/d@b"]);
        let (all, _) = read("mysql://u:p@127.0.0.1,db.example/db").unwrap();
        let modes: Vec<String> = all.iter().map(|(one, _)| format!("{:?}", one.get_ssl_mode())).collect();
        assert_eq!(modes, ["Preferred", "Required"], "each by itself");
        for wrong in ["mysql://u:p@a,,b/db", "mysql://u:p@a,b/db?socket=/run/s", "mysql://u:secret@a,b:x/db"]
        {
            let error = read(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{wrong}: {error}");
        }
    }
}
