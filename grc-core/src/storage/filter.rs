//! Lists without SQL: what a condition makes of one row, for an engine that cannot be asked.

use super::{Facts, IndexValue, StorageError, sql};
use crate::{
    Condition, Value, Word,
    condition::{Comparison, Environment, Scalar, Var},
};

/// Refuses a condition that no store can answer, before any row is read (C-05): a relation, or a search in texts.
/// The same are refused as by [`sql::compile`], so that a list that one store answers is answered by all.
///
/// # Errors
/// [`StorageErrorKind::Unsupported`](super::StorageErrorKind::Unsupported), in the name of the store.
pub fn check(store: &'static str, condition: &Condition) -> Result<(), StorageError> {
    // The names of tables are in the text only, which is thrown away.
    let dialect = sql::Dialect { store, streams: "", index: "", links: "", by: ("", ""), join: "" };
    sql::compile(&dialect, condition).map(|_| ())
}

/// Whether a stream is in a list (C-12): what the SQL of [`sql::compile`] says of it, said without an engine.
///
/// `index` gives the values of a field in the stream's index rows, none if there are none. It is asked for fields that
/// the condition names, which [`Condition::vars`] lists: who must read them from somewhere reads those before.
///
/// What a condition means on index rows is not quite what it means on a form: a comparison holds if it does for one of
/// the field's values, yes and no are 1 and 0, a text is not searched.
///
/// ```
/// use grc_core::{
///     Condition, Word,
///     condition::{Comparison, Scalar, Var},
///     storage::{Fact, FactValue, Facts, IndexValue, filter},
/// };
///
/// let open: Word = "open".parse()?;
/// let sizes: Word = "sizes".parse()?;
/// let mut facts = Facts::new();
/// facts.set(Fact::State, Some(FactValue::Word(open.clone())));
/// let rows = [(sizes.clone(), vec![IndexValue::Number(3), IndexValue::Number(12)])];
/// let index = |field: &Word| {
///     rows.iter().find(|(of, _)| of == field).map_or(&[][..], |(_, values)| values.as_slice())
/// };
///
/// let large = Condition::Compare(Var::Field(sizes), Comparison::More, Scalar::Integer(10));
/// let filter = Condition::is(Fact::State, &open).and(large);
/// filter::check("mine", &filter)?;
/// assert!(filter::holds(&filter, &facts, &index));
/// // A relation is the engine's to resolve: a store refuses it.
/// assert!(filter::check("mine", &Condition::Relation("assignee".parse()?)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn holds<'r>(condition: &Condition, facts: &Facts, index: &dyn Fn(&Word) -> &'r [IndexValue]) -> bool {
    Row { facts, index }.holds(condition)
}

struct Row<'a, 'r> {
    facts: &'a Facts,
    index: &'a dyn Fn(&Word) -> &'r [IndexValue],
}

impl Row<'_, '_> {
    fn holds(&self, condition: &Condition) -> bool {
        // An index field may hold several values: a comparison is true if it is for one of them.
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Condition::Not(part) => !self.holds(part),
            Condition::Compare(var, Comparison::NotEqual, scalar) => {
                !self.holds(&Condition::Compare(var.clone(), Comparison::Equal, scalar.clone()))
            }
            Condition::Compare(Var::Field(field), comparison, scalar) => {
                let condition =
                    Condition::Compare(Var::Field(field.clone()), *comparison, as_indexed(scalar));
                self.any(field, |value| condition.holds(&One(value)))
            }
            Condition::OneOf(Var::Field(field), scalars) => {
                let scalars = scalars.iter().map(as_indexed).collect();
                let condition = Condition::OneOf(Var::Field(field.clone()), scalars);
                self.any(field, |value| condition.holds(&One(value)))
            }
            // A text in the index equals or it does not; it is not searched.
            Condition::Contains(Var::Field(field), needle) => {
                self.any(field, |value| matches!(value, IndexValue::Text(text) if text == needle))
            }
            other => other.holds(self),
        }
    }

    fn any(&self, field: &Word, holds: impl Fn(&IndexValue) -> bool) -> bool {
        (self.index)(field).iter().any(holds)
    }
}

/// The index holds yes and no as 1 and 0.
fn as_indexed(scalar: &Scalar) -> Scalar {
    match scalar {
        Scalar::Boolean(yes) => Scalar::Integer(i64::from(*yes)),
        other => other.clone(),
    }
}

impl Environment for Row<'_, '_> {
    fn value(&self, var: &Var) -> Option<Value> {
        match var {
            Var::Fact(fact) => self.facts.get(*fact).map(Value::from),
            // Only asked whether there is one.
            Var::Field(field) => (!(self.index)(field).is_empty()).then_some(Value::Boolean(true)),
        }
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}

/// One value of a field.
struct One<'a>(&'a IndexValue);

impl Environment for One<'_> {
    fn value(&self, _: &Var) -> Option<Value> {
        match self.0 {
            IndexValue::Text(text) => Some(Value::Text(text.clone())),
            IndexValue::Number(number) => Some(Value::Integer(*number)),
        }
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}
