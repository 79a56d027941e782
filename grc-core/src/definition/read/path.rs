//! Paths as people read them (`procedure.water-leak.transition[2].to`), and names near to a name.

use crate::Word;
use std::fmt::Write as _;

/// The path of a member.
pub(in crate::definition) fn member(path: &str, key: &str) -> String {
    let mut out = path.to_owned();
    push_key(&mut out, key);
    out
}

/// Adds a key to a path, in quotes if it is not a plain one.
pub(in crate::definition) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    if is_plain(key) {
        path.push_str(key);
    } else {
        let key: String = key.chars().take(80).flat_map(char::escape_debug).collect();
        path.push('"');
        path.push_str(&key);
        path.push('"');
    }
}

/// Whether a key is written without quotes.
fn is_plain(key: &str) -> bool {
    matches!(key.len(), 1..=Word::MAX)
        && key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}

/// Adds an index to a path.
pub(in crate::definition) fn push_index(path: &mut String, index: usize) {
    // Writing to a text cannot fail.
    let _ = write!(path, "[{index}]");
}

/// The path around a path.
pub(in crate::definition) fn parent(path: &str) -> Option<&str> {
    path.rfind(['.', '[']).and_then(|end| path.get(..end))
}

/// Whether a path is another, or inside it.
pub(in crate::definition) fn is_within(path: &str, outer: &str) -> bool {
    outer.is_empty()
        || path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What the author wrote, for a message: in backticks, bounded, on one line.
pub(in crate::definition) fn shown(text: &str) -> String {
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == 60 {
            out.push('…');
            break;
        }
        match c {
            '`' | '\'' | '"' => out.push(if c == '`' { '\'' } else { c }),
            c => out.extend(c.escape_debug()),
        }
    }
    out.push('`');
    out
}

/// The name of a file, for each of its findings: bounded, on one line.
pub(in crate::definition) fn file(name: &str) -> String {
    const MOST: usize = 500;
    let mut out = String::new();
    for (n, c) in name.chars().enumerate() {
        match c {
            _ if n == MOST => {
                out.push('…');
                break;
            }
            c if c.is_control() => out.extend(c.escape_debug()),
            c => out.push(c),
        }
    }
    out
}

/// The nearest of some names, if one is near enough to be what was meant.
pub(in crate::definition) fn nearest<'a>(
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = name.len();
    let most = if length < 4 { 1 } else { 2 };
    if length > Word::MAX + most {
        return None;
    }
    names
        .into_iter()
        .filter(|known| known.len().abs_diff(length) <= most && *known != name)
        .map(|known| (strsim::osa_distance(name, known), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}

/// The hint for a name that is near to a known one.
pub(in crate::definition) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}
