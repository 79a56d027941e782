//! Figures over real exports, compared with facts that were computed from the same files by other means.

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

/// A real export: its folder, its file, and the mapping that reads it.
const EXPORTS: [(&str, &str, &str); 2] = [
    ("boston311-2011", "311_service_requests_2011.csv", "boston-2011.toml"),
    ("paris-dansmarue-a", "dansmarue_a_5000.csv", "paris-dansmarue.toml"),
];

/// Replays Boston's 58,251 cases of 2011 and Paris's 5,000 reports of 2023 and 2024, and compares every figure. Prints what
/// it ran. Where the data are not there it says so, and compares nothing: generated files of the same shapes are compared
/// by the ordinary tests.
pub(crate) fn check() -> Outcome {
    for (folder, export, mapping) in EXPORTS {
        let folder = data().join(folder);
        let (export, facts) = (folder.join(export), folder.join("facts.json"));
        if !export.exists() {
            println!(
                "no real export in {}: nothing is compared (set GRC_DATA to where it is)",
                folder.display()
            );
            continue;
        }
        let mapping = Path::new("examples/quickstart/mappings").join(mapping);
        let mut command = Command::new("cargo");
        command.args(["run", "--release", "--quiet", "-p", "quickstart", "--", "--csv"]);
        command.arg(&export).arg("--mapping").arg(mapping).arg("--check").arg(&facts);
        println!("{command:?}");
        if !command.status()?.success() {
            return Err("a figure differs, or the export could not be read".into());
        }
    }
    Ok(())
}
