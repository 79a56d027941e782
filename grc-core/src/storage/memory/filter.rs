//! Conditions on the rows of the reference store.

use super::Inner;
use crate::{
    Condition, Value, Word,
    condition::{Comparison, Environment, Scalar, Var},
    storage::{IndexValue, StreamRow},
};

pub(super) struct RowEnv<'a>(pub(super) &'a Inner, pub(super) &'a StreamRow);

impl RowEnv<'_> {
    pub(super) fn holds(&self, condition: &Condition) -> bool {
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
                self.any(field, |value| condition.holds(&IndexEnv(value)))
            }
            Condition::OneOf(Var::Field(field), scalars) => {
                let scalars = scalars.iter().map(as_indexed).collect();
                let condition = Condition::OneOf(Var::Field(field.clone()), scalars);
                self.any(field, |value| condition.holds(&IndexEnv(value)))
            }
            // A text in the index equals or it does not; it is not searched.
            Condition::Contains(Var::Field(field), needle) => {
                self.any(field, |value| matches!(value, IndexValue::Text(text) if text == needle))
            }
            other => other.holds(self),
        }
    }

    fn any(&self, field: &Word, holds: impl Fn(&IndexValue) -> bool) -> bool {
        let values = self.0.index.get(&(self.1.key.clone(), field.clone()));
        values.is_some_and(|values| values.iter().any(holds))
    }
}

/// The index holds yes and no as 1 and 0.
fn as_indexed(scalar: &Scalar) -> Scalar {
    match scalar {
        Scalar::Boolean(yes) => Scalar::Integer(i64::from(*yes)),
        other => other.clone(),
    }
}

impl Environment for RowEnv<'_> {
    fn value(&self, var: &Var) -> Option<Value> {
        match var {
            Var::Fact(fact) => self.1.facts.get(*fact).map(Value::from),
            Var::Field(field) => {
                self.0.index.get(&(self.1.key.clone(), field.clone())).and(Some(Value::Boolean(true)))
            }
        }
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}

struct IndexEnv<'a>(&'a IndexValue);

impl Environment for IndexEnv<'_> {
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
