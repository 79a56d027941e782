//! One condition language, used wherever a rule is needed.
//!
//! A [`Condition`] is a typed tree. Written as data it is a checked subset of JsonLogic:
//!
//! | written | true when |
//! |---|---|
//! | `{"and": [c, …]}`, `{"or": [c, …]}`, `{"!": c}` | all, any, not |
//! | `{"==": [{"var": "x"}, v]}`, also `!= < <= > >=` | the value compares so |
//! | `{"in": [{"var": "x"}, [v, …]]}` | the value is one of these |
//! | `{"in": ["v", {"var": "x"}]}` | the text contains it (folded), or the choices include it |
//! | `{"!!": {"var": "x"}}` | there is a value |
//! | `{"relation": "@assignee"}` | the actor has this relation to the request |
//! | `true`, `false` | always, never |
//!
//! `var` is a fact (`type`, `state`, `phase`, `service`, `acceptability`…) or `form.` and the id of a field. A value
//! that is absent compares as false, except that `!=` is always the contrary of `==`; ask for presence with `!!`. Dates compare as `2026-11-24`,
//! moments as microseconds. Evaluation always ends: the tree has at most [`Condition::MAX_NODES`] nodes.

mod words;

use crate::{Value, Word, fold::folded, storage::Fact};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::{cmp::Ordering, fmt};

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Var {
    /// A fact of the request.
    Fact(Fact),
    /// A field of its form.
    Field(Word),
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fact(fact) => f.write_str(fact.name()),
            Self::Field(field) => write!(f, "form.{field}"),
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    const ALL: [Self; 6] = [Self::Equal, Self::NotEqual, Self::Less, Self::AtMost, Self::More, Self::AtLeast];

    const fn allows(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// A value that a condition compares with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// A text, a word, or a day written `2026-11-24`.
    Text(String),
    /// A whole number, or a moment in microseconds.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&Word> for Scalar {
    fn from(word: &Word) -> Self {
        Self::Text(word.as_str().to_owned())
    }
}

impl From<i64> for Scalar {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// A rule as data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// Always, or never.
    Constant(bool),
    /// All of these hold; true if there are none.
    All(Vec<Self>),
    /// One of these holds; false if there are none.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The value compares so.
    Compare(Var, Comparison, Scalar),
    /// The value is one of these.
    OneOf(Var, Vec<Scalar>),
    /// The text contains this, or the choices include it.
    Contains(Var, String),
    /// There is a value.
    Present(Var),
    /// The actor has this relation to the request.
    Relation(Word),
}

/// Where the values of a condition come from.
pub trait Environment {
    /// The value of a fact or field, if there is one.
    fn value(&self, var: &Var) -> Option<Value>;
    /// Whether the actor has a relation (its name without the `@`).
    fn relation(&self, relation: &str) -> bool;
}

/// Why a condition does not hold: the parts that fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// What was looked at; empty for a relation.
    pub var: Option<Var>,
    /// The part, in words.
    pub part: String,
}

impl Condition {
    /// The most nodes in a condition.
    pub const MAX_NODES: usize = 256;
    /// The deepest nesting.
    pub const MAX_DEPTH: usize = 16;

    /// A fact equals a word.
    pub fn is(fact: Fact, value: impl Into<Scalar>) -> Self {
        Self::Compare(Var::Fact(fact), Comparison::Equal, value.into())
    }

