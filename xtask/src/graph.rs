//! The dependency graph, as cargo tells it.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::PathBuf,
    process::Command,
};

/// A package of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// Where it comes from; none for the packages of this workspace.
    pub(crate) source: Option<String>,
}

/// The packages by their ids, and what normal dependencies of the workspace reach.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) packages: BTreeMap<String, Package>,
    pub(crate) normal: BTreeSet<String>,
}

/// The output of a cargo command.
pub(crate) fn cargo(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new("cargo").args(arguments).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`cargo {}` failed:\n{}", arguments.join(" "), said.trim_end()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The names and versions in the text of a Cargo.lock, of all platforms and features.
pub(crate) fn locked(lock: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let mut name = None;
    for line in lock.lines() {
        if let Some(text) = line.strip_prefix("name = ") {
            name = Some(text.trim_matches('"'));
        } else if let (Some(name), Some(text)) = (name.take(), line.strip_prefix("version = ")) {
            out.push((name, text.trim_matches('"')));
        }
    }
    out
}

impl Graph {
    /// Reads the graph without a network: of all platforms if their packages are there, else of this one, and says so.
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let all = ["metadata", "--locked", "--offline", "--all-features", "--format-version", "1"];
        let text = match cargo(&all) {
            Ok(text) => text,
            Err(error) => {
                let version = Command::new("rustc").arg("-vV").output()?;
                let version = String::from_utf8(version.stdout)?;
                let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or(error)?;
                println!(
                    "note: packages of other platforms are not here (`cargo fetch` gets them): {host} only"
                );
                cargo(&[all.as_slice(), &["--filter-platform", host]].concat())?
            }
        };
        Self::parse(&serde_json::from_str(&text)?).ok_or_else(|| "cargo metadata is not understood".into())
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let mut packages = BTreeMap::new();
        for package in metadata.get("packages")?.as_array()? {
            let row = Package {
                name: text(package, "name")?,
                version: text(package, "version")?,
                licence: text(package, "license"),
                source: text(package, "source"),
            };
            packages.insert(text(package, "id")?, row);
        }
        let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in metadata.get("resolve")?.get("nodes")?.as_array()? {
            let to = node.get("deps")?.as_array()?.iter().filter(|dependency| {
                let kinds = dependency.get("dep_kinds").and_then(Value::as_array);
                kinds
                    .is_some_and(|kinds| kinds.iter().any(|kind| kind.get("kind").is_none_or(Value::is_null)))
            });
            edges.insert(node.get("id")?.as_str()?, to.filter_map(|to| to.get("pkg")?.as_str()).collect());
        }
        let members = metadata.get("workspace_members")?.as_array()?;
        let mut waiting: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
        let mut normal = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if normal.insert(id.to_owned()) {
                waiting.extend(edges.get(id).into_iter().flatten());
            }
        }
        Some(Self { packages, normal })
    }
}

/// Cargo's target folder.
pub(crate) fn target() -> Result<PathBuf, Box<dyn Error>> {
    let text = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"])?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(folder.ok_or("cargo metadata is not understood")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lock_file_is_read() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"x\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\ndependencies = [\n \"b\",\n]\n";
        assert_eq!(locked(lock), [("a", "1.0.0"), ("a", "2.0.0")]);
    }

    #[test]
    fn normal_dependencies_are_followed_and_others_are_not() {
        let package = |id: &str| json!({"id": id, "name": id, "version": "1.0.0", "license": "MIT"});
        let to = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind}]});
        let graph = Graph::parse(&json!({
            "packages": [package("ours"), package("a"), package("b"), package("dev")],
            "workspace_members": ["ours"],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [to("a", Value::Null), to("dev", json!("dev"))]},
                {"id": "a", "deps": [to("b", Value::Null)]},
                {"id": "b", "deps": []},
                {"id": "dev", "deps": []},
            ]},
        }))
        .unwrap();
        assert_eq!(graph.packages.len(), 4);
        assert_eq!(graph.normal.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "ours"]);
    }
}
