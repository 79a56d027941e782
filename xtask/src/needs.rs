//! What the tests need of the machine besides cargo: programs, each from a package of Debian.

use crate::{Outcome, galera};
use std::{path::Path, process::Command};

struct Need {
    /// Where Debian's package puts it.
    program: &'static str,
    package: &'static str,
    reason: &'static str,
}

const NEEDS: [Need; 5] = [
    Need {
        program: "/usr/bin/chromium",
        package: "chromium",
        reason: "the test of the dashboard opens it in a browser",
    },
    // The program without a service: no server runs on the machine because of us.
    Need {
        program: "/usr/sbin/mariadbd",
        package: "mariadb-server-core",
        reason: "the tests of grc-mysql and of the quickstart start servers of their own",
    },
    Need {
        program: "/usr/bin/openssl",
        package: "openssl",
        reason: "the tests of grc-mysql connect with certificates of their own",
    },
    Need {
        program: "/usr/bin/ps",
        package: "procps",
        reason: "the nodes of a cluster, in the tests of grc-mysql, look whether a transfer lives",
    },
    Need { program: "/usr/bin/ss", package: "iproute2", reason: "they look whether its port is open" },
];

const VALGRIND: Need =
    Need { program: "/usr/bin/valgrind", package: "valgrind", reason: "it counts instructions" };

/// Installs what makes an environment for Python packages, if this machine's Python cannot.
pub(crate) fn python() -> Outcome {
    let can = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    if can.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    println!("python3 makes no environments: installing Debian's package `python3-venv`");
    let hint = "install Python 3.10 or later with `venv`";
    apt(&["update"], hint)?;
    apt(&["install", "-y", "--no-install-recommends", "--no-remove", "python3-venv"], hint)
}

/// Installs what the tests need and is not there; what would bring a service with it is only unpacked.
pub(crate) fn install() -> Outcome {
    let updated = install_these(&NEEDS)?;
    let folder = galera::folder()?;
    if folder.exists() {
        println!("{} is there", folder.display());
        return Ok(());
    }
    if !updated {
        apt(&["update"], "fetch the lists of Debian's packages")?;
    }
    galera::unpack(&folder)
}

/// Installs what counts instructions, if it is not there.
pub(crate) fn valgrind() -> Outcome {
    install_these(&[VALGRIND]).map(drop)
}

/// Answers whether the lists of packages were brought up to date for it.
fn install_these(needs: &[Need]) -> Result<bool, Box<dyn std::error::Error>> {
    let mut missing = Vec::new();
    for Need { program, package, reason } in needs {
        if Path::new(program).exists() {
            println!("{program} is there");
        } else {
            println!("{program} is not there: installing Debian's package `{package}`, because {reason}");
            missing.push(*package);
        }
    }
    if missing.is_empty() {
        return Ok(false);
    }
    let hint = format!("install by hand what is missing of Debian's packages: {}", missing.join(", "));
    apt(&["update"], &hint)?;
    // What is there stays: a package that cannot be beside another one is not put in its place.
    let options = ["install", "-y", "--no-install-recommends", "--no-remove"];
    apt(&[options.as_slice(), &missing].concat(), &hint)?;
    Ok(true)
}

fn apt(arguments: &[&str], hint: &str) -> Outcome {
    let root = Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0";
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.arg("apt-get");
    }
    let status = command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get {}: {status}; {hint}", arguments.join(" ")).into()),
        Err(error) => Err(format!("apt-get cannot be run: {error}; {hint}").into()),
    }
}
