//! The account of the system that the server runs as.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown},
    path::Path,
    process::Command,
};

/// Who may do less than root, on every system.
const NOBODY: &str = "nobody";

/// Another account than the caller's, where the caller is root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// None where the server runs as the caller.
    pub(crate) fn needed() -> io::Result<Option<Self>> {
        let root = fs::metadata("/proc/self")?.uid() == 0;
        if root { Ok(Some(Self { user: number("-u")?, group: number("-g")? })) } else { Ok(None) }
    }

    /// What its owner is called.
    pub(crate) fn name(self) -> &'static str {
        NOBODY
    }
}

fn number(which: &str) -> io::Result<u32> {
    let output = Command::new("id").args([which, NOBODY]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| io::Error::other(format!("`id {which} {NOBODY}` gives no number")))
}

/// Gives a file or a directory to whom the server runs as.
pub(crate) fn give(path: &Path, to: Option<Account>) -> io::Result<()> {
    to.map_or(Ok(()), |account| chown(path, Some(account.user), Some(account.group)))
}

/// Makes a directory for the server alone.
pub(crate) fn make_directory(path: &Path, of: Option<Account>) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)?;
    give(path, of)
}

/// Writes a file that only the server can read.
pub(crate) fn write(path: &Path, text: &str, of: Option<Account>) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    give(path, of)
}
