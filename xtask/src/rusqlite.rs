//! Both ends of the range of rusqlite that is taken: a host may already have either.

use crate::{Outcome, graph};
use std::{
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

/// The ends of the range in `Cargo.toml`.
const ENDS: [&str; 2] = ["0.39.0", "0.43.0"];

/// Tests `grc-sqlite` with each end, in a copy of the sources with a lock file of its own.
pub(crate) fn test() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = graph::target()?.join("rusqlite");
    for version in ENDS {
        println!("rusqlite {version}");
        let copy = folder.join(version);
        copy_sources(&root, &copy)?;
        let cargo = |arguments: &[&str]| -> Outcome {
            let mut command = Command::new("cargo");
            command.args(arguments).current_dir(&copy).env("CARGO_TARGET_DIR", folder.join("target"));
            if command.status()?.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
        };
        cargo(&["update", "--quiet", "-p", "rusqlite", "--precise", version])?;
        cargo(&["test", "-p", "grc-sqlite", "--all-features"])?;
    }
    println!("both ends of the range pass: {}", ENDS.join(", "));
    Ok(())
}

/// Copies what git knows, as it is now.
fn copy_sources(root: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    if !listed.status.success() {
        return Err("git does not list the sources".into());
    }
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), to.join(name));
        // What has not changed keeps its time, so that it is not built again.
        let old = std::fs::read(&to).unwrap_or_default();
        match std::fs::read(&from) {
            Ok(new) if new != old || !to.exists() => {
                std::fs::create_dir_all(to.parent().map_or_else(PathBuf::new, Path::to_path_buf))?;
                std::fs::write(&to, new)?;
            }
            // One that was deleted and is still known.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => drop(other?),
        }
    }
    Ok(())
}
