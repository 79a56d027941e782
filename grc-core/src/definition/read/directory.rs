//! The files of a directory. Nothing else in the crate touches the file system.

use super::path;
use crate::definition::{Definition, Finding};
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

/// The deepest nesting of directories.
const MAX_DEPTH: usize = 16;
/// The most entries that are looked at, files of other kinds included.
const MAX_ENTRIES: usize = 100_000;

/// The definition files of a directory and its subdirectories, in the order of their names, and what could not be read.
pub(super) fn read(root: &Path) -> (Vec<(String, String)>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut paths = Vec::new();
    list(root, root, 0, &mut 0, &mut paths, &mut findings);
    paths.sort();
    if paths.len() > Definition::MAX_FILES {
        findings.push(
            Finding::new("too-many", "", format!("there are more than {} files", Definition::MAX_FILES))
                .hint("a file may hold several procedures"),
        );
        paths.truncate(Definition::MAX_FILES);
    }
    if paths.is_empty() && findings.is_empty() {
        findings.push(Finding::new("file", "", "there are no .toml or .json files in the directory"));
    }
    let mut files = Vec::with_capacity(paths.len());
    let mut room = Definition::MAX_BYTES;
    for (name, path) in paths {
        match text(&path, room) {
            Ok(text) => {
                room = room.saturating_sub(text.len());
                files.push((name, text));
            }
            Err(mut finding) => {
                finding.file = Some(path::file(&name));
                findings.push(*finding);
            }
        }
    }
    (files, findings)
}

fn list(
    root: &Path,
    directory: &Path,
    depth: usize,
    entries: &mut usize,
    paths: &mut Vec<(String, PathBuf)>,
    findings: &mut Vec<Finding>,
) {
    let name = |path: &Path| {
        let parts = path.strip_prefix(root).unwrap_or(path).iter();
        parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    let unreadable = |path: &Path, error: &std::io::Error| {
        let mut finding = Finding::new("file", "", format!("cannot be read: {}", error.kind()));
        finding.file = Some(path::file(&name(path))).filter(|name| !name.is_empty());
        finding
    };
    let found = match fs::read_dir(directory) {
        Ok(found) => found,
        Err(error) => return findings.push(unreadable(directory, &error)),
    };
    for entry in found {
        *entries += 1;
        if *entries > MAX_ENTRIES || depth > MAX_DEPTH {
            if *entries <= MAX_ENTRIES + 1 {
                findings.push(Finding::new("too-many", "", "there are too many files or directories"));
            }
            return;
        }
        let (path, kind) = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(entry) => entry,
            Err(error) => {
                findings.push(unreadable(directory, &error));
                continue;
            }
        };
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        let wanted = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("toml") || e.eq_ignore_ascii_case("json"));
        if kind.is_dir() {
            list(root, &path, depth + 1, entries, paths, findings);
        } else if wanted && (kind.is_file() || (kind.is_symlink() && path.is_file())) {
            paths.push((name(&path), path));
        }
    }
}

fn text(path: &Path, room: usize) -> Result<String, Box<Finding>> {
    let most = Definition::MAX_FILE_BYTES.min(room);
    let unreadable = |error: std::io::Error| {
        Box::new(Finding::new("file", "", format!("cannot be read: {}", error.kind())))
    };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        return Err(Box::new(super::too_large()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let lines = error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count();
        let mut finding = Finding::new("file", "", "not UTF-8 text").hint("save it as UTF-8");
        finding.line = Some(lines + 1);
        Box::new(finding)
    })
}
