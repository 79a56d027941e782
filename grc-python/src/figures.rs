//! Figures.

use crate::{
    answers::{all, made},
    condition::{condition, facts},
    failure::unsuitable,
    host::Host,
    operation::Operation,
    session::Session,
    table::table,
    values::{boolean, count, frozen, moment, none_called, optional_text, part, text, uuid},
};
use grc_core::{
    RequestId,
    insight::{Behind, Dimension, Figure, Figures, Question},
};
use pyo3::{prelude::*, types::PyTuple};

type Any<'py> = Bound<'py, PyAny>;

fn figure(given: &Any<'_>) -> PyResult<Figure> {
    figure_of(&text("figures", given)?)
}

/// The figure of a name, as Python writes it.
pub(crate) fn figure_of(name: &str) -> PyResult<Figure> {
    Figure::from_name(&name.replace('_', "-")).ok_or_else(|| {
        let all: Vec<String> = Figure::all().map(Figure::name).collect();
        unsuitable(format!("figures: {}: there are {}", none_called("figure", name), all.join(", ")))
    })
}

fn dimension(given: &Any<'_>) -> PyResult<Dimension> {
    let name = text("by", given)?;
    Dimension::from_name(&name.replace('_', "-")).ok_or_else(|| {
        let all: Vec<&str> = Dimension::ALL.iter().map(|one| one.name()).collect();
        unsuitable(format!("by: {}: there are {}", none_called("dimension", &name), all.join(", ")))
    })
}

fn each<T>(path: &str, given: &Any<'_>, one: impl Fn(&Any<'_>) -> PyResult<T>) -> PyResult<Vec<T>> {
    // A str is iterable too, by its letters.
    if text(path, given).is_ok() {
        return one(given).map(|one| vec![one]);
    }
    given.try_iter()?.map(|item| one(&item?)).collect()
}

/// A `grc.figures.Question`.
fn question(given: &Any<'_>) -> PyResult<Question> {
    let mut filter = facts(&part(given, "facts")?)?;
    if let Some(more) = condition("where", &part(given, "where")?)? {
        filter = filter.and(more);
    }
    let mut question = Question::those(filter)
        .figures(each("figures", &part(given, "figures")?, figure)?)
        .by(each("by", &part(given, "by")?, dimension)?);
    let between = part(given, "between")?;
    if !between.is_none() {
        let (from, until): (Any<'_>, Any<'_>) = between.extract().map_err(|_| {
            pyo3::exceptions::PyTypeError::new_err("between: two aware datetimes: from, until")
        })?;
        question = question.between(moment("between", &from)?.into(), moment("between", &until)?.into());
    }
    let at = part(given, "at")?;
    if !at.is_none() {
        question = question.at(moment("at", &at)?.into());
    }
    Ok(if boolean("by_closing", &part(given, "by_closing")?)? { question.by_closing() } else { question })
}

fn questions(given: &Any<'_>) -> PyResult<Vec<Question>> {
    given.try_iter()?.map(|one| question(&one?)).collect()
}

fn overview(py: Python<'_>, told: Figures) -> PyResult<Py<PyAny>> {
    let delay = made!(py, "DelayHours",
        count: told.delay_hours.count,
        mean: told.delay_hours.mean,
        median: told.delay_hours.median,
        p90: told.delay_hours.p90,
    )?;
    let on_time = made!(py, "OnTime",
        within: told.on_time.within,
        late: told.on_time.late,
        share: told.on_time.share,
    )?;
    made!(py, "Figures",
        total: told.total,
        open: told.open,
        closed: told.closed,
        by_channel: frozen(py, (&told.by_channel).into_pyobject(py)?)?,
        by_type: frozen(py, (&told.by_type).into_pyobject(py)?)?,
        by_service: frozen(py, (&told.by_service).into_pyobject(py)?)?,
        opened_by_month: frozen(py, (&told.opened_by_month).into_pyobject(py)?)?,
        closed_by_month: frozen(py, (&told.closed_by_month).into_pyobject(py)?)?,
        delay_hours: delay,
        on_time: on_time,
        anonymised: told.anonymised,
    )
    .map(Bound::unbind)
}

fn behind(py: Python<'_>, told: Behind) -> PyResult<Py<PyAny>> {
    made!(py, "Behind",
        items: PyTuple::new(py, told.requests.iter().map(|id| id.uuid()))?,
        next: told.next.map(RequestId::uuid),
    )
    .map(Bound::unbind)
}

/// What is asked for behind a cell.
struct Cell {
    question: Question,
    figure: Figure,
    keys: Vec<Option<String>>,
    after: Option<RequestId>,
    limit: usize,
}

impl Cell {
    fn of(asked: &Any<'_>, of: &Any<'_>, keys: &Any<'_>, after: &Any<'_>, limit: &Any<'_>) -> PyResult<Self> {
        Ok(Self {
            question: question(asked)?,
            figure: figure(of)?,
            keys: keys.try_iter()?.map(|key| optional_text("keys", &key?)).collect::<PyResult<_>>()?,
            after: if after.is_none() { None } else { Some(RequestId::from_uuid(uuid("after", after)?)) },
            limit: usize::try_from(count("limit", limit)?).unwrap_or(usize::MAX),
        })
    }

    fn keys(&self) -> Vec<Option<&str>> {
        self.keys.iter().map(Option::as_deref).collect()
    }
}

/// The same four for who asks with rights, and for the host.
macro_rules! figures_of {
    ($class:ident) => {
        #[pymethods]
        impl $class {
            fn measure_all(&self, given: &Any<'_>) -> PyResult<Operation> {
                let (of, questions) = (self.get()?, questions(given)?);
                Ok(Operation::new(async move { of.measure_all(&questions).await }, |py, tables| {
                    all(py, tables, table).map(Bound::unbind)
                }))
            }

            fn measure(&self, given: &Any<'_>) -> PyResult<Operation> {
                let (of, question) = (self.get()?, question(given)?);
                Ok(Operation::new(async move { of.measure(&question).await }, |py, told| {
                    table(py, told).map(Bound::unbind)
                }))
            }

            fn figures(&self, given: &Any<'_>) -> PyResult<Operation> {
                let (of, question) = (self.get()?, question(given)?);
                Ok(Operation::new(async move { of.figures(&question).await }, overview))
            }

            fn behind(
                &self,
                asked: &Any<'_>,
                figure: &Any<'_>,
                keys: &Any<'_>,
                after: &Any<'_>,
                limit: &Any<'_>,
            ) -> PyResult<Operation> {
                let (of, cell) = (self.get()?, Cell::of(asked, figure, keys, after, limit)?);
                let look = async move {
                    of.behind(&cell.question, cell.figure, &cell.keys(), cell.after, cell.limit).await
                };
                Ok(Operation::new(look, self::behind))
            }
        }
    };
}

figures_of!(Session);
figures_of!(Host);
