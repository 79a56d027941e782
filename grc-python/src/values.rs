//! Values in and out. 0, false, an empty text, `None` and what is missing are five different things here; the engine takes an
//! empty text for no answer, as a form in a browser means it.

use crate::failure::unsuitable;
use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use grc_core::{Moment, Typed, Value, Word, definition::Label};
use pyo3::{
    exceptions::PyTypeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBool, PyDate, PyDateTime, PyDelta, PyDict, PyInt, PyString, PyTuple, PyType, PyTzInfo},
};
use std::collections::BTreeMap;
use uuid::Uuid;

type Any<'py> = Bound<'py, PyAny>;

fn class_of(value: &Any<'_>) -> String {
    value.get_type().qualname().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

/// What is wrong with a value, and where; the value itself is not said.
fn wrong(path: &str, value: &Any<'_>, wanted: &str) -> PyErr {
    PyTypeError::new_err(format!("{path}: {wanted} is wanted, not {}", class_of(value)))
}

/// The class `decimal.Decimal`.
pub(crate) fn decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "decimal", "Decimal")
}

/// A text. A lone surrogate is no text: it cannot be stored.
pub(crate) fn text(path: &str, value: &Any<'_>) -> PyResult<String> {
    let text = value.cast::<PyString>().map_err(|_| wrong(path, value, "a str"))?;
    text.to_cow().map(std::borrow::Cow::into_owned).map_err(|_| {
        unsuitable(format!(
            "{path}: the text holds a lone surrogate, which is no character: decode it properly"
        ))
    })
}

/// An id of the definition, or any other short text.
pub(crate) fn optional_text(path: &str, value: &Any<'_>) -> PyResult<Option<String>> {
    if value.is_none() { Ok(None) } else { text(path, value).map(Some) }
}

/// A whole number.
pub(crate) fn integer(path: &str, value: &Any<'_>) -> PyResult<i64> {
    if value.is_instance_of::<PyBool>() {
        return Err(wrong(path, value, "an int"));
    }
    let number = value.cast::<PyInt>().map_err(|_| wrong(path, value, "an int"))?;
    number.extract().map_err(|_| unsuitable(format!("{path}: the number does not fit into 64 bits")))
}

/// A whole number of a smaller kind, such as minutes.
pub(crate) fn count(path: &str, value: &Any<'_>) -> PyResult<u32> {
    let number = integer(path, value)?;
    u32::try_from(number).map_err(|_| unsuitable(format!("{path}: from 0 to 4294967295")))
}

/// Yes or no, and nothing that only looks like it.
pub(crate) fn boolean(path: &str, value: &Any<'_>) -> PyResult<bool> {
    value.cast::<PyBool>().map(|yes| yes.is_true()).map_err(|_| wrong(path, value, "a bool"))
}

/// A moment: an aware `datetime`.
pub(crate) fn moment(path: &str, value: &Any<'_>) -> PyResult<DateTime<Utc>> {
    let time = value.cast::<PyDateTime>().map_err(|_| wrong(path, value, "a datetime"))?;
    let py = value.py();
    let offset = time.call_method0(intern!(py, "utcoffset"))?;
    if offset.is_none() {
        return Err(unsuitable(format!(
            "{path}: the datetime is naive, so nobody knows when it is: give it a tzinfo, such as \
             datetime.timezone.utc or zoneinfo.ZoneInfo(\"Europe/Paris\")"
        )));
    }
    // Counted, since dates and times need not be what chrono reads: a fold, an offset of seconds.
    let (epoch, second) = epoch(py)?;
    let since = time.as_any().sub(epoch)?;
    let micros: i64 = since.floor_div(second)?.extract()?;
    Utc.timestamp_micros(micros)
        .single()
        .ok_or_else(|| unsuitable(format!("{path}: there is no such moment")))
}