    /// A fact is one of these words.
    pub fn among<'a>(fact: Fact, values: impl IntoIterator<Item = &'a Word>) -> Self {
        Self::OneOf(Var::Fact(fact), values.into_iter().map(Scalar::from).collect())
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(true), other) | (other, Self::Constant(true)) => other,
            (Self::All(mut parts), Self::All(others)) => {
                parts.extend(others);
                Self::All(parts)
            }
            (Self::All(mut parts), other) => {
                parts.push(other);
                Self::All(parts)
            }
            (one, Self::All(mut parts)) => {
                parts.insert(0, one);
                Self::All(parts)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }

    /// Whether it holds.
    pub fn holds(&self, env: &dyn Environment) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::All(parts) => parts.iter().all(|part| part.holds(env)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(env)),
            Self::Not(part) => !part.holds(env),
            Self::Compare(var, Comparison::NotEqual, scalar) => {
                !Self::Compare(var.clone(), Comparison::Equal, scalar.clone()).holds(env)
            }
            Self::Compare(var, comparison, scalar) => env
                .value(var)
                .and_then(|value| compare(&value, scalar))
                .is_some_and(|ordering| comparison.allows(ordering)),
            Self::OneOf(var, scalars) => env
                .value(var)
                .is_some_and(|value| scalars.iter().any(|s| compare(&value, s) == Some(Ordering::Equal))),
            Self::Contains(var, needle) => env.value(var).is_some_and(|value| match value {
                Value::Text(text) => folded(&text).contains(&folded(needle)),
                Value::Choices(choices) => choices.iter().any(|choice| choice == needle.as_str()),
                Value::Choice(choice) => choice == needle.as_str(),
                _ => false,
            }),
            Self::Present(var) => env.value(var).is_some(),
            Self::Relation(relation) => env.relation(relation.as_str()),
        }
    }

    /// The parts that keep it from holding; empty if it holds.
    pub fn unmet(&self, env: &dyn Environment) -> Vec<Unmet> {
        let mut out = Vec::new();
        self.collect_unmet(env, &mut out);
        out
    }

    fn collect_unmet(&self, env: &dyn Environment, out: &mut Vec<Unmet>) {
        if self.holds(env) {
            return;
        }
        match self {
            Self::All(parts) | Self::Any(parts) if !parts.is_empty() => {
                parts.iter().for_each(|part| part.collect_unmet(env, out));
            }
            Self::Compare(var, ..) | Self::OneOf(var, _) | Self::Contains(var, _) | Self::Present(var) => {
                out.push(Unmet { var: Some(var.clone()), part: self.to_string() });
            }
            Self::Not(_) | Self::Constant(_) | Self::Relation(_) | Self::All(_) | Self::Any(_) => {
                out.push(Unmet { var: None, part: self.to_string() });
            }
        }
    }

    /// Everything that it looks at.
    pub fn vars(&self) -> Vec<&Var> {
        let mut out = Vec::new();
        self.visit(&mut |node| match node {
            Self::Compare(var, ..) | Self::OneOf(var, _) | Self::Contains(var, _) | Self::Present(var) => {
                out.push(var)
            }
            _ => {}
        });
        out
    }

    /// Calls a function for each node.
    pub(crate) fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Self)) {
        f(self);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(f)),
            Self::Not(part) => part.visit(f),
            _ => {}
        }
    }

    /// With other values to compare with.
    pub(crate) fn with_scalars(self, f: &dyn Fn(&Var, Scalar) -> Scalar) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.with_scalars(f)).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(part) => Self::Not(Box::new(part.with_scalars(f))),
            Self::Compare(var, comparison, scalar) => {
                let scalar = f(&var, scalar);
                Self::Compare(var, comparison, scalar)
            }
            Self::OneOf(var, scalars) => {
                let scalars = scalars.into_iter().map(|scalar| f(&var, scalar)).collect();
                Self::OneOf(var, scalars)
            }
            other => other,
        }
    }

    /// Whether it is within the bounds that conditions read as data have.
    pub fn is_bounded(&self) -> bool {
        fn count(condition: &Condition, depth: usize, nodes: &mut usize) -> bool {
            *nodes += match condition {
                Condition::OneOf(_, scalars) => 1 + scalars.len(),
                _ => 1,
            };
            if depth > Condition::MAX_DEPTH || *nodes > Condition::MAX_NODES {
                return false;
            }
            match condition {
                Condition::All(parts) | Condition::Any(parts) => {
                    parts.iter().all(|part| count(part, depth + 1, nodes))
                }
                Condition::Not(part) => count(part, depth + 1, nodes),
                _ => true,
            }
        }
        count(self, 0, &mut 0)
    }

    /// As JsonLogic.
    pub fn to_json(&self) -> Json {
        let var = |var: &Var| json!({ "var": var.to_string() });
        let scalar = |scalar: &Scalar| match scalar {
            Scalar::Text(text) => json!(text),
            Scalar::Integer(number) => json!(number),
            Scalar::Boolean(yes) => json!(yes),
        };
        match self {
            Self::Constant(value) => json!(value),
            Self::All(parts) => json!({ "and": parts.iter().map(Self::to_json).collect::<Vec<_>>() }),
            Self::Any(parts) => json!({ "or": parts.iter().map(Self::to_json).collect::<Vec<_>>() }),
            Self::Not(part) => json!({ "!": part.to_json() }),
            Self::Compare(v, comparison, value) => json!({ comparison.symbol(): [var(v), scalar(value)] }),
            Self::OneOf(v, values) => {
                json!({ "in": [var(v), values.iter().map(scalar).collect::<Vec<_>>()] })
            }
            Self::Contains(v, needle) => json!({ "in": [needle, var(v)] }),
            Self::Present(v) => json!({ "!!": var(v) }),
            Self::Relation(relation) => json!({ "relation": format!("@{relation}") }),
        }
    }

    /// From JsonLogic.
    ///
    /// # Errors
    /// A sentence that says what is not understood, and what is.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let mut nodes = 0;
        Self::read(json, 0, &mut nodes)
    }

    fn read(json: &Json, depth: usize, nodes: &mut usize) -> Result<Self, String> {
        *nodes += 1;
        if depth > Self::MAX_DEPTH || *nodes > Self::MAX_NODES {
            return Err(format!(
                "a condition has at most {} parts, nested at most {} deep",
                Self::MAX_NODES,
                Self::MAX_DEPTH
            ));
        }
        let object = match json {
            Json::Bool(value) => return Ok(Self::Constant(*value)),
            Json::Object(object) if object.len() == 1 => object,
            _ => return Err("a condition is `true`, `false`, or an object with one operator".to_owned()),
        };
        let Some((operator, argument)) = object.iter().next() else { return Ok(Self::Constant(true)) };
        let mut list = |argument: &Json| match argument {
            Json::Array(parts) => {
                parts.iter().map(|part| Self::read(part, depth + 1, nodes)).collect::<Result<Vec<_>, _>>()
            }
            _ => Err(format!("`{operator}` takes a list of conditions")),
        };
        match operator.as_str() {
            "and" => list(argument).map(Self::All),
            "or" => list(argument).map(Self::Any),
            "!" => Self::read(single(argument), depth + 1, nodes).map(|part| Self::Not(Box::new(part))),
            "!!" => read_var(single(argument)).map(Self::Present),
            "relation" => match single(argument) {
                Json::String(text) => Word::new(text.strip_prefix('@').unwrap_or(text))
                    .map(Self::Relation)
                    .map_err(|_| "`relation` takes the name of a relation, such as \"@assignee\"".to_owned()),
                _ => Err("`relation` takes the name of a relation, such as \"@assignee\"".to_owned()),
            },
            "in" => match argument {
                Json::Array(pair) => match pair.as_slice() {
                    [var @ Json::Object(_), Json::Array(values)] => {
                        *nodes += values.len();
                        if *nodes > Self::MAX_NODES {
                            return Err(format!("a condition has at most {} parts", Self::MAX_NODES));
                        }
                        let values = values.iter().map(read_scalar).collect::<Result<_, _>>()?;
                        Ok(Self::OneOf(read_var(var)?, values))
                    }
                    [Json::String(needle), var @ Json::Object(_)] => {
                        Ok(Self::Contains(read_var(var)?, needle.clone()))
                    }
                    _ => Err("`in` takes [variable, list] or [text, variable]".to_owned()),
                },
                _ => Err("`in` takes [variable, list] or [text, variable]".to_owned()),
            },
            symbol => {
                let comparison = Comparison::ALL
                    .into_iter()
                    .find(|comparison| comparison.symbol() == symbol)
                    .ok_or("unknown operator: use and, or, !, !!, in, relation, ==, !=, <, <=, > or >=")?;
                match argument {
                    Json::Array(pair) => match pair.as_slice() {
                        [var, value] => Ok(Self::Compare(read_var(var)?, comparison, read_scalar(value)?)),
                        _ => Err(format!("`{symbol}` takes [variable, value]")),
                    },
                    _ => Err(format!("`{symbol}` takes [variable, value]")),
                }
            }
        }
    }
}

