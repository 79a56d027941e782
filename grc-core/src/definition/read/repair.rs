//! Trees into types. A reader made by serde stops at the first error; here the place of each error is mended in the
//! tree, so that the next one is found. What was mended never leaves: there is a finding for it.

use super::path::{self, did_you_mean, is_within, nearest, shown};
use crate::{
    Word,
    definition::{
        Acceptability, Agent, Channel, Field, Finding, Grant, Named, Organisation, Procedure, Service, State,
        Team, Template, Transition, Workflow, check,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_path_to_error::Segment;
use std::collections::{BTreeMap, BTreeSet};

/// The most times that one item is mended.
const MAX_STEPS: usize = 500;
/// The most items of one list that are read at all.
const MAX_ITEMS: usize = 10_001;
/// What stands for a text that cannot be read.
const STAND_IN: &str = "unreadable";

/// What is read, in parts that can be mended one by one.
pub(super) trait Unit: DeserializeOwned {
    /// The lists of tables in it.
    fn lists() -> &'static [(&'static str, Mend)];
}

/// Mends one item of a list.
type Mend = fn(&mut Repair, &str, &mut Json, &mut Vec<Finding>);

impl Unit for Organisation {
    fn lists() -> &'static [(&'static str, Mend)] {
        &[
            ("entity", mend::<Named>),
            ("service", mend::<Service>),
            ("team", mend::<Team>),
            ("supplier", mend::<Named>),
            ("family", mend::<Named>),
            ("zone", mend::<Named>),
            ("channel", mend::<Channel>),
            ("role", mend::<Named>),
            ("agent", mend::<Agent>),
            ("grant", mend::<Grant>),
            ("acceptability", mend::<Acceptability>),
            ("outcome", mend::<Named>),
            ("template", mend::<Template>),
        ]
    }
}

impl Unit for Procedure {
    fn lists() -> &'static [(&'static str, Mend)] {
        &[("field", mend::<Field>), ("state", mend::<State>), ("transition", mend::<Transition>)]
    }
}

impl Unit for Workflow {
    fn lists() -> &'static [(&'static str, Mend)] {
        &[("state", mend::<State>), ("transition", mend::<Transition>)]
    }
}

fn mend<T: DeserializeOwned>(repair: &mut Repair, at: &str, item: &mut Json, out: &mut Vec<Finding>) {
    if T::deserialize(&*item).is_err() {
        repair.mend::<T>(at, item, out);
    }
}

/// A step into a tree.
enum Step {
    Key(String),
    Index(usize),
}

/// What was mended in all units of a definition.
#[derive(Default)]
pub(super) struct Repair {
    damaged: BTreeSet<String>,
}

impl Repair {
    /// Notes that what stands at a path is not what its author wrote.
    pub(super) fn damage(&mut self, path: &str) {
        self.damaged.insert(path.to_owned());
    }

    /// Whether names of the organisation may be missing.
    pub(super) fn lost_names(&self) -> bool {
        self.damaged.iter().any(|path| match path.strip_prefix("organisation") {
            Some("") => true,
            Some(rest) if rest.contains('[') => {
                rest.ends_with(".id") || (rest.ends_with(']') && rest.matches('.').count() == 1)
            }
            Some(rest) => Organisation::lists().iter().any(|(key, _)| rest.strip_prefix('.') == Some(key)),
            None => false,
        })
    }

