//! Where things are: the folder of the server's directory, and a free port.

use crate::account::Account;
use std::{
    env, fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// The longest path of a folder in which there is room for the server's socket: of the 107 bytes that a socket's path
/// may have, `/private-server-XXXXXX/socket` takes 29.
const LONGEST: usize = 107 - 29;

/// The folder for temporary files; another one, where its path is too long or leads through a folder that the server
/// may not enter.
pub(crate) fn folder(account: Option<Account>) -> io::Result<PathBuf> {
    let fit = |folder: PathBuf| {
        let folder = folder.canonicalize().ok()?;
        let short = folder.as_os_str().as_bytes().len() <= LONGEST;
        (short && (account.is_none() || is_open(&folder))).then_some(folder)
    };
    let folders = [env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    folders.into_iter().find_map(fit).ok_or_else(|| {
        io::Error::other(
            "no folder for temporary files has a short path that everybody may enter: set TMPDIR",
        )
    })
}

/// Whether everybody may go through a folder.
pub(crate) fn is_open(folder: &Path) -> bool {
    let open = |folder: &Path| fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o001 != 0);
    folder.ancestors().all(open)
}

/// A port that is free now. It may be taken before the server has it.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_closed_folder_closes_what_is_in_it() {
        let folder = tempfile::tempdir_in(super::folder(None).unwrap()).unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let allow = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        allow(0o711);
        assert!(is_open(&inner));
        allow(0o700);
        assert!(!is_open(&inner));
    }
}