/// JsonLogic lets an operator of one argument take it bare or in a list.
fn single(json: &Json) -> &Json {
    match json {
        Json::Array(items) if items.len() == 1 => items.first().unwrap_or(json),
        _ => json,
    }
}

fn read_var(json: &Json) -> Result<Var, String> {
    let name = match json {
        Json::Object(object) if object.len() == 1 => object.get("var").and_then(Json::as_str),
        _ => None,
    }
    .ok_or("a variable is written {\"var\": \"name\"}")?;
    if let Some(field) = name.strip_prefix("form.") {
        return Word::new(field).map(Var::Field).map_err(|error| format!("`var`: {error}"));
    }
    Fact::from_name(name).map(Var::Fact).ok_or_else(|| {
        "unknown variable: use a fact (`state`, `service`, `acceptability`…) or `form.` and a field"
            .to_owned()
    })
}

fn read_scalar(json: &Json) -> Result<Scalar, String> {
    match json {
        Json::String(text) => Ok(Scalar::Text(text.clone())),
        Json::Bool(yes) => Ok(Scalar::Boolean(*yes)),
        Json::Number(number) => {
            number.as_i64().map(Scalar::Integer).ok_or_else(|| "numbers are whole".to_owned())
        }
        _ => Err("a value is a text, a whole number, true or false".to_owned()),
    }
}

