//! A package of Debian unstable with all that it needs, its C library included, unpacked into a folder: nothing of the
//! system is changed, and what it has installed does not count.

use crate::Outcome;
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The keys that Debian signs with, where its package has them.
const KEYS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg"];

/// Fetches and unpacks, from the mirror that the machine has its own packages from.
pub(crate) fn unpack(package: &str, folder: &Path) -> Outcome {
    // It is there whole or not at all.
    let part = folder.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    let apt = Apt::new(part.join("apt"))?;
    apt.get(&["update"])?;
    apt.get(&["install", "-y", "--download-only", "--no-install-recommends", package])?;
    for file in fs::read_dir(apt.folder.join("cache/archives"))? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            said(Command::new("dpkg").arg("-x").arg(&file).arg(&part))?;
        }
    }
    fs::remove_dir_all(&apt.folder)?;
    fs::rename(&part, folder)?;
    Ok(())
}

/// apt with a configuration of its own, for a system in which nothing is installed.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn new(folder: PathBuf) -> Result<Self, Box<dyn Error>> {
        for name in ["lists/partial", "cache/archives/partial", "state", "log"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("status"), "")?;
        let keys = KEYS.into_iter().find(|keys| Path::new(keys).exists());
        let keys = keys.map(|keys| format!("[signed-by={keys}] ")).unwrap_or_default();
        fs::write(folder.join("sources.list"), format!("deb {keys}{} unstable main\n", mirror()?))?;
        fs::write(folder.join("apt.conf"), configuration(&folder)?)?;
        Ok(Self { folder })
    }

    fn get(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("APT_CONFIG", self.folder.join("apt.conf"));
        command.env("DEBIAN_FRONTEND", "noninteractive");
        let status = command.status().map_err(|error| format!("apt-get cannot be run: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("apt-get {}: {status}", arguments.join(" ")).into())
        }
    }
}

/// Of the machine's settings how it reaches a mirror (a proxy, for one), and no others: what else there is (what is run
/// after an update, which versions are preferred) is about the machine's own packages.
fn configuration(folder: &Path) -> Result<String, Box<dyn Error>> {
    let settings = said(Command::new("apt-config").arg("dump"))?;
    let reaching = |line: &&str| line.starts_with("Acquire::") && !line.starts_with("Acquire::IndexTargets");
    let mut text: String = settings.lines().filter(reaching).map(|line| format!("{line}\n")).collect();
    // An index that cannot be had is an error: there is no older one.
    text += "APT::Update::Error-Mode \"any\";\n";
    for name in ["main", "parts", "sourceparts", "preferences", "preferencesparts"] {
        text += &format!("Dir::Etc::{name} \"/dev/null\";\n");
    }
    for (name, path) in [
        ("Etc::sourcelist", "sources.list"),
        ("State", "state"),
        ("State::lists", "lists"),
        ("State::status", "status"),
        ("Cache", "cache"),
        ("Log", "log"),
    ] {
        text += &format!("Dir::{name} \"{}\";\n", folder.join(path).display());
    }
    Ok(text)
}

/// Where the machine has the packages of its own release from.
fn mirror() -> Result<String, Box<dyn Error>> {
    let release = fs::read_to_string("/etc/os-release")?;
    let setting = |name: &str| {
        let value =
            |line: &str| Some(line.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').to_owned());
        release.lines().find_map(value)
    };
    if setting("ID").as_deref() != Some("debian") {
        return Err("this machine is no Debian: its mirror has no `unstable`".into());
    }
    let own = setting("VERSION_CODENAME").unwrap_or_else(|| "unstable".to_owned());
    let targets = ["indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE)"];
    let targets = said(Command::new("apt-get").args(targets).arg("Created-By: Packages"))?;
    let mirror = targets.lines().find_map(|line| {
        let (uri, release) = line.split_once(' ')?;
        (release == own).then(|| uri.to_owned())
    });
    mirror.ok_or_else(|| format!("apt has no source for this machine's release, {own}").into())
}

/// What a program prints.
fn said(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name} cannot be run: {error}"))?;
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {}", output.status, problem.trim_end()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
