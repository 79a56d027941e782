//! A condition in words, for people who are told why something cannot be done.

use super::{Comparison, Condition, Scalar, Var};
use crate::{Moment, storage::FactKind};
use std::fmt;

/// A value, as it is told of what it is compared with.
struct Told<'a>(&'a Var, &'a Scalar);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Var::Fact(fact), Scalar::Integer(micros)) if fact.kind() == FactKind::Moment => {
                write!(f, "{}", Moment::from_micros(*micros).to_utc().format("%Y-%m-%d %H:%M UTC"))
            }
            (_, Scalar::Text(text)) => write!(f, "`{text}`"),
            (_, Scalar::Integer(number)) => write!(f, "{number}"),
            (_, Scalar::Boolean(yes)) => f.write_str(if *yes { "yes" } else { "no" }),
        }
    }
}

/// The parts of a condition, joined.
fn joined(f: &mut fmt::Formatter<'_>, parts: &[Condition], word: &str) -> fmt::Result {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            write!(f, " {word} ")?;
        }
        match part {
            Condition::All(_) | Condition::Any(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

/// In words: `` `acceptability` is `actionable` and `form.size` is at least 5 ``.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(yes) => f.write_str(if *yes { "always" } else { "never" }),
            Self::All(parts) if parts.is_empty() => f.write_str("always"),
            Self::Any(parts) if parts.is_empty() => f.write_str("never"),
            Self::All(parts) => joined(f, parts, "and"),
            Self::Any(parts) => joined(f, parts, "or"),
            Self::Not(part) => match &**part {
                Self::Present(var) => write!(f, "`{var}` is empty"),
                part => write!(f, "not ({part})"),
            },
            Self::Compare(var, comparison, scalar) => {
                let is = match comparison {
                    Comparison::Equal => "is",
                    Comparison::NotEqual => "is not",
                    Comparison::Less => "is less than",
                    Comparison::AtMost => "is at most",
                    Comparison::More => "is more than",
                    Comparison::AtLeast => "is at least",
                };
                write!(f, "`{var}` {is} {}", Told(var, scalar))
            }
            Self::OneOf(var, scalars) => {
                write!(f, "`{var}` is one of ")?;
                for (n, scalar) in scalars.iter().enumerate() {
                    let comma = if n > 0 { ", " } else { "" };
                    write!(f, "{comma}{}", Told(var, scalar))?;
                }
                Ok(())
            }
            Self::Contains(var, text) => write!(f, "`{var}` has `{text}`"),
            Self::Present(var) => write!(f, "`{var}` is filled"),
            Self::Relation(relation) => write!(f, "you are its {relation}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_are_told_in_words() {
        for (json, words) in [
            (json!({"==": [{"var": "acceptability"}, "actionable"]}), "`acceptability` is `actionable`"),
            (json!({"!=": [{"var": "form.size"}, 5]}), "`form.size` is not 5"),
            (json!({"in": [{"var": "state"}, ["a", "b"]]}), "`state` is one of `a`, `b`"),
            (json!({"!": {"!!": {"var": "agent"}}}), "`agent` is empty"),
            (json!({">=": [{"var": "opened"}, 0]}), "`opened` is at least 1970-01-01 00:00 UTC"),
            (
                json!({"or": [{"and": [true, {"relation": "@team"}]}, {"==": [{"var": "form.urgent"}, true]}]}),
                "(always and you are its team) or `form.urgent` is yes",
            ),
        ] {
            assert_eq!(Condition::from_json(&json).unwrap().to_string(), words);
        }
    }
}
