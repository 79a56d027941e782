//! The same writes made by hand.
//!
//! [`Plan`] turns the batches that the engine committed into statements, before anything is timed; a [`Raw`] database
//! then runs them, each request's in a transaction. It knows beforehand what is there, so it compares nothing, and
//! updates the columns that change.

mod memory;
mod mysql;
mod plan;
mod sqlite;

pub use memory::Maps;
pub use mysql::Mysql;
pub use plan::{Dialect, Plan, Row, Value, Verb};
pub use sqlite::Sqlite;

use crate::Res;
use std::{collections::BTreeMap, fmt, time::Duration};

/// What a table holds: rows, and bytes of bodies.
pub type Totals = BTreeMap<&'static str, (i64, i64)>;

/// A sum over the hashes of all rows of each table, with all of their columns but for those that two databases of the same
/// content have of their own (`OWN`).
pub type Content = BTreeMap<&'static str, u64>;

/// Columns that say when a row came, not what is in it: the number of a change among those of all, and what MySQL's feed
/// keeps of its lanes.
const OWN: [(&str, &str); 5] =
    [("change", "n"), ("change", "lane"), ("change", "height"), ("change", "mark"), ("stream", "beside")];

/// Whether a column is compared.
fn is_compared(table: &str, column: &str) -> bool {
    !OWN.contains(&(table, column))
}

/// The tables that are compared, with their column of bytes.
pub const TABLES: [(&str, &str); 9] = [
    ("stream", "body"),
    ("event", "body"),
    ("vault", "bytes"),
    ("measure", "bytes"),
    ("idx", "field"),
    ("link", "key"),
    ("task", "body"),
    ("change", "touched"),
    ("receipt", "mac"),
];

/// A database that is written by hand.
pub trait Raw: fmt::Debug + Send {
    /// Runs transactions by so many callers, and answers how long it took.
    ///
    /// # Errors
    /// As the driver says.
    fn write(&mut self, callers: usize, transactions: &[Vec<Row>]) -> Res<Duration>;

    /// Reads a page of the open requests that an agent holds, the newest first: their rows and what is sealed of them.
    /// Answers how many there were.
    ///
    /// # Errors
    /// As the driver says.
    fn page(&mut self, agent: &str, limit: u32) -> Res<usize>;

    /// Counts the requests of each service.
    ///
    /// # Errors
    /// As the driver says.
    fn by_service(&mut self) -> Res<BTreeMap<String, i64>>;

    /// What is there.
    ///
    /// # Errors
    /// As the driver says.
    fn totals(&mut self) -> Res<Totals>;

    /// All that is there, as a sum for each table; none where it cannot be looked into.
    ///
    /// # Errors
    /// As the driver says.
    fn content(&mut self) -> Res<Content>;
}