/// 1970, and a microsecond.
fn epoch(py: Python<'_>) -> PyResult<(&Any<'_>, &Any<'_>)> {
    static EPOCH: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let made = EPOCH.get_or_try_init(py, || {
        let utc = PyTzInfo::utc(py)?;
        let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
        let micro = PyDelta::new(py, 0, 0, 1, false)?;
        PyResult::Ok((epoch.into_any().unbind(), micro.into_any().unbind()))
    })?;
    Ok((made.0.bind(py), made.1.bind(py)))
}

/// Nothing, or a moment.
pub(crate) fn optional_moment(path: &str, value: &Any<'_>) -> PyResult<Option<DateTime<Utc>>> {
    if value.is_none() { Ok(None) } else { moment(path, value).map(Some) }
}

/// A UUID, or its text.
pub(crate) fn uuid(path: &str, value: &Any<'_>) -> PyResult<Uuid> {
    if let Ok(id) = value.extract::<Uuid>() {
        return Ok(id);
    }
    let text = text(path, value).map_err(|_| wrong(path, value, "a uuid.UUID"))?;
    Uuid::parse_str(&text).map_err(|_| unsuitable(format!("{path}: this is no UUID")))
}

/// The value of a field.
pub(crate) fn value(path: &str, value: &Any<'_>) -> PyResult<Value> {
    let py = value.py();
    if value.is_none() {
        return Err(PyTypeError::new_err(format!("{path} is None: leave out what was not answered")));
    }
    if value.is_instance_of::<PyString>() {
        return text(path, value).map(Value::Text);
    }
    if value.is_instance_of::<PyBool>() {
        return boolean(path, value).map(Value::Boolean);
    }
    if value.is_instance_of::<PyInt>() {
        return integer(path, value).map(Value::Integer);
    }
    if value.is_instance(decimal(py)?)? {
        return amount(path, value);
    }
    if value.is_instance_of::<PyDateTime>() {
        return Err(wrong(path, value, "a date (a day of the calendar, `.date()`)"));
    }
    if let Ok(day) = value.cast::<PyDate>() {
        return date(path, day.as_any()).map(Value::Date);
    }
    let other = || wrong(path, value, "a str, int, bool, Decimal, date or list of options");
    if value.is_instance_of::<PyDict>() {
        return Err(other());
    }
    let Ok(several) = value.try_iter() else { return Err(other()) };
    let mut words = Vec::new();
    for one in several {
        let one = one?;
        if !one.is_instance_of::<PyString>() {
            return Err(other());
        }
        words.push(Word::new(&text(path, &one)?).map_err(|_| {
            unsuitable(format!("{path}: one of these is no option: options are words such as `red-bin`"))
        })?);
    }
    Ok(Value::Choices(words))
}

/// A day.
fn date(path: &str, value: &Any<'_>) -> PyResult<NaiveDate> {
    let py = value.py();
    let part = |name| value.getattr(name).and_then(|part| part.extract::<i32>());
    let (year, month, day) =
        (part(intern!(py, "year"))?, part(intern!(py, "month"))?, part(intern!(py, "day"))?);
    let (Ok(month), Ok(day)) = (u32::try_from(month), u32::try_from(day)) else {
        return Err(wrong(path, value, "a date"));
    };
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| wrong(path, value, "a date"))
}

/// More than any amount has, before the point and after it.
const MOST_DIGITS: i64 = 40;

/// An amount of money, as the engine reads it: a text, so that nothing is rounded here.
pub(crate) fn amount(path: &str, value: &Any<'_>) -> PyResult<Value> {
    plain_decimal(path, value).map(Value::Text)
}

/// An amount in cents. No arithmetic of `Decimal`, which rounds as the caller's context says.
pub(crate) fn cents(path: &str, given: &Any<'_>) -> PyResult<i64> {
    let plain = plain_decimal(path, given)?;
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 2 {
        return Err(unsuitable(format!("{path}: an amount has two decimals")));
    }
    // The sign is the first of the whole.
    format!("{whole}{fraction:0<2}")
        .parse()
        .map_err(|_| unsuitable(format!("{path}: the amount is too large")))
}

