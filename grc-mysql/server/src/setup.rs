//! What a server shall be like.

use crate::{Program, Server, place};
use std::io;

/// What a private server shall be like, until it is started.
#[derive(Debug, Clone)]
pub struct Setup {
    pub(crate) program: Program,
    pub(crate) options: Vec<String>,
    pub(crate) statements: Vec<String>,
    pub(crate) tls: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { program: Program::mariadb(), options: Vec::new(), statements: Vec::new(), tls: false }
    }
}

impl Setup {
    /// The machine's MariaDB, as durable as it can be (each commit is flushed), without a binary log and without TLS.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another server than the machine's MariaDB.
    #[must_use]
    pub fn program(mut self, program: Program) -> Self {
        self.program = program;
        self
    }

    /// An option of the server, without the dashes: `innodb-flush-log-at-trx-commit=2`. The last one of a name counts,
    /// also against those that are always given. Data directories are made without it.
    #[must_use]
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// A statement that is run at each start, before the server answers anybody.
    #[must_use]
    pub fn sql(mut self, statement: &str) -> Self {
        self.statements.push(statement.to_owned());
        self
    }

    /// Whether the server has a certificate, and an authority that signed it ([`Server::authority`]). MariaDB has no
    /// TLS without it; MySQL makes itself certificates when it has none.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Makes the directory and starts the server in it.
    ///
    /// # Errors
    /// The server is not installed, or it did not start: the error says what is to be done, or has the end of its log.
    pub fn start(self) -> io::Result<Server> {
        Server::start(self, place::free_port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::{Ipv4Addr, TcpListener},
        path::PathBuf,
    };

    #[test]
    fn a_port_that_was_taken_in_between_is_given_up() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = other.local_addr().unwrap().port();
        let mut ports = vec![place::free_port().unwrap(), taken];
        let server =
            Server::start(Setup::new().program(Program::from_env()), || Ok(ports.pop().unwrap())).unwrap();
        assert_ne!(server.port(), taken);
        assert!(ports.is_empty());
    }

    #[test]
    fn a_missing_server_says_what_to_install() {
        let nowhere = tempfile::tempdir().unwrap();
        let folder = PathBuf::from(nowhere.path());
        for (program, advice) in [
            (Program::MariaDb(folder.clone()), "apt-get install mariadb-server-core"),
            (Program::MySql(folder), "cargo xtask mysql"),
        ] {
            let error = Setup::new().program(program).start().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
}
