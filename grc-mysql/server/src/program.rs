//! Which server: MariaDB or MySQL, and where it is installed.

mod mariadb;
mod mysql;

use crate::place;
use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// The variable that makes [`Program::from_env`] answer MySQL.
const MYSQL: &str = "GRC_TEST_MYSQL";

/// A database server, by the folder that it is installed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// MariaDB: `sbin/mariadbd` (or `bin/mariadbd`) is in this folder.
    MariaDb(PathBuf),
    /// MySQL, as `cargo xtask mysql` unpacks it into this folder.
    MySql(PathBuf),
}

impl Program {
    /// The MariaDB of the machine: Debian's package `mariadb-server-core`.
    #[must_use]
    pub fn mariadb() -> Self {
        Self::MariaDb(PathBuf::from("/usr"))
    }

    /// MySQL from the folder that the variable `GRC_TEST_MYSQL` names; the MariaDB of the machine where it is not set.
    #[must_use]
    pub fn from_env() -> Self {
        env::var_os(MYSQL).map_or_else(Self::mariadb, |folder| Self::MySql(folder.into()))
    }

    /// The program with the options that it needs wherever it runs.
    pub(crate) fn command(&self) -> io::Result<Vec<OsString>> {
        match self {
            Self::MariaDb(folder) => mariadb::command(folder),
            Self::MySql(folder) => mysql::command(folder),
        }
    }

    /// Whether another account than the caller's can run it.
    pub(crate) fn check_open(&self) -> io::Result<()> {
        let (Self::MariaDb(folder) | Self::MySql(folder)) = self;
        if place::is_open(folder) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "only root may go into {}: root's servers run as another account, so have them where everybody may go",
                folder.display()
            ),
        ))
    }

    /// Where a failing statement of a script shows in the log: it ends the script, but not the server.
    pub(crate) fn script_failed(&self, log: &str) -> bool {
        log.contains(match self {
            Self::MariaDb(_) => mariadb::SCRIPT_FAILED,
            Self::MySql(_) => mysql::SCRIPT_FAILED,
        })
    }

    /// What makes a data directory of an empty one: options, and the program's input.
    pub(crate) fn initialisation(&self) -> io::Result<(&'static [&'static str], String)> {
        match self {
            Self::MariaDb(folder) => Ok((mariadb::BOOTSTRAP, mariadb::tables(folder)?)),
            Self::MySql(_) => Ok((mysql::INITIALISE, String::new())),
        }
    }
}

/// An option that is a path.
pub(crate) fn option(name: &str, path: impl AsRef<Path>) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(path.as_ref());
    option
}

fn missing(what: &str, folder: &Path, advice: &str) -> io::Error {
    let problem = format!("there is no {what} in {}: {advice}", folder.display());
    io::Error::new(io::ErrorKind::NotFound, problem)
}
