//! What a condition may compare a value with.

use super::{Field, FieldKind, read::path};
use crate::{
    Condition, Word,
    condition::{Comparison, Scalar, Var},
    storage::{Fact, FactKind},
};
use chrono::NaiveDate;

/// How a part of a condition looks at a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look<'c> {
    Compare(Comparison, &'c Scalar),
    Contains(&'c str),
}

/// Calls a function for each look that a node takes, its parts aside.
pub(crate) fn looks<'c>(node: &'c Condition, f: &mut dyn FnMut(&'c Var, Look<'c>)) {
    match node {
        Condition::Compare(var, comparison, scalar) => f(var, Look::Compare(*comparison, scalar)),
        Condition::OneOf(var, scalars) => {
            scalars.iter().for_each(|scalar| f(var, Look::Compare(Comparison::Equal, scalar)));
        }
        Condition::Contains(var, needle) => f(var, Look::Contains(needle)),
        _ => {}
    }
}

/// What does not fit, to be said after its name, and what to do.
pub(crate) type Misfit = (String, String);

fn not<T>(message: &str, hint: &str) -> Result<T, Misfit> {
    Err((message.to_owned(), hint.to_owned()))
}

impl<'c> Look<'c> {
    /// The word that it compares with.
    pub(crate) const fn word(self) -> Option<&'c str> {
        match self {
            Self::Compare(_, Scalar::Text(word)) => Some(word.as_str()),
            Self::Contains(word) => Some(word),
            Self::Compare(..) => None,
        }
    }

    /// Whether a fact can be looked at so.
    pub(crate) fn fits_fact(self, fact: Fact) -> Result<(), Misfit> {
        use Comparison::{Equal, NotEqual};
        match (fact.kind(), self) {
            (FactKind::Word, Self::Compare(Equal | NotEqual, Scalar::Text(_)) | Self::Contains(_)) => Ok(()),
            (FactKind::Word, Self::Compare(_, Scalar::Text(_))) => {
                not("is a word, and words have no order", "use ==, != or in")
            }
            (FactKind::Word, Self::Compare(..)) => {
                not("is a word, and is compared with something else", "compare it with a text")
            }
            (FactKind::Integer | FactKind::Moment, Self::Compare(_, Scalar::Integer(_))) => Ok(()),
            (FactKind::Integer, _) => {
                not("is a number, and is compared with something else", "compare it with a whole number")
            }
            (FactKind::Moment, _) => not(
                "is a moment, and is compared with something else",
                "compare it with its microseconds; lists take a text such as 2026-11-24T09:00:00Z too",
            ),
        }
    }

    /// Whether a field can be looked at so.
    pub(crate) fn fits(self, field: &Field) -> Result<(), Misfit> {
        let option = |word: &str| {
            if field.options.iter().any(|option| option.id == *word) {
                return Ok(());
            }
            if Word::new(word).is_err() {
                return not("has no such option", "compare it with one of its options");
            }
            let near = path::nearest(word, field.options.iter().map(|option| option.id.as_str()));
            let hint =
                near.map_or_else(|| "compare it with one of its options".to_owned(), path::did_you_mean);
            Err((format!("has no option {}", path::shown(word)), hint))
        };
        match (field.kind, self) {
            (FieldKind::File, _) => not("is a file, which is not compared", "ask for its presence with !!"),
            (FieldKind::Choices, Self::Compare(..)) => not(
                "holds several options, which are not compared",
                "write {\"in\": [\"option\", {\"var\": …}]}",
            ),
            (FieldKind::Choice | FieldKind::Choices, Self::Contains(word)) => option(word),
            (
                FieldKind::Choice,
                Self::Compare(Comparison::Equal | Comparison::NotEqual, Scalar::Text(word)),
            ) => option(word),
            (FieldKind::Choice, Self::Compare(_, Scalar::Text(_))) => {
                not("is a choice, and options have no order", "use ==, != or in")
            }
            (FieldKind::Choice, _) => {
                not("is a choice, and is compared with something else", "compare it with an option")
            }
            (FieldKind::Integer | FieldKind::Amount, Self::Compare(_, Scalar::Integer(_))) => Ok(()),
            (FieldKind::Integer, _) => {
                not("is a number, and is compared with something else", "compare it with a whole number")
            }
            (FieldKind::Amount, _) => not(
                "is an amount, and is compared with something else",
                "compare it with its cents; lists take a text such as 84,50 too",
            ),
            (
                FieldKind::Boolean,
                Self::Compare(Comparison::Equal | Comparison::NotEqual, Scalar::Boolean(_)),
            ) => Ok(()),
            (FieldKind::Boolean, _) => {
                not("is yes or no, and is compared with something else", "write == true or == false")
            }
            (FieldKind::Date, Self::Compare(_, Scalar::Text(day))) if is_day(day) => Ok(()),
            (FieldKind::Date, _) => {
                not("is a day, and is compared with something else", "write the day as 2026-11-24")
            }
            (
                FieldKind::Text | FieldKind::LongText | FieldKind::Email | FieldKind::Phone,
                Self::Contains(_),
            ) => Ok(()),
            (
                FieldKind::Text | FieldKind::LongText | FieldKind::Email | FieldKind::Phone,
                Self::Compare(_, Scalar::Text(_)),
            ) => Ok(()),
            _ => not("is a text, and is compared with something else", "compare it with a text"),
        }
    }
}

/// Days are compared as texts, so they must be written in full.
fn is_day(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}
