//! The answer.

use super::{Dimension, Figure};
use crate::RequestId;
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// What a row is about, in one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// Its id: a word, `2011-07`, `2011-W26`, `2011-07-01`, `1` to `7`, `00` to `23`, or the id of a request.
    pub id: String,
    /// Its name in the organisation's language; the id where there is no other.
    pub label: String,
}

/// A number in a table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// How many.
    Count(u64),
    /// Hours; none where there is no delay.
    Hours(Option<f64>),
    /// From 0 to 1; none where nothing was promised.
    Share(Option<f64>),
    /// Minutes.
    Minutes(u64),
    /// Cents.
    Cents(i64),
}

impl Cell {
    /// The count, if it is one.
    pub const fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            _ => None,
        }
    }

    /// As a number of its unit, if there is one.
    pub const fn number(self) -> Option<f64> {
        match self {
            Self::Count(count) | Self::Minutes(count) => Some(count as f64),
            Self::Hours(number) | Self::Share(number) => number,
            Self::Cents(cents) => Some(cents as f64),
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// One a dimension; none for what has no such thing: no team, no zone…
    pub keys: Vec<Option<Key>>,
    /// One a figure.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The ids of its keys, as [`Session::behind`](crate::Session::behind) takes them.
    pub fn ids(&self) -> Vec<Option<&str>> {
        self.keys.iter().map(|key| key.as_ref().map(|key| key.id.as_str())).collect()
    }

    /// The labels of its keys; blank for none.
    pub fn labels(&self) -> Vec<&str> {
        self.keys.iter().map(|key| key.as_ref().map_or("", |key| key.label.as_str())).collect()
    }
}

/// The answer to a [`Question`](super::Question): a row for each combination of keys of which there is something, in the
/// order of the keys (time goes forward, words by their ids, what is without comes first); one row without dimensions.
///
/// Serialised it is `{"columns": ["month", "opened"], "rows": [{"keys": [{"id", "label"}], "cells": [12]}]}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The dimensions, as they were asked for.
    pub dimensions: Vec<Dimension>,
    /// The figures, as they were asked for.
    pub figures: Vec<Figure>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// The names of the columns: the dimensions, then the figures.
    pub fn columns(&self) -> Vec<String> {
        let dimensions = self.dimensions.iter().map(|dimension| dimension.name().to_owned());
        dimensions.chain(self.figures.iter().map(|figure| figure.name())).collect()
    }

    /// The cell of a figure in the row of these ids, if both are there.
    pub fn cell(&self, ids: &[Option<&str>], figure: Figure) -> Option<Cell> {
        let row = self.rows.iter().find(|row| row.ids() == ids)?;
        self.of(row, figure)
    }

    /// The cell of a figure in a row of this table.
    pub fn of(&self, row: &Row, figure: Figure) -> Option<Cell> {
        let place = self.figures.iter().position(|known| *known == figure)?;
        row.cells.get(place).copied()
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = serializer.serialize_struct("Table", 2)?;
        table.serialize_field("columns", &self.columns())?;
        table.serialize_field("rows", &self.rows)?;
        table.end()
    }
}

/// The requests behind a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behind {
    /// Their ids, in order.
    pub requests: Vec<RequestId>,
    /// After which to go on; none at the end.
    pub next: Option<RequestId>,
}
