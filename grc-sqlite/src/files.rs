//! Making files that only their owner can read.

use crate::error::{io, unusable};
use grc_core::storage::StorageError;
use std::{
    fs::{File, OpenOptions},
    path::Path,
};

/// Makes sure that a file can be opened as a database, and makes an empty one if it may. SQLite gives its log and its
/// journal the rights of the file they belong to.
pub(crate) fn prepare(file: &Path, create: bool, what: &str) -> Result<(), StorageError> {
    match file.metadata() {
        Ok(meta) if meta.is_dir() => {
            Err(unusable(format!("`{}` is a directory: give the path of the {what} file", file.display())))
        }
        // SQLite would open it, and fail at the first write.
        Ok(meta) if meta.permissions().readonly() => Err(unusable(format!(
            "`{}` is read-only: give the user that runs the program the right to write the file and its directory",
            file.display()
        ))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => make(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unusable(format!(
            "there is no {what} file `{}`: check the path, or open it with `create` to make a new one",
            file.display()
        ))),
        Err(error) => Err(io(error, "cannot look at", file)),
    }
}

fn make(file: &Path) -> Result<(), StorageError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => sync_directory(file),
        // Somebody else made it in the meantime.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io(error, "cannot make", file)),
    }
}

/// A file survives a power failure only if its name does.
fn sync_directory(file: &Path) -> Result<(), StorageError> {
    if cfg!(unix) {
        let directory = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| io(error, "cannot make durable the directory of", file))?;
    }
    Ok(())
}
