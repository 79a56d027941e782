//! What the tests of the program share.

use serde_json::Value as Json;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

pub(crate) fn mapping(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(name)
}

pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quickstart")).args(args).output().unwrap()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What `--json` prints, alone.
pub(crate) fn json(output: &Output) -> Json {
    assert!(output.status.success(), "{}", err(output));
    serde_json::from_str(&out(output)).unwrap()
}

/// A directory with an export and a database in it.
pub(crate) struct Desk {
    pub(crate) directory: TempDir,
}

impl Desk {
    pub(crate) fn new(export: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("export.csv"), export).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn import(&self, mapping: &Path, more: &[&str]) -> Output {
        let (csv, db, refused) = (self.path("export.csv"), self.path("town.db"), self.path("refused.csv"));
        let mapping = mapping.to_str().unwrap();
        let args = ["--csv", &csv, "--mapping", mapping, "--db", &db, "--refused", &refused, "--json"];
        run(&[&args[..], more].concat())
    }

    /// The refused rows: line, column, code.
    pub(crate) fn refused(&self) -> Vec<(u64, String, String)> {
        let mut reader = csv::Reader::from_path(self.path("refused.csv")).unwrap();
        reader
            .records()
            .map(|record| {
                let record = record.unwrap();
                (record[0].parse().unwrap(), record[1].to_owned(), record[2].to_owned())
            })
            .collect()
    }
}