/// A decimal number, written out.
pub(crate) fn plain_decimal(path: &str, value: &Any<'_>) -> PyResult<String> {
    let py = value.py();
    if !value.is_instance(decimal(py)?)? {
        return Err(wrong(path, value, "a decimal.Decimal, such as Decimal(\"84.50\")"));
    }
    if !value.call_method0(intern!(py, "is_finite"))?.is_truthy()? {
        return Err(unsuitable(format!("{path}: the amount is not a number")));
    }
    // Written out it has as many digits as its exponent says.
    let exponent: i64 = value.call_method0(intern!(py, "adjusted"))?.extract()?;
    let tuple = value.call_method0(intern!(py, "as_tuple"))?;
    let last: i64 = tuple.getattr(intern!(py, "exponent"))?.extract()?;
    if exponent > MOST_DIGITS || last < -MOST_DIGITS {
        return Err(unsuitable(format!("{path}: the amount has too many digits")));
    }
    // Without an exponent: 1E+2 is 100.
    let plain = value.call_method1(intern!(py, "__format__"), (intern!(py, "f"),))?;
    text(path, &plain)
}

/// Fields by name.
pub(crate) fn fields(path: &str, given: &Any<'_>) -> PyResult<BTreeMap<String, Value>> {
    each(path, given)?
        .into_iter()
        .map(|(name, path, item)| value(&path, &item).map(|value| (name, value)))
        .collect()
}

/// Fields by name; `None` clears one.
pub(crate) fn corrections(path: &str, given: &Any<'_>) -> PyResult<BTreeMap<String, Option<Typed>>> {
    let mut out = BTreeMap::new();
    for (name, path, item) in each(path, given)? {
        let item = if item.is_none() { None } else { Some(Typed::new(value(&path, &item)?)) };
        out.insert(name, item);
    }
    Ok(out)
}

/// Which of the classes of a module of the package something is of, or of a class that inherits from it.
pub(crate) fn class_of_package(given: &Any<'_>, module: &str) -> PyResult<Option<String>> {
    for class in given.get_type().mro() {
        let class = class.cast::<PyType>()?;
        if class.module()? == module {
            return class.name().map(|name| Some(name.to_string()));
        }
    }
    Ok(None)
}

/// Whether a definition or the package could call something so. Anything else may be what somebody typed, and is not repeated.
fn is_name(text: &str) -> bool {
    Word::new(&text.trim_end_matches('_').replace('_', "-")).is_ok()
}

/// Says that nothing is called so.
pub(crate) fn none_called(kind: &str, name: &str) -> String {
    if is_name(name) { format!("there is no {kind} `{name}`") } else { format!("there is no such {kind}") }
}

/// The items of a mapping, with the path of each.
pub(crate) fn each<'py>(path: &str, given: &Any<'py>) -> PyResult<Vec<(String, String, Any<'py>)>> {
    let mut out = Vec::new();
    for (name, item) in items(path, given)? {
        let name = text(path, &name)?;
        let path = if is_name(&name) { format!("{path}.{name}") } else { path.to_owned() };
        out.push((name, path, item));
    }
    Ok(out)
}

/// An attribute of one of the package's own classes.
pub(crate) fn part<'py>(of: &Any<'py>, name: &str) -> PyResult<Any<'py>> {
    of.getattr(name).map_err(|_| {
        let class = class_of(of);
        PyTypeError::new_err(format!(
            "{name}: an object of one of the package's own classes is wanted, not {class}"
        ))
    })
}

/// The items of a mapping, whatever its keys.
pub(crate) fn items<'py>(path: &str, given: &Any<'py>) -> PyResult<Vec<(Any<'py>, Any<'py>)>> {
    let items = given.getattr(intern!(given.py(), "items")).and_then(|items| items.call0());
    let items = items.map_err(|_| wrong(path, given, "a mapping"))?;
    items.try_iter()?.map(|item| item?.extract()).collect()
}

// What goes out.

