//! Figures over real exports, compared with facts that were computed from the same files by other means.

use crate::{Outcome, run};
use private_server::{Server, Setup};
use serde_json::Value as Json;
use std::{
    error::Error,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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

/// Replays Boston's 58,251 cases of 2011 and Paris's 5,000 reports of 2023 and 2024, in a file and on a private MariaDB, and
/// compares every figure with the facts, and those of the one store with those of the other. Prints what it ran. Where the
/// data are not there it says so, and compares nothing: generated files of the same shapes are compared by the ordinary
/// tests.
pub(crate) fn check() -> Outcome {
    let files = std::env::temp_dir().join(format!("grc-figures-{}", std::process::id()));
    std::fs::create_dir_all(&files)?;
    let outcome = check_in(&files);
    // The databases that the runs in a file leave, for who looks at them, are half a gigabyte.
    std::fs::remove_dir_all(&files)?;
    outcome
}

fn check_in(files: &Path) -> Outcome {
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
        let run = |place: &[String]| {
            let mut command = Command::new("cargo");
            command.args(["run", "--release", "--quiet", "-p", "quickstart", "--", "--csv"]).arg(&export);
            command.arg("--mapping").arg(&mapping).arg("--check").arg(&facts).arg("--json").args(place);
            command.env("TMPDIR", files);
            figures(&mut command, place.is_empty())
        };
        let in_file = run(&[])?;
        let server = server()?;
        println!("a private MariaDB at {}:{}", server.host(), server.port());
        let on_server = run(&["--db".into(), server.url("grc"), "--keys".into(), server.url("keys")])?;
        if let Some(difference) = difference("", &in_file, &on_server) {
            return Err(format!("in the file and on the server: {difference}").into());
        }
        let all = in_file.as_object().map_or(0, serde_json::Map::len);
        println!("{all} figures and tables of figures are the same in the file and on the server");
    }
    Ok(())
}

/// A server with a database for the store and one for its keys.
fn server() -> std::io::Result<Server> {
    Setup::new().sql("CREATE DATABASE IF NOT EXISTS `keys` CHARACTER SET utf8mb4").start()
}

/// What is said of a run that is not shown whole.
const SAID: [&str; 2] = [" lignes lues, ", " comparisons, "];

/// Runs the quickstart, and answers the figures that it printed. What else it says, on standard error, is shown whole
/// or in two lines.
fn figures(command: &mut Command, whole: bool) -> Result<Json, Box<dyn Error>> {
    let shown: Vec<_> =
        command.get_args().map(|argument| without_account(&argument.to_string_lossy())).collect();
    println!("cargo {}", shown.join(" "));
    let begun = run::now();
    if whole {
        command.stderr(Stdio::inherit());
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let wanted = |line: &&str| !output.status.success() || SAID.iter().any(|part| line.contains(part));
    said.lines().filter(wanted).for_each(|line| println!("{line}"));
    println!("{:.1} s", begun.elapsed().as_secs_f64());
    if !output.status.success() {
        return Err("a figure differs, or the export could not be read".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// An argument of a command; of an address not the account and its password.
fn without_account(argument: &str) -> String {
    match (argument.split_once("://"), argument.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
        _ => argument.to_owned(),
    }
}

/// Where two reports differ first.
fn difference(path: &str, one: &Json, other: &Json) -> Option<String> {
    match (one, other) {
        (Json::Object(a), Json::Object(b)) if a.keys().eq(b.keys()) => a.iter().find_map(|(key, one)| {
            difference(&format!("{path}/{key}"), one, b.get(key).unwrap_or(&Json::Null))
        }),
        _ if one == other => None,
        _ => Some(format!("{path}: {one} and {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::difference;
    use serde_json::json;

    #[test]
    fn a_difference_is_found_and_named() {
        let one = json!({"total": 3, "by": {"a": 1, "b": 2}, "hours": 1.5});
        assert_eq!(difference("", &one, &one.clone()), None);
        for (other, said) in [
            (json!({"total": 3, "by": {"a": 1, "b": 3}, "hours": 1.5}), "/by/b: 2 and 3"),
            (json!({"total": 3, "by": {"a": 1}, "hours": 1.5}), "/by: {\"a\":1,\"b\":2} and {\"a\":1}"),
            (json!({"total": 3, "by": {"a": 1, "b": 2}, "hours": 1.25}), "/hours: 1.5 and 1.25"),
        ] {
            assert_eq!(difference("", &one, &other).as_deref(), Some(said));
        }
    }
}
