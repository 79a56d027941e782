//! Which server: MariaDB or MySQL, and where it is installed.

use crate::place;
use std::{
    env,
    ffi::OsString,
    fs, io,
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
            Self::MariaDb(folder) => mariadb_command(folder),
            Self::MySql(_) => Err(io::Error::other("MySQL is not known yet")),
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

    /// What makes a data directory of an empty one: options, and the program's input.
    pub(crate) fn initialisation(&self) -> io::Result<(&'static [&'static str], String)> {
        match self {
            Self::MariaDb(folder) => Ok((BOOTSTRAP, mariadb_tables(folder)?)),
            Self::MySql(_) => Ok((&["--initialize-insecure"], String::new())),
        }
    }
}

/// A file of an installation, which may have more than one name.
fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| path.exists())
}

fn mariadb_command(folder: &Path) -> io::Result<Vec<OsString>> {
    let program = find(folder, &["sbin/mariadbd", "bin/mariadbd"]).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!(
                "there is no MariaDB server in {}: run `cargo xtask needs`, or `apt-get install mariadb-server-core`",
                folder.display()
            ),
        )
    })?;
    let mut base = OsString::from("--basedir=");
    base.push(folder);
    Ok(vec![program.into(), "--no-defaults".into(), base, "--innodb-log-file-size=48M".into()])
}

/// As `mariadb-install-db` does it. That program itself needs another one (`my_print_defaults`), of a package that
/// `mariadb-server-core` does not bring with it.
const BOOTSTRAP: &[&str] =
    &["--bootstrap", "--silent-startup", "--max-allowed-packet=8M", "--net-buffer-length=16K"];

/// The system tables, without the help texts, the `sys` schema and the database `test`.
const TABLES: [&str; 4] =
    ["system_tables", "performance_tables", "system_tables_data", "add_gis_sp_bootstrap"];

fn mariadb_tables(folder: &Path) -> io::Result<String> {
    // A variable that is set makes root an account for the socket only, which no password opens.
    let mut tables =
        "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket='root';\n".to_owned();
    for name in TABLES {
        // Versions differ in where they put them and in what they call them.
        let names: Vec<_> = ["share/mysql/mysql_", "share/mysql/mariadb_", "share/mysql/maria_"]
            .into_iter()
            .chain(["share/mariadb/mysql_", "share/mariadb/mariadb_", "share/mariadb/maria_"])
            .map(|prefix| format!("{prefix}{name}.sql"))
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let file = find(folder, &names).ok_or_else(|| {
            io::Error::other(format!("MariaDB's file {name}.sql is not in {}", folder.display()))
        })?;
        tables += &fs::read_to_string(file)?;
    }
    Ok(tables)
}
