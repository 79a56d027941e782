//! Figures over a real export, compared with facts that were computed from the same file by other means.

use crate::Outcome;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where real data are: `$GRC_DATA`, or beside the checkout.
#[expect(clippy::disallowed_methods, reason = "where the data are is the machine's to say")]
fn data() -> PathBuf {
    std::env::var("GRC_DATA").map_or_else(|_| PathBuf::from("../shared/data"), PathBuf::from)
}

/// Replays Boston's 58,251 cases of 2011 and compares every figure. Prints what it ran. Where the data are not there it
/// says so, and compares nothing: a generated file of the same shape is compared by the ordinary tests.
pub(crate) fn check() -> Outcome {
    let folder = data().join("boston311-2011");
    let (export, facts) = (folder.join("311_service_requests_2011.csv"), folder.join("facts.json"));
    if !export.exists() {
        println!("no real export in {}: nothing is compared (set GRC_DATA to where it is)", folder.display());
        return Ok(());
    }
    let mapping = Path::new("examples/quickstart/mappings/boston-2011.toml");
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "-p", "quickstart", "--", "--csv"]);
    command.arg(&export).arg("--mapping").arg(mapping).arg("--check").arg(&facts);
    println!("{command:?}");
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err("a figure differs, or the export could not be read".into()) }
}
