//! MySQL, as `cargo xtask mysql` unpacks it: Debian's packages of a newer release than the machine's, the C library
//! among them, so that the program is run by the loader that came with it.

use super::{missing, option};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

const ADVICE: &str = "run `cargo xtask mysql`";

pub(super) const INITIALISE: &[&str] = &["--initialize-insecure"];

pub(super) const SCRIPT_FAILED: &str = "[ERROR] [MY-000061]";

pub(super) fn command(folder: &Path) -> io::Result<Vec<OsString>> {
    let usr = folder.join("usr");
    let program = usr.join("sbin/mysqld");
    if !program.exists() {
        return Err(missing("MySQL server", folder, ADVICE));
    }
    let (libraries, loader) =
        loader(&usr.join("lib"))?.ok_or_else(|| missing("loader of programs", folder, ADVICE))?;
    Ok(vec![
        loader.into(),
        "--library-path".into(),
        libraries.into(),
        program.into(),
        "--no-defaults".into(),
        option("basedir", &usr),
        option("plugin-dir", usr.join("lib/mysql/plugin")),
        option("lc-messages-dir", usr.join("share/mysql")),
        option("character-sets-dir", usr.join("share/mysql/charsets")),
        "--secure-file-priv=NULL".into(),
        "--innodb-redo-log-capacity=48M".into(),
        // As MariaDB is without options: no binary log. And no second port.
        "--skip-log-bin".into(),
        "--mysqlx=OFF".into(),
    ])
}

/// The folder of the libraries, which has the architecture's name, and the loader in it.
fn loader(lib: &Path) -> io::Result<Option<(PathBuf, PathBuf)>> {
    for folder in fs::read_dir(lib)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder)? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with("ld-linux") {
                return Ok(Some((folder, file.path())));
            }
        }
    }
    Ok(None)
}
