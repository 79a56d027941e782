//! Conditions and filters.

use crate::failure::unsuitable;
use crate::values::{cents, decimal, each, integer, moment, none_called, plain_decimal, text};
use chrono::SecondsFormat;
use grc_core::{
    Condition, Moment, Word,
    condition::{Scalar, Var},
    storage::{Fact, FactKind},
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyCFunction, PyDate, PyDateTime, PyDict, PyList, PyString, PyTuple},
};

type Any<'py> = Bound<'py, PyAny>;

/// A condition as JSON would be: dicts and lists (a checked subset of JsonLogic). A moment, a day and an amount are written
/// as texts: what they are compared with says what they are.
pub(crate) fn condition(path: &str, given: &Any<'_>) -> PyResult<Option<Condition>> {
    if given.is_none() {
        return Ok(None);
    }
    let of = path.to_owned();
    let written = PyCFunction::new_closure(given.py(), None, None, move |given, _| {
        compared_with(&of, &given.get_item(0)?)
    })?;
    let json = read(path, given, Some(written.into_any()))?;
    let read = Condition::from_json(&json).map_err(|why| unsuitable(format!("{path}: {why}")))?;
    Ok(Some(read))
}

/// How deep and how large what is read may be: more than any condition or definition is.
const DEPTH: usize = 100;
const TEXT: usize = 16 << 20;

/// Refuses what is deeper or larger before it is written: what holds itself, what is deeper than the interpreter goes, and
/// what holds another twice, of which the text is twice as long at each level. No code of the caller's runs meanwhile.
fn measured(path: &str, given: &Any<'_>, depth: usize, room: &mut usize) -> PyResult<()> {
    if depth > DEPTH {
        return Err(unsuitable(format!("{path}: this is nested too deep")));
    }
    let size = match given.cast::<PyString>() {
        Ok(given) => text(path, given)?.len(),
        Err(_) => 0,
    };
    *room = room.checked_sub(size + 1).ok_or_else(|| too_large(path))?;
    let mut each = |one: &Any<'_>| measured(path, one, depth + 1, room);
    if let Ok(dict) = given.cast::<PyDict>() {
        dict.iter().try_for_each(|(key, value)| each(&key).and_then(|()| each(&value)))
    } else if let Ok(list) = given.cast::<PyList>() {
        list.iter().try_for_each(|one| each(&one))
    } else if let Ok(tuple) = given.cast::<PyTuple>() {
        tuple.iter().try_for_each(|one| each(&one))
    } else {
        Ok(())
    }
}

fn too_large(path: &str) -> PyErr {
    unsuitable(format!("{path}: this is too large"))
}

/// What JSON has no form for.
fn compared_with(path: &str, given: &Any<'_>) -> PyResult<Py<PyAny>> {
    let py = given.py();
    if given.is_instance_of::<PyDateTime>() {
        let text = moment(path, given)?.to_rfc3339_opts(SecondsFormat::Micros, true);
        return Ok(text.into_pyobject(py)?.into_any().unbind());
    }
    if given.is_instance_of::<PyDate>() {
        return given.call_method0("isoformat").map(Bound::unbind);
    }
    if given.is_instance(decimal(py)?)? {
        cents(path, given)?;
        return Ok(plain_decimal(path, given)?.into_pyobject(py)?.into_any().unbind());
    }
    let class = given.get_type().qualname()?;
    Err(PyTypeError::new_err(format!(
        "{path}: what is compared with is a str, int, bool, date, datetime or Decimal, not {class}"
    )))
}

/// Plain data, through the standard library's own JSON.
pub(crate) fn json(path: &str, given: &Any<'_>) -> PyResult<serde_json::Value> {
    read(path, given, None)
}

fn read(path: &str, given: &Any<'_>, other: Option<Any<'_>>) -> PyResult<serde_json::Value> {
    let py = given.py();
    measured(path, given, 0, &mut { TEXT })?;
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    options.set_item("default", other)?;
    let dumped = py.import("json")?.getattr("dumps")?.call((given,), Some(&options))?;
    let dumped = text(path, &dumped)?;
    if dumped.len() > TEXT {
        return Err(too_large(path));
    }
    serde_json::from_str(&dumped).map_err(|error| unsuitable(format!("{path}: {error}")))
}

/// Plain data for Python.
pub(crate) fn plain<'py>(py: Python<'py>, json: &serde_json::Value) -> PyResult<Any<'py>> {
    py.import("json")?.getattr("loads")?.call1((json.to_string(),))
}

/// A fact by its name; underscores stand for hyphens.
pub(crate) fn fact(path: &str, name: &str) -> PyResult<Fact> {
    let known = name.trim_end_matches('_').replace('_', "-");
    Fact::from_name(&known).ok_or_else(|| {
        let all: Vec<&str> = Fact::ALL.iter().map(|fact| fact.name()).collect();
        unsuitable(format!("{path}: {}: there are {}", none_called("fact", name), all.join(", ")))
    })
}

fn scalar(path: &str, fact: Fact, given: &Any<'_>) -> PyResult<Scalar> {
    Ok(match fact.kind() {
        FactKind::Word => Scalar::Text(text(path, given)?),
        FactKind::Integer => Scalar::Integer(integer(path, given)?),
        FactKind::Moment => Scalar::Integer(Moment::from(moment(path, given)?).micros()),
    })
}

/// What facts must be: a value, one of several, or `None` for absent.
pub(crate) fn facts(given: &Any<'_>) -> PyResult<Condition> {
    let mut all = Condition::Constant(true);
    for (name, path, wanted) in each("facts", given)? {
        let fact = fact(&path, &name)?;
        let one = if wanted.is_none() {
            Condition::Not(Box::new(Condition::Present(Var::Fact(fact))))
        } else if !wanted.is_instance_of::<PyString>() && wanted.hasattr("__iter__")? {
            let several =
                wanted.try_iter()?.map(|item| scalar(&path, fact, &item?)).collect::<PyResult<_>>()?;
            Condition::OneOf(Var::Fact(fact), several)
        } else {
            Condition::is(fact, scalar(&path, fact, &wanted)?)
        };
        all = all.and(one);
    }
    Ok(all)
}

/// A word of the definition.
pub(crate) fn word(path: &str, given: &str) -> PyResult<Word> {
    Word::new(given).map_err(|error| unsuitable(format!("{path}: {error}")))
}
