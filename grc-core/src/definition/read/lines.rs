//! From paths to lines: run only when there is something to report.

use super::{
    Placed, Text, path,
    tree::{Format, without_mark},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The line of an offset, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) + 1
    }
}

/// Gives findings the name of their file, and the line of their path or of the nearest one around it.
pub(super) fn place(files: &[Text<'_>], findings: &mut [Placed]) {
    let mut wanted: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (file, finding) in findings.iter() {
        if let (Some(file), None) = (file, finding.line) {
            let paths = wanted.entry(*file).or_default();
            let mut next = Some(finding.path.as_str());
            while let Some(path) = next {
                paths.insert(path.to_owned());
                next = path::parent(path);
            }
        }
    }
    let found: BTreeMap<usize, BTreeMap<String, usize>> = wanted
        .iter()
        .filter_map(|(index, wanted)| Some((*index, find(files.get(*index)?, wanted))))
        .collect();
    for (file, finding) in findings {
        let Some(file) = file else { continue };
        finding.file = files.get(*file).map(|file| path::file(file.name));
        if finding.line.is_some() {
            continue;
        }
        let Some(lines) = found.get(file) else { continue };
        let mut next = Some(finding.path.as_str());
        while let Some(path) = next {
            finding.line = lines.get(path).copied();
            next = if finding.line.is_some() { None } else { path::parent(path) };
        }
    }
}

fn find(file: &Text<'_>, wanted: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let text = without_mark(file.text);
    let mut found = BTreeMap::new();
    if text.len() > crate::definition::Definition::MAX_FILE_BYTES {
        return found;
    }
    let lines = Lines::of(text);
    let mut note = |path: &str, offset: usize| {
        if wanted.contains(path) {
            found.entry(path.to_owned()).or_insert_with(|| lines.line(offset));
        }
    };
    match Format::of(file.name) {
        Format::Json => visit_json(text, &mut |path, offset, _| note(path, offset)),
        Format::Toml => visit_toml(text, &mut note),
    }
    found
}

#[cfg(not(feature = "toml"))]
fn visit_toml(_: &str, _: &mut dyn FnMut(&str, usize)) {}

#[cfg(feature = "toml")]
fn visit_toml(text: &str, note: &mut dyn FnMut(&str, usize)) {
    let (table, _) = toml::de::DeTable::parse_recoverable(text);
    visit_table(table.get_ref(), &mut String::new(), 0, note);
}

#[cfg(feature = "toml")]
fn visit_table(
    table: &toml::de::DeTable<'_>,
    at: &mut String,
    depth: usize,
    note: &mut dyn FnMut(&str, usize),
) {
    let length = at.len();
    for (key, member) in table.iter() {
        path::push_key(at, key.get_ref());
        note(at, key.span().start);
        visit_value(member.get_ref(), at, depth + 1, note);
        at.truncate(length);
    }
}

#[cfg(feature = "toml")]
fn visit_value(
    value: &toml::de::DeValue<'_>,
    at: &mut String,
    depth: usize,
    note: &mut dyn FnMut(&str, usize),
) {
    if depth > 100 {
        return;
    }
    match value {
        toml::de::DeValue::Table(table) => visit_table(table, at, depth, note),
        toml::de::DeValue::Array(items) => {
            let length = at.len();
            for (index, item) in items.iter().enumerate() {
                path::push_index(at, index);
                note(at, item.span().start);
                visit_value(item.get_ref(), at, depth + 1, note);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// Calls a function with the path and offset of each member and item of a JSON text that is known to be well formed,
/// and whether the object had a member of that name already.
pub(super) fn visit_json(text: &str, note: &mut dyn FnMut(&str, usize, bool)) {
    JsonText { text, at: 0, path: String::new(), note }.value(0);
}

struct JsonText<'a> {
    text: &'a str,
    at: usize,
    path: String,
    note: &'a mut dyn FnMut(&str, usize, bool),
}

impl JsonText<'_> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Whether the next byte is this one, which is then passed.
    fn pass(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// A value; nothing if the text ends in the middle, which it does not.
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > 200 {
            return None;
        }
        let length = self.path.len();
        match self.peek()? {
            b'{' => {
                self.at += 1;
                let mut keys = BTreeSet::new();
                while !self.pass(b'}') {
                    let start = {
                        self.peek()?;
                        self.at
                    };
                    let end = self.string()?;
                    let key: String = serde_json::from_str(self.text.get(start..end)?).ok()?;
                    path::push_key(&mut self.path, &key);
                    (self.note)(&self.path, start, !keys.insert(key));
                    if !self.pass(b':') {
                        return None;
                    }
                    self.value(depth + 1)?;
                    self.path.truncate(length);
                    self.pass(b',');
                }
            }
            b'[' => {
                self.at += 1;
                let mut index = 0;
                while !self.pass(b']') {
                    self.peek()?;
                    path::push_index(&mut self.path, index);
                    (self.note)(&self.path, self.at, false);
                    self.value(depth + 1)?;
                    self.path.truncate(length);
                    self.pass(b',');
                    index += 1;
                }
            }
            b'"' => {
                self.string()?;
            }
            _ => {
                let bytes = self.text.as_bytes();
                let start = self.at;
                while bytes
                    .get(self.at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
                {
                    self.at += 1;
                }
                if self.at == start {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Passes a string; gives its end.
    fn string(&mut self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(self.at)
    }
}
