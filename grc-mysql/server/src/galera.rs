//! Galera: its library, the scripts that carry the state of one node to another, and what they start. Debian's packages,
//! unpacked into a folder by `cargo xtask needs`: installed, one of them would start a server on the machine.

use crate::place;
use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// The variable that names another folder.
const VARIABLE: &str = "GRC_TEST_GALERA";
const FOLDER: &str = "galera";
const LIBRARY: &str = "usr/lib/galera/libgalera_smm.so";
/// In the order in which it misses them.
const PROGRAMS: [&str; 4] = ["wsrep_sst_rsync", "wsrep_sst_common", "my_print_defaults", "rsync"];
/// A library that `rsync` needs and that few machines have.
const POPT: &str = "libpopt.so.0";
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The folder that Debian's packages are unpacked in.
#[derive(Debug, Clone)]
pub(crate) struct Galera(PathBuf);

impl Galera {
    /// The folder that the variable `GRC_TEST_GALERA` names, or the one in the target folder that this program was built in.
    pub(crate) fn find() -> io::Result<Self> {
        let folder = match env::var_os(VARIABLE) {
            Some(folder) => PathBuf::from(folder),
            None => {
                let program = env::current_exe()?;
                let folders = program.ancestors().skip(1).map(|folder| folder.join(FOLDER));
                let found = folders.into_iter().find(|folder| folder.join(LIBRARY).exists());
                found.ok_or_else(|| missing(LIBRARY, "the target folder"))?
            }
        };
        Self::at(folder)
    }

    fn at(folder: PathBuf) -> io::Result<Self> {
        let bin = folder.join("usr/bin");
        let files = PROGRAMS.iter().map(|name| bin.join(name)).chain([folder.join(LIBRARY)]);
        for file in files {
            if !file.exists() {
                return Err(missing(&file.display().to_string(), &folder.display().to_string()));
            }
        }
        Ok(Self(folder))
    }

    /// Whether another account than the caller's can use it.
    pub(crate) fn is_open(&self) -> bool {
        place::is_open(&self.0)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.0.join(LIBRARY)
    }

    /// A program that is started so finds the scripts and what they start.
    pub(crate) fn environment(&self) -> io::Result<Vec<OsString>> {
        let mut path = OsString::from("PATH=");
        path.push(self.0.join("usr/bin"));
        path.push(":");
        path.push(PATH);
        let mut out = vec!["/usr/bin/env".into(), path];
        if let Some(folder) = holding(&self.0.join("usr/lib"), POPT)? {
            let mut libraries = OsString::from("LD_LIBRARY_PATH=");
            libraries.push(folder);
            out.push(libraries);
        }
        Ok(out)
    }
}

/// The folder, which has the architecture's name, that a library is in.
fn holding(lib: &Path, library: &str) -> io::Result<Option<PathBuf>> {
    for folder in fs::read_dir(lib)? {
        let folder = folder?.path();
        if folder.join(library).exists() {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

fn missing(what: &str, folder: &str) -> io::Error {
    let problem = format!("there is no {what} in {folder}: run `cargo xtask needs`");
    io::Error::new(io::ErrorKind::NotFound, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_what_to_run() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = Galera::at(nowhere.path().to_owned()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("cargo xtask needs"), "{error}");
    }
}
