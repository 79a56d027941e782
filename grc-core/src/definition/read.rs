//! Reading definitions: texts and directories into one [`Definition`], with every problem of every file at once.

#[cfg(feature = "toml")]
mod directory;
mod lines;
pub(super) mod path;
mod repair;
mod tree;

use super::{Definition, DefinitionError, Finding, Organisation, Procedure, Workflow, check};
use crate::Word;
use repair::Repair;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use tree::Format;

/// The most findings of one load; past it, one says that there are more.
pub(super) const MAX_FINDINGS: usize = 1000;
const MAX_PROCEDURES: usize = 5000;

impl Definition {
    /// The largest file, in bytes.
    pub const MAX_FILE_BYTES: usize = 4 << 20;
    /// The most that all files of a definition may have together, in bytes.
    pub const MAX_BYTES: usize = 64 << 20;
    /// The most files in a directory.
    pub const MAX_FILES: usize = 1000;

    /// Reads and checks a definition that is written in one or several texts, each with its name: TOML if the name
    /// ends in `.toml` (feature `toml`), else JSON.
    ///
    /// The texts are one definition: the organisation is in one of them, procedures and workflows in any of them.
    ///
    /// ```
    /// use grc_core::definition::Definition;
    /// let town = r#"{ "organisation": {
    ///     "label": "Rennes", "time-zone": "Europe/Paris", "custodian": "desk",
    ///     "role": [{ "id": "desk", "label": "Accueil" }],
    ///     "channel": [{ "id": "counter", "label": "Guichet", "incomming": true }]
    /// } }"#;
    /// let error = Definition::from_files([("town.json", town)]).unwrap_err();
    /// assert_eq!(
    ///     error.findings()[0].to_string(),
    ///     "town.json:4: unknown key `incomming` (path `organisation.channel[0].incomming`, code `unknown-key`); \
    ///      did you mean `incoming`?"
    /// );
    /// assert!(Definition::from_files([("town.json", town.replace("mm", "m"))]).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`DefinitionError`] with all that is wrong: what cannot be read, and what [`Definition::check`] finds.
    pub fn from_files<N, T>(files: impl IntoIterator<Item = (N, T)>) -> Result<Self, DefinitionError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let files: Vec<(N, T)> = files.into_iter().collect();
        let files: Vec<Text<'_>> =
            files.iter().map(|(name, text)| Text { name: name.as_ref(), text: text.as_ref() }).collect();
        load(&files, Vec::new())
    }

    /// Reads and checks the definition in a directory: all its `.toml` and `.json` files and those of its
    /// subdirectories, in the order of their names, as one definition.
    ///
    /// Links to directories are not followed;
    /// names that begin with a dot are left out.
    ///
    /// # Errors
    /// [`DefinitionError`], as of [`Definition::from_files`]; a file that cannot be read is a finding of code `file`.
    #[cfg(feature = "toml")]
    pub fn from_dir(path: impl AsRef<std::path::Path>) -> Result<Self, DefinitionError> {
        let (files, findings) = directory::read(path.as_ref());
        let files: Vec<Text<'_>> = files.iter().map(|(name, text)| Text { name, text }).collect();
        load(&files, findings)
    }

    /// The definition as one JSON value, from which [`Definition::from_json`] makes an equal one.
    pub fn to_json(&self) -> Json {
        // It cannot fail: all keys are texts, all numbers whole.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Takes a definition out of one JSON value, as [`Definition::to_json`] makes it. The rules are not run: what was
    /// stored under older rules must still be readable. [`Definition::check`] runs them.
    ///
    /// # Errors
    /// [`DefinitionError`] with all that cannot be understood.
    pub fn from_json(json: &Json) -> Result<Self, DefinitionError> {
        let mut reading = Reading::default();
        let mut json = json.clone();
        let mut findings = Vec::new();
        tree::restrain(&mut json, &mut findings);
        reading.note(0, findings);
        reading.take(0, &[Text { name: "", text: "" }], json);
        let (definition, findings) = reading.finish(false);
        match definition {
            Some(definition) if findings.is_empty() => Ok(definition),
            _ => Err(told(findings.into_iter().map(|(_, finding)| finding).collect())),
        }
    }

    /// The same definition with each shared workflow copied into the procedures that name it, so that every procedure
    /// stands alone: as it is published and stored.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        for procedure in self.procedures.values_mut() {
            if let Some(workflow) = procedure.workflow.as_ref().and_then(|name| self.workflows.get(name)) {
                procedure.initial = Some(workflow.initial.clone());
                procedure.states.clone_from(&workflow.states);
                procedure.transitions.clone_from(&workflow.transitions);
                procedure.workflow = None;
            }
        }
        self.workflows.clear();
        self
    }
}

/// A named text.
#[derive(Clone, Copy)]
struct Text<'a> {
    name: &'a str,
    text: &'a str,
}

