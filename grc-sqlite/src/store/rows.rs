//! Reading columns.

use crate::error::{Fault, Outcome, limit};
use grc_core::Word;
use rusqlite::{Row, types::Type};
use uuid::Uuid;

/// A number as SQLite keeps it.
pub(super) fn int(number: u64) -> Outcome<i64> {
    i64::try_from(number).map_err(|_| Fault::Store(limit("a number is larger than this store can hold")))
}

/// A number to look for: what is larger than any that is kept is not found.
pub(super) fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn word(row: &Row<'_>, column: usize) -> rusqlite::Result<Word> {
    let text = row.get_ref(column)?.as_str().map_err(|error| wrong(column, Type::Text, error))?;
    Word::new(text).map_err(|error| wrong(column, Type::Text, error))
}

pub(super) fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

pub(super) fn wrong(
    column: usize,
    kind: Type,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
