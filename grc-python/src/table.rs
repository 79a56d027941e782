//! Tables, also as columns that pandas, polars, DuckDB and pyarrow read (the Arrow PyCapsule interface), made when they ask.

use crate::{
    answers::{all, made},
    failure::unsuitable,
    figures::figure_of,
    values::{cents, money, part, text},
};
use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, RecordBatchIterator, RecordBatchOptions,
    StringArray, UInt64Array, ffi_stream::FFI_ArrowArrayStream,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use grc_core::insight::{Cell, Figure, Key, Row, Table};
use pyo3::{
    intern,
    prelude::*,
    types::{PyCapsule, PyString, PyTuple},
};
use std::sync::Arc;

type Any<'py> = Bound<'py, PyAny>;

/// The precision and scale of amounts.
const AMOUNT: (u8, i8) = (20, 2);

/// What the cells of a figure are, also where there are none.
fn kind(figure: Figure) -> DataType {
    match figure {
        Figure::Cents | Figure::PlannedCents => DataType::Decimal128(AMOUNT.0, AMOUNT.1),
        Figure::Mean(_) | Figure::Median(_) | Figure::P90(_) | Figure::Share(_) => DataType::Float64,
        _ => DataType::UInt64,
    }
}

/// The cells of a figure, as they stand in the rows of a table.
fn column(kind: &DataType, cells: &[Any<'_>]) -> PyResult<ArrayRef> {
    let some = |cell: &Any<'_>| !cell.is_none();
    Ok(match kind {
        DataType::UInt64 => {
            let counts = cells.iter().map(|cell| some(cell).then(|| cell.extract::<u64>()).transpose());
            Arc::new(counts.collect::<PyResult<UInt64Array>>()?)
        }
        DataType::Decimal128(precision, scale) => {
            let cents = cells.iter().map(|cell| some(cell).then(|| cents("cents", cell)).transpose());
            let cents = cents.map(|cents| cents.map(|cents| cents.map(i128::from)));
            let amounts = cents.collect::<PyResult<Decimal128Array>>()?;
            Arc::new(amounts.with_precision_and_scale(*precision, *scale).map_err(of_arrow)?)
        }
        _ => {
            let numbers = cells.iter().map(|cell| some(cell).then(|| cell.extract::<f64>()).transpose());
            Arc::new(numbers.collect::<PyResult<Float64Array>>()?)
        }
    })
}

fn of_arrow(error: ArrowError) -> PyErr {
    unsuitable(error.to_string())
}

/// What stands at a place of each row's keys or cells.
fn at<'py>(rows: &[Any<'py>], part: &Bound<'py, PyString>, place: usize) -> PyResult<Vec<Any<'py>>> {
    rows.iter().map(|row| row.getattr(part)?.get_item(place)).collect()
}

fn batch(table: &Any<'_>) -> PyResult<RecordBatch> {
    let py = table.py();
    let rows = part(table, "rows")?.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (place, by) in part(table, "by")?.try_iter()?.enumerate() {
        let (by, keys) = (text("by", &by?)?, at(&rows, intern!(py, "keys"), place)?);
        for (suffix, of_key) in [("", intern!(py, "id")), ("_label", intern!(py, "label"))] {
            let texts = keys.iter().map(|key| match key.is_none() {
                true => Ok(None),
                false => text("keys", &key.getattr(of_key)?).map(Some),
            });
            fields.push(Field::new(format!("{by}{suffix}"), DataType::Utf8, true));
            arrays.push(Arc::new(texts.collect::<PyResult<StringArray>>()?));
        }
    }
    for (place, figure) in part(table, "figures")?.try_iter()?.enumerate() {
        let figure = text("figures", &figure?)?;
        let kind = kind(figure_of(&figure)?);
        arrays.push(column(&kind, &at(&rows, intern!(py, "cells"), place)?)?);
        fields.push(Field::new(figure, kind, true));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(of_arrow)
}

/// The stream of the Arrow interface for a `grc.results.Table`; one batch, in our own types whatever is asked for.
#[pyfunction]
pub(crate) fn arrow_stream<'py>(table: &Any<'py>) -> PyResult<Bound<'py, PyCapsule>> {
    let batch = batch(table)?;
    let schema = batch.schema();
    let reader = RecordBatchIterator::new([Ok::<_, ArrowError>(batch)], schema);
    let stream = FFI_ArrowArrayStream::new(Box::new(reader));
    PyCapsule::new_with_value(table.py(), stream, c"arrow_array_stream")
}

/// A name as attributes and columns have it.
pub(crate) fn name(name: &str) -> String {
    name.replace('-', "_")
}

fn key<'py>(py: Python<'py>, key: &Key) -> PyResult<Any<'py>> {
    made!(py, "Key", id: &key.id, label: &key.label)
}

fn cell<'py>(py: Python<'py>, cell: Cell) -> PyResult<Any<'py>> {
    Ok(match cell {
        Cell::Count(count) | Cell::Minutes(count) => count.into_pyobject(py)?.into_any(),
        Cell::Hours(number) | Cell::Share(number) => number.into_pyobject(py)?.into_any(),
        Cell::Cents(cents) => money(py, cents)?,
    })
}

fn row<'py>(py: Python<'py>, row: &Row) -> PyResult<Any<'py>> {
    let keys = row.keys.iter().map(|one| one.as_ref().map(|one| key(py, one)).transpose());
    made!(py, "Row",
        keys: PyTuple::new(py, keys.collect::<PyResult<Vec<_>>>()?)?,
        cells: all(py, &row.cells, |py, one| cell(py, *one))?,
    )
}

pub(crate) fn table(py: Python<'_>, told: Table) -> PyResult<Any<'_>> {
    made!(py, "Table",
        by: PyTuple::new(py, told.dimensions.iter().map(|one| name(one.name())))?,
        figures: PyTuple::new(py, told.figures.iter().map(|one| name(&one.name())))?,
        rows: all(py, &told.rows, row)?,
    )
}
