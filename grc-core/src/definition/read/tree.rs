//! Texts into trees.

use super::path;
use crate::definition::Finding;
use serde_json::Value as Json;

/// The deepest nesting of tables and lists. A condition needs two levels a part.
const MAX_DEPTH: usize = 64;
/// The most syntax errors of one file.
const MAX_ERRORS: usize = 100;
/// The largest text of which all syntax errors are looked for. The parser keeps each with hundreds of bytes, and two bytes may
/// hold several: of a larger text the first is told.
#[cfg(feature = "toml")]
const MAX_RECOVERED: usize = 64 << 10;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    Json,
}

impl Format {
    /// By the name of the file.
    pub(super) fn of(name: &str) -> Self {
        let toml = name.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("toml"));
        if toml { Self::Toml } else { Self::Json }
    }
}

/// The tree of a text, and what in it is no value of ours; or its syntax errors.
pub(super) fn parse(format: Format, text: &str) -> Result<(Json, Vec<Finding>), Vec<Finding>> {
    let text = without_mark(text);
    match format {
        Format::Json => parse_json(text),
        Format::Toml => parse_toml(text),
    }
}

/// Without the byte order mark that some editors put first.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn parse_json(text: &str) -> Result<(Json, Vec<Finding>), Vec<Finding>> {
    let mut tree: Json = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        let mut finding = Finding::new("syntax", "", format!("not JSON: {message}"));
        finding.line = Some(error.line().max(1));
        vec![finding]
    })?;
    let mut findings = Vec::new();
    let mut again = Vec::new();
    super::lines::visit_json(text, &mut |path, offset, seen| {
        if seen && again.len() < MAX_ERRORS {
            again.push((path.to_owned(), offset));
        }
    });
    if !again.is_empty() {
        let lines = super::lines::Lines::of(text);
        findings.extend(again.into_iter().map(|(path, offset)| {
            let mut finding =
                Finding::new("duplicate-id", path, "the same key is written twice").hint("keep one");
            finding.line = Some(lines.line(offset));
            finding
        }));
    }
    restrain(&mut tree, &mut findings);
    Ok((tree, findings))
}

/// Reports and replaces what no definition has: fractions, tables nested too deep, lists where tables belong.
pub(super) fn restrain(tree: &mut Json, findings: &mut Vec<Finding>) {
    walk(tree, &mut String::new(), Place { depth: 0, parent: Parent::Table, inside: false }, findings);
}

#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    parent: Parent,
    /// Inside a condition, where lists of lists are right.
    inside: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parent {
    Table,
    List,
    /// A table whose members are tables.
    Tables,
}