    /// Whether a finding of the checker may come from something that was mended.
    pub(super) fn explains(&self, finding: &Finding) -> bool {
        if self.damaged.is_empty() {
            return false;
        }
        let at = finding.path.as_str();
        if self.inside(at) || self.around(at) {
            return true;
        }
        // A member is judged by its siblings: a limit by its kind, the least by the most.
        if !at.ends_with(']') && path::parent(at).is_some_and(|item| item.ends_with(']') && self.inside(item))
        {
            return !matches!(
                finding.code,
                "unknown-name" | "label-missing" | "name-too-long" | "duplicate-id"
            ) && !finding.code.starts_with("dangling-");
        }
        // A condition is judged by the fields that it looks at.
        if finding.code.starts_with("guard-") && self.damaged.iter().any(|path| path.contains(".field")) {
            return true;
        }
        // A rule that looks at the whole graph is at the mercy of each state and transition.
        let flow = at.split('[').next().unwrap_or_default();
        let flow = [".state", ".transition", ".initial"]
            .iter()
            .find_map(|part| flow.strip_suffix(part))
            .unwrap_or(flow);
        if finding.code.starts_with("dangling-") {
            let states = path::member(flow, "state");
            let lost = |path: &str| path == states || path.ends_with(".id") || path.ends_with(']');
            return self.damaged.iter().any(|path| is_within(path, &states) && lost(path));
        }
        if check::needs_grants(finding.code) && self.inside("organisation.grant") {
            return true;
        }
        check::needs_graph(finding.code)
            && ["state", "transition", "initial"].iter().any(|part| self.inside(&path::member(flow, part)))
    }

    /// Whether something inside a path was mended.
    fn inside(&self, outer: &str) -> bool {
        self.damaged
            .range(outer.to_owned()..)
            .take_while(|path| path.starts_with(outer))
            .any(|p| is_within(p, outer))
    }

    /// Whether a path is inside something that was mended.
    fn around(&self, path: &str) -> bool {
        let mut next = Some(path);
        while let Some(outer) = next {
            if self.damaged.contains(outer) {
                return true;
            }
            next = path::parent(outer);
        }
        false
    }

    /// Reads a unit, mending what cannot be read.
    pub(super) fn read<T: Unit>(&mut self, at: &str, mut value: Json, out: &mut Vec<Finding>) -> Option<T> {
        for (key, _) in T::lists() {
            let Some(Json::Array(items)) = value.get_mut(*key) else { continue };
            if items.len() > MAX_ITEMS {
                items.truncate(MAX_ITEMS);
            }
        }
        if let Ok(read) = T::deserialize(&value) {
            return Some(read);
        }
        for (key, mend) in T::lists() {
            let Some(Json::Array(items)) = value.get_mut(*key) else { continue };
            for (index, item) in items.iter_mut().enumerate() {
                let mut at = path::member(at, key);
                path::push_index(&mut at, index);
                mend(self, &at, item, out);
                if out.len() > super::MAX_FINDINGS {
                    return None;
                }
            }
        }
        self.mend(at, &mut value, out)
    }

    fn mend<T: DeserializeOwned>(&mut self, at: &str, value: &mut Json, out: &mut Vec<Finding>) -> Option<T> {
        let mut tries: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..MAX_STEPS {
            let error = match serde_path_to_error::deserialize::<_, T>(&*value) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let mut steps = Vec::new();
            for segment in error.path() {
                match segment {
                    Segment::Seq { index } => steps.push(Step::Index(*index)),
                    Segment::Map { key } => steps.push(Step::Key(key.clone())),
                    Segment::Enum { .. } | Segment::Unknown => break,
                }
            }
            let finding = self.step(at, value, &steps, &error.inner().to_string());
            let count = tries.entry(finding.path.clone()).or_default();
            *count += 1;
            if *count > 4 {
                *value = Json::Null;
                out.push(finding);
                return None;
            }
            if !self.around(&finding.path) {
                self.damage(&finding.path);
                out.push(finding);
            }
        }
        None
    }

