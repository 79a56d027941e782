//! MariaDB, as Debian installs it.

use super::{missing, option};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

const ADVICE: &str = "run `cargo xtask needs`, or `apt-get install mariadb-server-core`";

/// As `mariadb-install-db` does it. That program itself needs another one (`my_print_defaults`), of a package that
/// `mariadb-server-core` does not bring with it.
pub(super) const BOOTSTRAP: &[&str] =
    &["--bootstrap", "--silent-startup", "--max-allowed-packet=8M", "--net-buffer-length=16K"];

pub(super) const SCRIPT_FAILED: &str = "\nERROR: ";

/// The system tables, without the help texts, the `sys` schema and the database `test`: in `share`, under the names that
/// versions give them.
const TABLES: [[&str; 2]; 4] = [
    ["mysql_system_tables.sql", "mariadb_system_tables.sql"],
    ["mysql_performance_tables.sql", "mariadb_performance_tables.sql"],
    ["mysql_system_tables_data.sql", "mariadb_system_tables_data.sql"],
    ["maria_add_gis_sp_bootstrap.sql", "mariadb_add_gis_sp_bootstrap.sql"],
];

fn find(folders: [PathBuf; 2], names: &[&str]) -> Option<PathBuf> {
    let all = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    all.into_iter().find(|path| path.exists())
}

pub(super) fn command(folder: &Path) -> io::Result<Vec<OsString>> {
    let program = find(["sbin", "bin"].map(|name| folder.join(name)), &["mariadbd"])
        .ok_or_else(|| missing("MariaDB server", folder, ADVICE))?;
    let options = ["--no-defaults".into(), option("basedir", folder), "--innodb-log-file-size=48M".into()];
    Ok([program.into()].into_iter().chain(options).collect())
}

/// What the server reads to make its tables.
pub(super) fn tables(folder: &Path) -> io::Result<String> {
    // The variable makes root an account for the socket only, which no password opens.
    let mut tables =
        "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket='root';\n".to_owned();
    for names in TABLES {
        let file = find(["share/mysql", "share/mariadb"].map(|name| folder.join(name)), &names)
            .ok_or_else(|| missing(&names.join(" or "), folder, ADVICE))?;
        tables += &fs::read_to_string(file)?;
    }
    Ok(tables)
}