fn walk(value: &mut Json, at: &mut String, place: Place, findings: &mut Vec<Finding>) {
    if place.depth > MAX_DEPTH {
        if !value.is_null() {
            report(findings, "too-deep", at, format!("nested more than {MAX_DEPTH} deep"));
            *value = Json::Null;
        }
        return;
    }
    let length = at.len();
    match value {
        Json::Number(number) if number.as_i64().is_none() => {
            report(findings, "type", at, "numbers are whole, of at most 64 bits".to_owned());
            *value = Json::from(0);
        }
        // The derived readers would take a list for a table, member by member.
        Json::Array(_) if !place.inside && place.parent != Parent::Table => {
            report(findings, "type", at, "must not be a list".to_owned());
            *value = Json::Null;
        }
        Json::Array(items) => {
            let place = Place { depth: place.depth + 1, parent: Parent::List, ..place };
            for (index, item) in items.iter_mut().enumerate() {
                path::push_index(at, index);
                walk(item, at, place, findings);
                at.truncate(length);
            }
        }
        Json::Object(members) => {
            for (key, member) in members.iter_mut() {
                path::push_key(at, key);
                let (tables, table) = match (place.depth, key.as_str()) {
                    (0, "procedure" | "workflow") | (2, "rights") => (true, false),
                    (0, "organisation")
                    | (2, "target" | "retention" | "promises")
                    | (3, "response" | "assignment" | "intervention")
                    | (4, "after" | "within") => (false, true),
                    _ => (false, false),
                };
                if table && member.is_array() {
                    report(findings, "type", at, "must not be a list".to_owned());
                    *member = Json::Null;
                }
                let place = Place {
                    depth: place.depth + 1,
                    parent: if tables && member.is_object() { Parent::Tables } else { Parent::Table },
                    inside: place.inside || (place.depth == 4 && key == "when"),
                };
                walk(member, at, place, findings);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

fn report(findings: &mut Vec<Finding>, code: &'static str, at: &str, message: String) {
    if findings.len() < MAX_ERRORS {
        findings.push(Finding::new(code, at, message));
    }
}

#[cfg(not(feature = "toml"))]
fn parse_toml(_: &str) -> Result<(Json, Vec<Finding>), Vec<Finding>> {
    Err(vec![
        Finding::new("format", "", "TOML is not built in")
            .hint("build with the feature `toml`, or write JSON"),
    ])
}

#[cfg(feature = "toml")]
fn parse_toml(text: &str) -> Result<(Json, Vec<Finding>), Vec<Finding>> {
    let errors = match toml::de::DeTable::parse(text) {
        Ok(table) => {
            let mut findings = Vec::new();
            let mut tree = convert_table(table.get_ref(), &mut String::new(), 0, &mut findings);
            restrain(&mut tree, &mut findings);
            return Ok((tree, findings));
        }
        Err(first) if text.len() > MAX_RECOVERED => vec![first],
        Err(_) => toml::de::DeTable::parse_recoverable(text).1,
    };
    let starts = super::lines::Lines::of(text);
    let mut findings: Vec<Finding> = errors
        .iter()
        .take(MAX_ERRORS)
        .map(|error| {
            let message: String = error.message().chars().take(200).flat_map(char::escape_debug).collect();
            let mut finding = Finding::new("syntax", "", format!("not TOML: {message}"));
            finding.line = Some(starts.line(error.span().map_or(text.len(), |span| span.start)));
            finding
        })
        .collect();
    // What follows an error on its line is mostly its echo.
    findings.sort_by_key(|finding| finding.line);
    findings.dedup_by_key(|finding| finding.line);
    Err(findings)
}

#[cfg(feature = "toml")]
fn convert_table(
    table: &toml::de::DeTable<'_>,
    at: &mut String,
    depth: usize,
    findings: &mut Vec<Finding>,
) -> Json {
    let length = at.len();
    let mut members = serde_json::Map::new();
    for (key, member) in table.iter() {
        path::push_key(at, key.get_ref());
        members.insert(key.get_ref().to_string(), convert(member.get_ref(), at, depth + 1, findings));
        at.truncate(length);
    }
    Json::Object(members)
}

#[cfg(feature = "toml")]
fn convert(
    value: &toml::de::DeValue<'_>,
    at: &mut String,
    depth: usize,
    findings: &mut Vec<Finding>,
) -> Json {
    use toml::de::DeValue;
    if depth > MAX_DEPTH {
        report(findings, "too-deep", at, format!("nested more than {MAX_DEPTH} deep"));
        return Json::Null;
    }
    match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Json::from(number),
            Err(_) => {
                report(findings, "type", at, "numbers are whole, of at most 64 bits".to_owned());
                Json::from(0)
            }
        },
        DeValue::Float(_) => {
            report(findings, "type", at, "numbers are whole, of at most 64 bits".to_owned());
            Json::from(0)
        }
        DeValue::Boolean(yes) => Json::from(*yes),
        // A day is compared as its text; no other moment is written in a definition.
        DeValue::Datetime(moment) if moment.time.is_none() && moment.offset.is_none() => {
            Json::from(moment.to_string())
        }
        DeValue::Datetime(_) => {
            report(findings, "type", at, "only days can be written, such as 2026-11-24".to_owned());
            Json::Null
        }
        DeValue::Array(items) => {
            let length = at.len();
            let mut out = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path::push_index(at, index);
                out.push(convert(item.get_ref(), at, depth + 1, findings));
                at.truncate(length);
            }
            Json::Array(out)
        }
        DeValue::Table(table) => convert_table(table, at, depth, findings),
    }
}