/// How a value stands to a scalar; none if they cannot be compared.
pub(crate) fn compare(value: &Value, scalar: &Scalar) -> Option<Ordering> {
    Some(match (value, scalar) {
        (Value::Text(a), Scalar::Text(b)) => a.as_str().cmp(b.as_str()),
        (Value::Choice(a), Scalar::Text(b)) => a.as_str().cmp(b.as_str()),
        (Value::Date(a), Scalar::Text(b)) => a.to_string().as_str().cmp(b.as_str()),
        (Value::Integer(a) | Value::Amount(a), Scalar::Integer(b)) => a.cmp(b),
        (Value::Boolean(a), Scalar::Boolean(b)) => a.cmp(b),
        _ => return None,
    })
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::from_json(&json).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Env;
    impl Environment for Env {
        fn value(&self, var: &Var) -> Option<Value> {
            match var.to_string().as_str() {
                "service" => Some("water".into()),
                "opened" => Some(50.into()),
                "form.note" => Some("Fuite près de l'Œuvre".into()),
                "form.day" => Some(chrono::NaiveDate::from_ymd_opt(2026, 11, 24)?.into()),
                "form.urgent" => Some(true.into()),
                _ => None,
            }
        }
        fn relation(&self, relation: &str) -> bool {
            relation == "assignee"
        }
    }

    #[track_caller]
    fn check(json: Json, expected: bool) {
        let condition = Condition::from_json(&json).unwrap();
        assert_eq!(condition.holds(&Env), expected, "{json}");
        assert_eq!(condition.unmet(&Env).is_empty(), expected, "{json}");
        assert_eq!(Condition::from_json(&condition.to_json()).unwrap(), condition, "{json}");
    }

    #[test]
    fn conditions_hold_or_say_why() {
        check(json!({"==": [{"var": "service"}, "water"]}), true);
        check(json!({"!=": [{"var": "service"}, "water"]}), false);
        check(json!({"!=": [{"var": "team"}, "x"]}), true);
        check(json!({"==": [{"var": "team"}, "x"]}), false);
        check(json!({">=": [{"var": "opened"}, 50]}), true);
        check(json!({"<": [{"var": "opened"}, 50]}), false);
        check(json!({"in": [{"var": "service"}, ["roads", "water"]]}), true);
        check(json!({"in": ["oeuvre", {"var": "form.note"}]}), true);
        check(json!({"<": [{"var": "form.day"}, "2027-01-01"]}), true);
        check(json!({"==": [{"var": "form.urgent"}, true]}), true);
        check(json!({"!!": {"var": "form.absent"}}), false);
        check(json!({"!": {"!!": [{"var": "form.absent"}]}}), true);
        check(json!({"relation": "@assignee"}), true);
        check(json!({"and": [true, {"or": [false, {"relation": "requester"}]}]}), false);
        check(json!({"and": []}), true);
        check(json!({"or": []}), false);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            json!(1),
            json!({"+": [1, 2]}),
            json!({"==": [{"var": "nothing"}, 1]}),
            json!({"==": [{"var": "state"}, 1.5]}),
            json!({"==": [{"var": "state"}]}),
            json!({"and": [], "or": []}),
            json!({"var": "state"}),
        ] {
            assert!(Condition::from_json(&bad).is_err(), "{bad}");
        }
        let mut deep = json!(true);
        for _ in 0..20 {
            deep = json!({ "!": deep });
        }
        assert!(Condition::from_json(&deep).is_err());
        assert!(Condition::from_json(&json!({"in": [{"var": "state"}, vec!["a"; 300]]})).is_err());
    }
}
