//! Lists as SQL: pure functions that every SQL adapter uses.
//!
//! Expected are a table of streams under the alias `s`, with `authority, kind, id`, `opened` (the fact of that name, the
//! least integer where it is absent) and one column a fact, named `f_` and the fact's name; a table of index rows with
//! `authority, kind, id, field, text, number`; one of links with `authority, link, key, kind, id`; and the three indexes
//! that [`plan::Plan`] names. Words and texts compare by bytes (SQLite `BINARY`, MySQL `VARBINARY`).

mod condition;
mod plan;

pub use condition::compile;
pub use plan::{Leg, Legs, Plan};

use super::Fact;

/// What an SQL engine calls things.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The store's name, for errors.
    pub store: &'static str,
    /// The table of streams.
    pub streams: &'static str,
    /// The table of index rows.
    pub index: &'static str,
    /// The table of links.
    pub links: &'static str,
    /// What stands before and after the name of the index by which a table is to be read.
    pub by: (&'static str, &'static str),
    /// A join that reads the left table first.
    pub join: &'static str,
}

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A text.
    Text(String),
    /// A number.
    Integer(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A piece of SQL with its bound values, placeholders written `?`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fragment {
    /// The text.
    pub sql: String,
    /// The values, in order.
    pub bound: Vec<Bound>,
}

/// The column of a fact: a name that needs no quoting.
pub fn column(fact: Fact) -> String {
    format!("f_{}", fact.name().replace('-', "_"))
}
