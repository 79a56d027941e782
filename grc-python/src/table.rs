//! Tables, also as columns that pandas, polars, DuckDB and pyarrow read without a copy of ours (the Arrow PyCapsule
//! interface).

use crate::{
    answers::{all, made},
    failure::unsuitable,
    values::money,
};
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Float64Array, RecordBatch, RecordBatchIterator, StringArray,
    UInt64Array, ffi_stream::FFI_ArrowArrayStream,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use grc_core::insight::{Cell, Figure, Key, Row, Table};
use pyo3::{
    prelude::*,
    types::{PyCapsule, PyTuple},
};
use std::sync::Arc;

type Any<'py> = Bound<'py, PyAny>;

/// The columns of a table.
#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct Columns(RecordBatch);

#[pymethods]
impl Columns {
    /// The stream of the interface; one batch, in our own types whatever is asked for.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Any<'py>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let (schema, batch) = (self.0.schema(), Ok::<_, ArrowError>(self.0.clone()));
        let reader = RecordBatchIterator::new([batch], schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

/// The precision and scale of amounts.
const AMOUNT: (u8, i8) = (20, 2);

fn column(table: &Table, place: usize, figure: Figure) -> Result<ArrayRef, ArrowError> {
    let cells = || table.rows.iter().filter_map(move |row| row.cells.get(place).copied());
    Ok(match kind(figure) {
        DataType::UInt64 => Arc::new(UInt64Array::from_iter_values(cells().map(|cell| match cell {
            Cell::Count(count) | Cell::Minutes(count) => count,
            _ => 0,
        }))),
        DataType::Decimal128(..) => {
            let cents = cells().map(|cell| match cell {
                Cell::Cents(cents) => i128::from(cents),
                _ => 0,
            });
            let amounts = Decimal128Array::from_iter_values(cents);
            Arc::new(amounts.with_precision_and_scale(AMOUNT.0, AMOUNT.1)?)
        }
        _ => Arc::new(cells().map(Cell::number).collect::<Float64Array>()),
    })
}

/// What the cells of a figure are, also where there are none.
fn kind(figure: Figure) -> DataType {
    match figure {
        Figure::Cents | Figure::PlannedCents => DataType::Decimal128(AMOUNT.0, AMOUNT.1),
        Figure::Mean(_) | Figure::Median(_) | Figure::P90(_) | Figure::Share(_) => DataType::Float64,
        _ => DataType::UInt64,
    }
}

fn columns(table: &Table) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (place, dimension) in table.dimensions.iter().enumerate() {
        let keys = || table.rows.iter().map(move |row| row.keys.get(place).and_then(Option::as_ref));
        for (suffix, part) in [("", Part::Id), ("_label", Part::Label)] {
            let array: StringArray = keys().map(|key| key.map(|key| part.of(key))).collect();
            fields.push(Field::new(format!("{}{suffix}", name(dimension.name())), DataType::Utf8, true));
            arrays.push(Arc::new(array));
        }
    }
    for (place, figure) in table.figures.iter().enumerate() {
        let array = column(table, place, *figure)?;
        fields.push(Field::new(name(&figure.name()), array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// Which part of a key.
#[derive(Clone, Copy)]
enum Part {
    Id,
    Label,
}

impl Part {
    fn of(self, key: &Key) -> &str {
        match self {
            Self::Id => &key.id,
            Self::Label => &key.label,
        }
    }
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
    let columns = columns(&told).map_err(|error| unsuitable(error.to_string()))?;
    made!(py, "Table",
        by: PyTuple::new(py, told.dimensions.iter().map(|one| name(one.name())))?,
        figures: PyTuple::new(py, told.figures.iter().map(|one| name(&one.name())))?,
        rows: all(py, &told.rows, row)?,
        _columns: Py::new(py, Columns(columns))?,
    )
}
