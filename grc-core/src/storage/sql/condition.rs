//! Conditions as SQL.

use super::{Bound, Dialect, Fragment, column};
use crate::{
    Condition,
    condition::{Comparison, Scalar, Var},
    fold::folded,
    storage::{FactKind, StorageError, StorageErrorKind},
};

/// Compiles a condition to an expression that is true or false, never null.
///
/// # Errors
/// [`StorageErrorKind::Unsupported`] for what no store can answer: a relation, or a text search in typed text.
pub fn compile(dialect: &Dialect, condition: &Condition) -> Result<Fragment, StorageError> {
    let mut out = Fragment::default();
    write(dialect, condition, &mut out)?;
    Ok(out)
}

fn write(dialect: &Dialect, condition: &Condition, out: &mut Fragment) -> Result<(), StorageError> {
    let refuse =
        |message: &'static str| Err(StorageError::new(dialect.store, StorageErrorKind::Unsupported, message));
    match condition {
        Condition::Constant(true) => out.sql.push_str("1=1"),
        Condition::Constant(false) => out.sql.push_str("1=0"),
        Condition::All(parts) => balanced(dialect, parts, " AND ", "1=1", out)?,
        Condition::Any(parts) => balanced(dialect, parts, " OR ", "1=0", out)?,
        Condition::Not(part) => {
            // Every fragment is true or false, never null, so that `NOT` means what it says.
            out.sql.push_str("NOT (");
            write(dialect, part, out)?;
            out.sql.push(')');
        }
        Condition::Compare(var, Comparison::NotEqual, scalar) => {
            out.sql.push_str("NOT (");
            one(dialect, var, scalar, "=", out);
            out.sql.push(')');
        }
        Condition::Compare(var, comparison, scalar) => {
            one(dialect, var, scalar, sql_symbol(*comparison), out);
        }
        Condition::OneOf(var, scalars) => {
            let equal = |scalar: &Scalar| Condition::Compare(var.clone(), Comparison::Equal, scalar.clone());
            balanced(dialect, &scalars.iter().map(equal).collect::<Vec<_>>(), " OR ", "1=0", out)?;
        }
        Condition::Present(Var::Fact(fact)) => {
            out.sql.push_str(&format!("s.{} IS NOT NULL", column(*fact)));
        }
        Condition::Present(Var::Field(field)) => {
            out.sql.push_str(&exists(dialect, ""));
            out.bound.push(Bound::Text(field.as_str().to_owned()));
        }
        Condition::Contains(Var::Fact(fact), needle) if fact.kind() == FactKind::Word => {
            // A word contains another only as a choice equal to it.
            one(dialect, &Var::Fact(*fact), &Scalar::Text(needle.clone()), "=", out);
        }
        Condition::Contains(Var::Field(field), needle) if folded(needle) == *needle => {
            out.sql.push_str(&exists(dialect, " AND i.text=?"));
            out.bound.push(Bound::Text(field.as_str().to_owned()));
            out.bound.push(Bound::Text(needle.clone()));
        }
        Condition::Contains(..) => return refuse("a list cannot search in texts"),
        Condition::Relation(_) => return refuse("a relation must be resolved before a list is asked for"),
    }
    Ok(())
}

const fn sql_symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::More => ">",
        Comparison::AtLeast => ">=",
    }
}

/// Joins parts as a balanced tree: SQLite bounds the depth of an expression, and a chain is as deep as it is long.
fn balanced(
    dialect: &Dialect,
    parts: &[Condition],
    separator: &str,
    none: &str,
    out: &mut Fragment,
) -> Result<(), StorageError> {
    match parts {
        [] => out.sql.push_str(none),
        [part] => write(dialect, part, out)?,
        parts => {
            let (left, right) = parts.split_at(parts.len() / 2);
            out.sql.push('(');
            balanced(dialect, left, separator, none, out)?;
            out.sql.push_str(separator);
            balanced(dialect, right, separator, none, out)?;
            out.sql.push(')');
        }
    }
    Ok(())
}

fn exists(dialect: &Dialect, test: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {} i WHERE i.authority=s.authority AND i.kind=s.kind AND i.id=s.id AND i.field=?{test})",
        dialect.index
    )
}

/// One comparison; a value of another type than the column's compares as false.
fn one(dialect: &Dialect, var: &Var, scalar: &Scalar, symbol: &str, out: &mut Fragment) {
    let (bound, is_text) = match scalar {
        Scalar::Text(text) => (Bound::Text(text.clone()), true),
        Scalar::Integer(number) => (Bound::Integer(*number), false),
        Scalar::Boolean(yes) => (Bound::Integer(i64::from(*yes)), false),
    };
    match var {
        Var::Fact(fact) => {
            let fits = match scalar {
                Scalar::Text(_) => fact.kind() == FactKind::Word,
                Scalar::Integer(_) => fact.kind() != FactKind::Word,
                Scalar::Boolean(_) => false,
            };
            if fits {
                let column = column(*fact);
                out.sql.push_str(&format!("(s.{column} IS NOT NULL AND s.{column}{symbol}?)"));
                out.bound.push(bound);
            } else {
                out.sql.push_str("1=0");
            }
        }
        Var::Field(field) => {
            let column = if is_text { "text" } else { "number" };
            out.sql
                .push_str(&exists(dialect, &format!(" AND i.{column} IS NOT NULL AND i.{column}{symbol}?")));
            out.bound.push(Bound::Text(field.as_str().to_owned()));
            out.bound.push(bound);
        }
    }
}
