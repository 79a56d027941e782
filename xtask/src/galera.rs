//! Galera for the tests of grc-mysql on a cluster, unpacked into the target folder: installed, Debian's `mariadb-server`
//! would start a server on the machine, and `rsync` brings a service with it.

use crate::{Outcome, graph};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The library; the scripts that carry the state of one node to another; and what these start.
const PACKAGES: [&str; 5] = ["galera-4", "mariadb-server", "mariadb-client-core", "rsync", "libpopt0"];

/// The folder, where `private_server::Cluster` finds it.
pub(crate) fn folder() -> Result<PathBuf, Box<dyn std::error::Error>> {
    Ok(graph::target()?.join("galera"))
}

/// Fetches the packages of the machine's own release, and unpacks them. It is there whole or not at all.
pub(crate) fn unpack(folder: &Path) -> Outcome {
    println!("fetching {} into {}", PACKAGES.join(", "), folder.display());
    let part = folder.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    let fetched = part.join("packages");
    fs::create_dir_all(&fetched)?;
    run(Command::new("apt-get").arg("download").args(PACKAGES).current_dir(&fetched))?;
    for file in fs::read_dir(&fetched)? {
        run(Command::new("dpkg").arg("-x").arg(file?.path()).arg(&part))?;
    }
    fs::remove_dir_all(&fetched)?;
    fs::rename(&part, folder)?;
    Ok(())
}

fn run(command: &mut Command) -> Outcome {
    let hint = "unpack by hand what is missing: see `cargo xtask needs` in docs/CONTRIBUTING.md";
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}; {hint}").into()),
        Err(error) => Err(format!("{command:?}: {error}; {hint}").into()),
    }
}