/// What a finding is about: which file, if any, and the finding.
type Placed = (Option<usize>, Finding);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Organisation,
    Workflow,
    Procedure,
}

impl Kind {
    const NAMES: [&'static str; 3] = ["organisation", "procedure", "workflow"];

    fn of(key: &str) -> Option<Self> {
        match key {
            "organisation" => Some(Self::Organisation),
            "procedure" => Some(Self::Procedure),
            "workflow" => Some(Self::Workflow),
            _ => None,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Procedure => "procedure",
            Self::Workflow => "workflow",
        }
    }
}

fn load(files: &[Text<'_>], findings: Vec<Finding>) -> Result<Definition, DefinitionError> {
    let mut reading = Reading { incomplete: !findings.is_empty(), unplaced: findings, ..Reading::default() };
    let mut bytes = 0_usize;
    for (index, file) in files.iter().enumerate() {
        bytes = bytes.saturating_add(file.text.len());
        if file.text.len() > Definition::MAX_FILE_BYTES || bytes > Definition::MAX_BYTES {
            reading.incomplete = true;
            reading.findings.push((Some(index), too_large()));
            continue;
        }
        match tree::parse(Format::of(file.name), file.text) {
            Ok((tree, findings)) => {
                reading.note(index, findings);
                reading.take(index, files, tree);
            }
            Err(findings) => {
                reading.incomplete = true;
                reading.findings.extend(findings.into_iter().map(|finding| (Some(index), finding)));
            }
        }
        if reading.findings.len() > MAX_FINDINGS {
            reading.incomplete = true;
            break;
        }
    }
    let unplaced = std::mem::take(&mut reading.unplaced);
    let (definition, mut placed) = reading.finish(true);
    match definition {
        Some(definition) if placed.is_empty() && unplaced.is_empty() => Ok(definition),
        _ => {
            // One more than are told, so that it is known that there are more.
            placed.truncate(MAX_FINDINGS + 1);
            lines::place(files, &mut placed);
            placed.sort_by(|(file, a), (other, b)| (file, a.line).cmp(&(other, b.line)));
            let mut findings = unplaced;
            findings.extend(placed.into_iter().map(|(_, finding)| finding));
            Err(told(findings))
        }
    }
}

/// As many as are told.
fn told(mut findings: Vec<Finding>) -> DefinitionError {
    if findings.len() > MAX_FINDINGS {
        findings.truncate(MAX_FINDINGS);
        findings.push(Finding::new(
            "too-many-findings",
            "",
            format!("there are more than {MAX_FINDINGS} problems; these are the first"),
        ));
    }
    DefinitionError::new(findings)
}

fn too_large() -> Finding {
    Finding::new(
        "too-large",
        "",
        format!(
            "a file may have {} MiB, and all files together {} MiB",
            Definition::MAX_FILE_BYTES >> 20,
            Definition::MAX_BYTES >> 20
        ),
    )
    .hint("split it into several files, for example one a procedure")
}

/// A definition while it is read.
#[derive(Default)]
struct Reading {
    unplaced: Vec<Finding>,
    findings: Vec<Placed>,
    repair: Repair,
    /// Something is missing altogether, so that what refers to it must not be held against its author.
    incomplete: bool,
    owners: BTreeMap<(Kind, String), usize>,
    organisation: Option<Organisation>,
    procedures: BTreeMap<Word, Procedure>,
    workflows: BTreeMap<Word, Workflow>,
}

impl Reading {
    /// Takes what was found, and replaced, in the tree of a file.
    fn note(&mut self, file: usize, findings: Vec<Finding>) {
        for finding in findings {
            self.repair.damage(&finding.path);
            self.findings.push((Some(file), finding));
        }
    }

    /// Takes the tables of one file.
    fn take(&mut self, file: usize, files: &[Text<'_>], tree: Json) {
        let Json::Object(tables) = tree else {
            self.incomplete = true;
            let finding = Finding::new("type", "", "a definition is a table")
                .hint("its keys are `organisation`, `procedure` and `workflow`");
            self.findings.push((Some(file), finding));
            return;
        };
        for (key, value) in tables {
            if self.findings.len() > MAX_FINDINGS {
                self.incomplete = true;
                return;
            }
            let kind = Kind::of(&key).or_else(|| {
                let nearest = path::nearest(&key, Kind::NAMES);
                let hint = nearest.map_or_else(
                    || "the keys are `organisation`, `procedure` and `workflow`".to_owned(),
                    path::did_you_mean,
                );
                let finding = Finding::new(
                    "unknown-key",
                    path::member("", &key),
                    format!("unknown key {}", path::shown(&key)),
                );
                self.findings.push((Some(file), finding.hint(hint)));
                self.incomplete = true;
                nearest.and_then(Kind::of)
            });
            match (kind, value) {
                (None, _) => {}
                (Some(Kind::Organisation), value) => self.unit(file, files, Kind::Organisation, "", value),
                (Some(kind), Json::Object(units)) => {
                    for (name, value) in units {
                        self.unit(file, files, kind, &name, value);
                    }
                }
                (Some(kind), _) => {
                    self.incomplete = true;
                    let finding = Finding::new("type", kind.key(), "must be a table of tables")
                        .hint(format!("write [{}.name]", kind.key()));
                    self.findings.push((Some(file), finding));
                }
            }
        }
    }

    /// Takes the organisation, a procedure or a workflow.
    fn unit(&mut self, file: usize, files: &[Text<'_>], kind: Kind, name: &str, value: Json) {
        let at = if name.is_empty() { kind.key().to_owned() } else { path::member(kind.key(), name) };
        if self.findings.len() > MAX_FINDINGS {
            self.incomplete = true;
            return;
        }
        let word = match Word::new(name) {
            Ok(word) => word,
            Err(_) if kind == Kind::Organisation => Word::slug(kind.key()),
            Err(error) => {
                self.findings.push((Some(file), Finding::new("identifier", &at, error.to_string())));
                self.repair.damage(&at);
                Word::slug(name)
            }
        };
        if let Some(first) = self.owners.get(&(kind, word.as_str().to_owned())) {
            let first = files.get(*first).map_or("", |file| file.name);
            let here = files.get(file).map_or("", |file| file.name);
            let finding = Finding::new(
                "duplicate-id",
                &at,
                format!(
                    "{} is defined in {} and again in {}",
                    path::shown(&at),
                    path::shown(first),
                    path::shown(here)
                ),
            )
            .hint("keep one of them");
            self.findings.push((Some(file), finding));
            return;
        }
        let full = match kind {
            Kind::Procedure => self.procedures.len() >= MAX_PROCEDURES,
            Kind::Workflow => self.workflows.len() >= MAX_PROCEDURES,
            Kind::Organisation => false,
        };
        if full {
            if !self.incomplete {
                let finding =
                    Finding::new("too-many", kind.key(), format!("there are more than {MAX_PROCEDURES}"));
                self.findings.push((Some(file), finding));
            }
            self.incomplete = true;
            return;
        }
        self.owners.insert((kind, word.as_str().to_owned()), file);
        let mut out = Vec::new();
        let read = match kind {
            Kind::Organisation => {
                self.organisation = self.repair.read(&at, value, &mut out);
                self.organisation.is_some()
            }
            Kind::Procedure => {
                let read = self.repair.read(&at, value, &mut out);
                read.map(|procedure| self.procedures.insert(word, procedure)).is_some()
            }
            Kind::Workflow => {
                let read = self.repair.read(&at, value, &mut out);
                read.map(|workflow| self.workflows.insert(word, workflow)).is_some()
            }
        };
        self.incomplete |= !read;
        self.findings.extend(out.into_iter().map(|finding| (Some(file), finding)));
    }

    /// Puts it together, and runs the rules on what could be read.
    fn finish(mut self, check: bool) -> (Option<Definition>, Vec<Placed>) {
        let Some(organisation) = self.organisation else {
            if !self.incomplete {
                let finding = Finding::new("missing", "organisation", "there is no organisation")
                    .hint("write [organisation] in one of the files");
                self.findings.push((None, finding));
            }
            return (None, self.findings);
        };
        let definition = Definition { organisation, workflows: self.workflows, procedures: self.procedures };
        if check {
            let names_lost = self.incomplete || self.repair.lost_names();
            let seen: BTreeSet<(&str, String)> =
                self.findings.iter().map(|(_, f)| (f.code, f.path.clone())).collect();
            let found: Vec<Placed> = check::run(&definition)
                .into_iter()
                .filter(|finding| !(names_lost && check::needs_names(finding.code)))
                .filter(|finding| !self.repair.explains(finding))
                .filter(|finding| !seen.contains(&(finding.code, finding.path.clone())))
                .map(|finding| (owner(&self.owners, &finding.path), finding))
                .collect();
            self.findings.extend(found);
        }
        (Some(definition), self.findings)
    }
}

/// The file that a path belongs to.
fn owner(owners: &BTreeMap<(Kind, String), usize>, path: &str) -> Option<usize> {
    let kind = [Kind::Organisation, Kind::Workflow, Kind::Procedure].into_iter().find(|kind| {
        path.strip_prefix(kind.key()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })?;
    if kind == Kind::Organisation {
        return owners.get(&(kind, kind.key().to_owned())).copied();
    }
    let rest = path.strip_prefix(kind.key())?.strip_prefix('.')?;
    let ends = rest.match_indices(['.', '[']).map(|(end, _)| end).chain([rest.len()]);
    ends.filter_map(|end| owners.get(&(kind, rest.get(..end)?.to_owned()))).next_back().copied()
}
