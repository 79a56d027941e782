//! Reading columns.

use crate::error::{Fault, Outcome, corrupt};
use grc_core::Word;
use sqlx::{Row, mysql::MySqlRow};
use uuid::Uuid;

pub(super) fn bytes(row: &MySqlRow, column: usize) -> Outcome<Vec<u8>> {
    Ok(row.try_get(column)?)
}

pub(super) fn number(row: &MySqlRow, column: usize) -> Outcome<u64> {
    Ok(row.try_get(column)?)
}

/// The largest number of some rows; 0 if there are none.
pub(super) fn largest(row: &MySqlRow, column: usize) -> Outcome<u64> {
    Ok(row.try_get::<Option<u64>, _>(column)?.unwrap_or(0))
}

pub(super) fn integer(row: &MySqlRow, column: usize) -> Outcome<i64> {
    Ok(row.try_get(column)?)
}

pub(super) fn small(row: &MySqlRow, column: usize) -> Outcome<u32> {
    Ok(row.try_get(column)?)
}

pub(super) fn array<const N: usize>(row: &MySqlRow, column: usize) -> Outcome<[u8; N]> {
    bytes(row, column)?.try_into().map_err(|_| corrupt("a column has a wrong length"))
}

pub(super) fn uuid(row: &MySqlRow, column: usize) -> Outcome<Uuid> {
    array(row, column).map(Uuid::from_bytes)
}

pub(super) fn text(row: &MySqlRow, column: usize) -> Outcome<String> {
    as_text(bytes(row, column)?)
}

pub(super) fn as_text(bytes: Vec<u8>) -> Outcome<String> {
    String::from_utf8(bytes).map_err(|_| corrupt("a text is not UTF-8"))
}

pub(super) fn word(row: &MySqlRow, column: usize) -> Outcome<Word> {
    as_word(bytes(row, column)?)
}

pub(super) fn as_word(bytes: Vec<u8>) -> Outcome<Word> {
    Word::new(&as_text(bytes)?).map_err(|_: _| -> Fault { corrupt("a word cannot be read") })
}

/// Runs of what goes into one statement: its packet has a bound.
pub(super) fn chunks<T>(all: &[T], bytes: impl Fn(&T) -> usize) -> Vec<&[T]> {
    const MOST: usize = 2 << 20;
    let mut out = Vec::new();
    let mut rest = all;
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = rest.iter().take(100).take_while(|one| {
            sum += bytes(one) + 200;
            sum <= MOST
        });
        let (chunk, tail) = rest.split_at(fits.count().max(1));
        out.push(chunk);
        rest = tail;
    }
    out
}
