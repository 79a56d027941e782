//! What the tests need of the machine besides cargo: Chromium, in which the dashboard is opened.

use crate::Outcome;
use std::{path::Path, process::Command};

/// Where Debian's package puts it.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Installs what is not there.
pub(crate) fn install() -> Outcome {
    if Path::new(CHROMIUM).exists() {
        println!("{CHROMIUM} is there");
        return Ok(());
    }
    println!(
        "{CHROMIUM} is not there: installing Debian's package `chromium`, which the test of the dashboard opens"
    );
    apt(&["update"])?;
    apt(&["install", "-y", "--no-install-recommends", "chromium"])
}

fn apt(arguments: &[&str]) -> Outcome {
    let root = Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0";
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.arg("apt-get");
    }
    let status = command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    let hint = "install Debian's package `chromium` by hand";
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get {}: {status}; {hint}", arguments.join(" ")).into()),
        Err(error) => Err(format!("apt-get cannot be run: {error}; {hint}").into()),
    }
}
