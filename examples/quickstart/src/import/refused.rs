//! Collecting what was refused: the first on standard error, all in a file, in the order of the lines.

use super::cases::Flaw;
use crate::failure::{Failure, Res};
use std::{collections::BTreeMap, fs::File, path::Path};

/// What became of a row.
#[derive(Debug)]
pub(crate) enum Fate {
    Accepted,
    Refused(Vec<Flaw>),
    /// It was taken in, and a later step was refused.
    Incomplete(Vec<Flaw>),
}

/// Counts rows, and writes what is wrong with them.
pub(crate) struct Collector {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) incomplete: u64,
    show: u64,
    shown: u64,
    file: Option<csv::Writer<File>>,
    next: u64,
    /// Rows that were done before one that stands before them.
    early: BTreeMap<u64, (u64, Fate)>,
}

impl Collector {
    pub(crate) fn new(show: usize, path: Option<&Path>) -> Res<Self> {
        let file = match path {
            None => None,
            Some(path) => {
                let mut file = csv::Writer::from_path(path).map_err(|error| Failure::file(path, error))?;
                file.write_record(["line", "column", "code", "reason"])
                    .map_err(|error| Failure::file(path, error))?;
                Some(file)
            }
        };
        Ok(Self {
            accepted: 0,
            refused: 0,
            incomplete: 0,
            show: show as u64,
            shown: 0,
            file,
            next: 0,
            early: BTreeMap::new(),
        })
    }

    /// Takes what became of the row of a number, counted from 0.
    pub(crate) fn take(&mut self, number: u64, line: u64, fate: Fate) -> Res<()> {
        self.early.insert(number, (line, fate));
        while let Some((line, fate)) = self.early.remove(&self.next) {
            self.next += 1;
            self.one(line, fate)?;
        }
        Ok(())
    }

    #[expect(clippy::print_stderr, reason = "refused rows are shown to who runs the import")]
    fn one(&mut self, line: u64, fate: Fate) -> Res<()> {
        let (what, flaws) = match fate {
            Fate::Accepted => {
                self.accepted += 1;
                return Ok(());
            }
            Fate::Refused(flaws) => {
                self.refused += 1;
                ("refused", flaws)
            }
            Fate::Incomplete(flaws) => {
                self.accepted += 1;
                self.incomplete += 1;
                ("taken in, but not all of it", flaws)
            }
        };
        for Flaw { column, code, reason } in &flaws {
            if let Some(file) = &mut self.file {
                file.write_record([&line.to_string(), column, code, reason])
                    .map_err(|error| Failure::new(format!("the file of refused rows: {error}")))?;
            }
            if self.shown < self.show {
                eprintln!("line {line}, column `{column}`: {what}: {reason} (code `{code}`)");
            }
        }
        self.shown += 1;
        if self.shown == self.show + 1 {
            eprintln!("… more rows are refused; `--refused FILE` writes them all down");
        }
        Ok(())
    }

    /// Writes what is left.
    pub(crate) fn finish(&mut self) -> Res<()> {
        if let Some(file) = &mut self.file {
            file.flush().map_err(|error| Failure::new(format!("the file of refused rows: {error}")))?;
        }
        Ok(())
    }
}
