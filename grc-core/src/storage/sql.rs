//! Conditions as SQL: one pure function that every SQL adapter uses.
//!
//! The table of streams is expected under the alias `s`, with one column a fact, named `f_` and the fact's name; the
//! index rows in a table `idx` with `authority, kind, id, field, text, number`. Words and texts compare by
//! bytes (SQLite `BINARY`, MySQL `utf8mb4_bin` or `VARBINARY`).

use super::{Fact, FactKind, StorageError, StorageErrorKind};
use crate::{
    Condition,
    condition::{Comparison, Scalar, Var},
    fold::folded,
};

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A text.
    Text(String),
    /// A number.
    Integer(i64),
}

/// A piece of SQL with its bound values, placeholders written `?`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fragment {
    /// The text.
    pub sql: String,
    /// The values, in order.
    pub bound: Vec<Bound>,
}

/// A condition in two pieces: what an index may lead, and the rest, looked at row by row. Both must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Equalities on the facts that lead an index.
    pub leading: Fragment,
    /// Everything else.
    pub rest: Fragment,
}

/// The facts by which lists are led.
pub const LEADING: &[Fact] = &[Fact::Service, Fact::State, Fact::Agent];

/// The column of a fact: a name that needs no quoting.
pub fn column(fact: Fact) -> String {
    format!("f_{}", fact.name().replace('-', "_"))
}

/// Compiles a condition.
///
/// # Errors
/// [`StorageErrorKind::Unsupported`] for what no store can answer: a relation, or a text search in typed text.
pub fn compile(store: &'static str, condition: &Condition) -> Result<Compiled, StorageError> {
    let parts = match condition {
        Condition::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut leading = Fragment { sql: "1=1".to_owned(), bound: Vec::new() };
    let mut rest = Fragment { sql: "1=1".to_owned(), bound: Vec::new() };
    for part in parts {
        let into = if leads(part) { &mut leading } else { &mut rest };
        into.sql.push_str(" AND ");
        write(store, part, into)?;
    }
    Ok(Compiled { leading, rest })
}

fn leads(condition: &Condition) -> bool {
    match condition {
        Condition::Compare(Var::Fact(fact), Comparison::Equal, Scalar::Text(_))
        | Condition::OneOf(Var::Fact(fact), _) => LEADING.contains(fact),
        _ => false,
    }
}

fn write(store: &'static str, condition: &Condition, out: &mut Fragment) -> Result<(), StorageError> {
    let refuse =
        |message: &'static str| Err(StorageError::new(store, StorageErrorKind::Unsupported, message));
    match condition {
        Condition::Constant(true) => out.sql.push_str("1=1"),
        Condition::Constant(false) => out.sql.push_str("1=0"),
        Condition::All(parts) => balanced(store, parts, " AND ", "1=1", out)?,
        Condition::Any(parts) => balanced(store, parts, " OR ", "1=0", out)?,
        Condition::Not(part) => {
            // Every fragment is true or false, never null, so that `NOT` means what it says.
            out.sql.push_str("NOT (");
            write(store, part, out)?;
            out.sql.push(')');
        }
        Condition::Compare(var, Comparison::NotEqual, scalar) => {
            out.sql.push_str("NOT (");
            one(var, scalar, "=", out);
            out.sql.push(')');
        }
        Condition::Compare(var, comparison, scalar) => {
            one(var, scalar, sql_symbol(*comparison), out);
        }
        Condition::OneOf(var, scalars) => {
            let equal = |scalar: &Scalar| Condition::Compare(var.clone(), Comparison::Equal, scalar.clone());
            balanced(store, &scalars.iter().map(equal).collect::<Vec<_>>(), " OR ", "1=0", out)?;
        }
        Condition::Present(Var::Fact(fact)) => {
            out.sql.push_str(&format!("s.{} IS NOT NULL", column(*fact)));
        }
        Condition::Present(Var::Field(field)) => {
            out.sql.push_str(&exists(""));
            out.bound.push(Bound::Text(field.as_str().to_owned()));
        }
        Condition::Contains(Var::Fact(fact), needle) if fact.kind() == FactKind::Word => {
            // A word contains another only as a choice equal to it.
            one(&Var::Fact(*fact), &Scalar::Text(needle.clone()), "=", out);
        }
        Condition::Contains(Var::Field(field), needle) if folded(needle) == *needle => {
            out.sql.push_str(&exists(" AND i.text=?"));
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
    store: &'static str,
    parts: &[Condition],
    separator: &str,
    none: &str,
    out: &mut Fragment,
) -> Result<(), StorageError> {
    match parts {
        [] => out.sql.push_str(none),
        [part] => write(store, part, out)?,
        parts => {
            let (left, right) = parts.split_at(parts.len() / 2);
            out.sql.push('(');
            balanced(store, left, separator, none, out)?;
            out.sql.push_str(separator);
            balanced(store, right, separator, none, out)?;
            out.sql.push(')');
        }
    }
    Ok(())
}

fn exists(test: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM idx i WHERE i.authority=s.authority AND i.kind=s.kind AND i.id=s.id AND i.field=?{test})"
    )
}

/// One comparison; a value of another type than the column's compares as false.
fn one(var: &Var, scalar: &Scalar, symbol: &str, out: &mut Fragment) {
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
            out.sql.push_str(&exists(&format!(" AND i.{column} IS NOT NULL AND i.{column}{symbol}?")));
            out.bound.push(Bound::Text(field.as_str().to_owned()));
            out.bound.push(bound);
        }
    }
}