/// A moment, in UTC.
pub(crate) fn datetime<'py>(py: Python<'py>, moment: Moment) -> PyResult<Any<'py>> {
    let (epoch, micro) = epoch(py)?;
    epoch.add(micro.mul(moment.micros())?)
}

pub(crate) fn optional_datetime<'py>(py: Python<'py>, moment: Option<Moment>) -> PyResult<Any<'py>> {
    moment.map_or_else(|| Ok(py.None().into_bound(py)), |moment| datetime(py, moment))
}

/// Cents, as an amount.
pub(crate) fn money<'py>(py: Python<'py>, cents: i64) -> PyResult<Any<'py>> {
    let digits: Vec<u8> = cents.unsigned_abs().to_string().bytes().map(|digit| digit - b'0').collect();
    let digits = PyTuple::new(py, digits)?;
    decimal(py)?.call1(((u8::from(cents < 0), digits, -2),))
}

pub(crate) fn optional_money<'py>(py: Python<'py>, cents: Option<i64>) -> PyResult<Any<'py>> {
    cents.map_or_else(|| Ok(py.None().into_bound(py)), |cents| money(py, cents))
}

pub(crate) fn word<'py>(py: Python<'py>, word: &Word) -> Any<'py> {
    PyString::new(py, word.as_str()).into_any()
}

pub(crate) fn optional_word<'py>(py: Python<'py>, given: Option<&Word>) -> Any<'py> {
    given.map_or_else(|| py.None().into_bound(py), |given| word(py, given))
}

/// A name, in its languages: a `str`, or a mapping by language.
pub(crate) fn label<'py>(py: Python<'py>, label: &Label) -> PyResult<Any<'py>> {
    match label {
        Label::Plain(text) => Ok(PyString::new(py, text).into_any()),
        Label::Translated(texts) => frozen(py, texts.into_pyobject(py)?),
    }
}

/// A value that the actor may read.
pub(crate) fn shown<'py>(py: Python<'py>, value: &Value) -> PyResult<Any<'py>> {
    Ok(match value {
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Boolean(yes) => PyBool::new(py, *yes).to_owned().into_any(),
        // Python has no year 0, and none beyond 9999.
        Value::Date(day) => match day.into_pyobject(py) {
            Ok(day) => day.into_any(),
            Err(_) => PyString::new(py, &day.to_string()).into_any(),
        },
        Value::Choice(option) => word(py, option),
        Value::Choices(options) => {
            PyTuple::new(py, options.iter().map(|option| word(py, option)))?.into_any()
        }
        Value::Point(lat, lon) => point(py, (*lat, *lon))?,
        Value::File(file) => PyString::new(py, &file.name).into_any(),
        Value::Amount(cents) => money(py, *cents)?,
        other => PyString::new(py, &other.to_string()).into_any(),
    })
}

/// Micro-degrees, as a pair of `Decimal` degrees: latitude, longitude.
pub(crate) fn point<'py>(py: Python<'py>, (lat, lon): (i32, i32)) -> PyResult<Any<'py>> {
    let degrees = |micro: i32| {
        let digits: Vec<u8> = micro.unsigned_abs().to_string().bytes().map(|digit| digit - b'0').collect();
        decimal(py)?.call1(((u8::from(micro < 0), PyTuple::new(py, digits)?, -6),))
    };
    Ok(PyTuple::new(py, [degrees(lat)?, degrees(lon)?])?.into_any())
}

/// A mapping that cannot be changed.
pub(crate) fn frozen<'py>(py: Python<'py>, items: Bound<'py, PyDict>) -> PyResult<Any<'py>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "grc._result", "Frozen")?.call1((items,))
}

/// A mapping of values.
pub(crate) fn shown_all<'py, 'a>(
    py: Python<'py>,
    values: impl IntoIterator<Item = (&'a Word, &'a Value)>,
) -> PyResult<Any<'py>> {
    let out = PyDict::new(py);
    for (name, value) in values {
        out.set_item(name.as_str(), shown(py, value)?)?;
    }
    frozen(py, out)
}
