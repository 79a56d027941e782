//! Forms, as the classes of `grc/forms.py`.

use crate::{
    answers::{all, class, made},
    values::{label, money, word},
};
use grc_core::{
    definition::{FieldKind, Named},
    engine::{Form, FormField},
};
use pyo3::{
    prelude::*,
    types::{PyString, PyTuple},
};
use serde_json::{Value as Json, to_value};

type Any<'py> = Bound<'py, PyAny>;

/// A word of the definition's own, as it is written there.
fn written<'py>(py: Python<'py>, word: serde_json::Result<Json>) -> Any<'py> {
    let word = word.ok();
    PyString::new(py, word.as_ref().and_then(Json::as_str).unwrap_or("other")).into_any()
}

fn named<'py>(py: Python<'py>, told: &Named) -> PyResult<Any<'py>> {
    Ok((word(py, &told.id), label(py, &told.label)?).into_pyobject(py)?.into_any())
}

fn bound<'py>(py: Python<'py>, kind: FieldKind, bound: Option<i64>) -> PyResult<Any<'py>> {
    match bound {
        None => Ok(py.None().into_bound(py)),
        Some(cents) if kind == FieldKind::Amount => money(py, cents),
        Some(number) => Ok(number.into_pyobject(py)?.into_any()),
    }
}

/// The parts of a `FormField`, in its order: it is made of them when it is asked for.
fn field<'py>(py: Python<'py>, told: FormField) -> PyResult<Any<'py>> {
    let options = told.options.iter().map(|option| named(py, option)).collect::<PyResult<Vec<_>>>()?;
    let parts = [
        word(py, &told.id),
        label(py, &told.label)?,
        written(py, to_value(told.kind)),
        told.required.into_pyobject(py)?.to_owned().into_any(),
        told.writable.into_pyobject(py)?.to_owned().into_any(),
        written(py, to_value(told.personal)),
        PyTuple::new(py, options)?.into_any(),
        bound(py, told.kind, told.min)?,
        bound(py, told.kind, told.max)?,
        PyTuple::new(py, told.accept)?.into_any(),
    ];
    Ok(PyTuple::new(py, parts)?.into_any())
}

fn field_of<'py>(py: Python<'py>, told: FormField) -> PyResult<Any<'py>> {
    let parts = field(py, told)?.cast_into::<PyTuple>()?;
    class(py, pyo3::intern!(py, "FormField"))?.call1(parts)
}

pub(crate) fn fields(py: Python<'_>, told: Vec<FormField>) -> PyResult<Any<'_>> {
    all(py, told, field)
}

fn form<'py>(py: Python<'py>, told: Form) -> PyResult<Any<'py>> {
    made!(py, "Form",
        type: word(py, &told.type_),
        label: label(py, &told.label)?,
        family: told.family.as_ref().map(|family| named(py, family)).transpose()?,
        channels: all(py, &told.channels, named)?,
        answers: all(py, &told.answers, named)?,
        requester: told.requester,
        place: written(py, to_value(told.place)),
        zones: all(py, &told.zones, named)?,
        fields: all(py, told.fields, |py, told| field_of(py, told))?,
    )
}

pub(crate) fn forms(py: Python<'_>, told: Vec<Form>) -> PyResult<Py<PyAny>> {
    all(py, told, form).map(Bound::unbind)
}