    /// Mends the place of one error, and says what was wrong there.
    fn step(&mut self, at: &str, root: &mut Json, steps: &[Step], message: &str) -> Finding {
        let mut path = at.to_owned();
        for step in steps {
            match step {
                Step::Key(key) => path::push_key(&mut path, key),
                Step::Index(index) => path::push_index(&mut path, *index),
            }
        }
        let last = match steps.last() {
            Some(Step::Key(key)) => key.as_str(),
            _ => "",
        };
        let around = steps.get(..steps.len().saturating_sub(1)).unwrap_or_default();
        if message.starts_with("unknown field ") {
            let known = expected(message);
            let near = nearest(last, known.iter().copied());
            if let Some(Json::Object(object)) = find(root, around) {
                let value = object.remove(last);
                if let (Some(near), Some(value)) = (near, value)
                    && !object.contains_key(near)
                {
                    object.insert(near.to_owned(), value);
                    let outer = path::parent(&path).unwrap_or(at).to_owned();
                    self.damage(&path::member(if around.is_empty() { at } else { &outer }, near));
                }
            }
            let hint = near.map_or_else(|| format!("the keys here are {}", list(&known)), did_you_mean);
            return Finding::new("unknown-key", path, format!("unknown key {}", shown(last))).hint(hint);
        }
        if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            if let Some(Json::Object(object)) = find(root, steps) {
                object.insert(name.to_owned(), stand_in(name));
            }
            return Finding::new("missing", path::member(&path, name), format!("`{name}` is missing"));
        }
        let Some(node) = find(root, steps) else {
            return Finding::new("type", path, "not understood");
        };
        if message.starts_with("unknown variant ") {
            let known = expected(message);
            let written = node.as_str().unwrap_or_default().to_owned();
            let near = nearest(&written, known.iter().copied());
            *node = Json::from(near.or(known.first().copied()).unwrap_or(STAND_IN));
            let hint = near.map_or_else(|| format!("use {}", list(&known)), did_you_mean);
            return Finding::new("unknown-name", path, format!("unknown value {}", shown(&written)))
                .hint(hint);
        }
        if message.starts_with("not an identifier") {
            if let Json::String(text) = node {
                let slug = Word::slug(text);
                let finding = Finding::new("identifier", path, format!("{} is {message}", shown(text)))
                    .hint(format!("for example `{slug}`"));
                *node = Json::from(slug.as_str());
                return finding;
            }
            if let Some(Json::Object(object)) = find(root, around) {
                object.remove(last);
            }
            return Finding::new("identifier", path, format!("{} is {message}", shown(last)));
        }
        let wanted = message.rsplit_once(", expected ").map(|(_, wanted)| wanted);
        if let (Some(wanted), true) = (wanted, message.starts_with("invalid ")) {
            let (wanted, instead) = expectation(wanted);
            let finding = Finding::new("type", path, format!("must be {wanted}, and is {}", kind(node)));
            *node = instead;
            return finding;
        }
        let (code, instead) = match last {
            "when" => ("condition", Json::Bool(true)),
            "time-zone" => ("time-zone", stand_in(last)),
            _ => ("type", Json::Null),
        };
        *node = instead;
        Finding::new(code, path, message)
    }
}

/// The node at the end of some steps.
fn find<'a>(root: &'a mut Json, steps: &[Step]) -> Option<&'a mut Json> {
    steps.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get_mut(key),
        Step::Index(index) => node.get_mut(index),
    })
}

/// The names that serde would have taken: what its message has in backticks after the last `expected`.
fn expected(message: &str) -> Vec<&str> {
    let names = message.rsplit_once(", expected ").map_or("", |(_, names)| names);
    names.split('`').skip(1).step_by(2).collect()
}

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What a member that is missing is taken to be, so that the rest can be read.
fn stand_in(name: &str) -> Json {
    match name {
        "kind" => Json::from("text"),
        "phase" => Json::from("received"),
        "time-zone" => Json::from("Europe/Paris"),
        "from" | "may" => Json::Array(Vec::new()),
        _ => Json::from(STAND_IN),
    }
}

/// What serde wanted, in words, and something of that kind.
fn expectation(wanted: &str) -> (&'static str, Json) {
    match wanted {
        "label" => ("a text, or a table of one text a language", Json::from(STAND_IN)),
        "a string" | "string" => ("a text", Json::from(STAND_IN)),
        "string or map" | "unit" | "unit variant" | "map with a single key" => {
            ("a text", Json::from(STAND_IN))
        }
        "a boolean" => ("true or false", Json::Bool(false)),
        "a sequence" => ("a list", Json::Array(Vec::new())),
        "u16" => ("a whole number from 0 to 65535", Json::from(0)),
        "u32" => ("a whole number from 0 to 4294967295", Json::from(0)),
        "i64" => ("a whole number", Json::from(0)),
        _ => ("a table", Json::Object(serde_json::Map::new())),
    }
}

fn kind(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::Bool(yes) => yes.to_string(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(_) => "a text".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a table".to_owned(),
    }
}
