//! Clocks: one that stands still, and those that are written in Python.

use crate::{
    failure::Raised,
    process::calling,
    values::{datetime, moment},
};
use grc_core::{Clock, Moment};
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*};
use std::sync::Arc;

/// A clock that says what it was told.
#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct ManualClock(Arc<grc_core::ManualClock>);

#[pymethods]
impl ManualClock {
    #[new]
    fn new(at: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Arc::new(grc_core::ManualClock::at(moment("at", at)?.into()))))
    }

    /// Moves it, forward or back.
    ///
    /// >>> clock = grc.ManualClock(datetime(2026, 11, 24, tzinfo=timezone.utc))
    /// >>> clock.set(clock.now() + timedelta(days=90))
    /// >>> clock.now()
    /// datetime.datetime(2027, 2, 22, 0, 0, tzinfo=datetime.timezone.utc)
    fn set(&self, at: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.set(moment("at", at)?.into());
        Ok(())
    }

    /// What it was told last.
    ///
    /// >>> grc.ManualClock(datetime(2026, 11, 24, tzinfo=timezone.utc)).now().year
    /// 2026
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.now())
    }

    fn __repr__(&self) -> String {
        format!("ManualClock({})", self.0.now())
    }
}

/// A clock of the caller's: anything with `now()`.
#[derive(Debug)]
struct Outside(Py<PyAny>);

impl Clock for Outside {
    fn now(&self) -> Moment {
        let asked = calling(|py| {
            let now = self.0.bind(py).call_method0(intern!(py, "now"))?;
            moment("now()", &now).map(Moment::from)
        });
        let asked = asked.unwrap_or_else(|| Err(PyRuntimeError::new_err("the interpreter ends")));
        asked.unwrap_or_else(|error| Raised::throw(error))
    }
}

/// The clock that is given; none for the system's.
pub(crate) fn clock(given: &Bound<'_, PyAny>) -> PyResult<Option<Arc<dyn Clock>>> {
    if given.is_none() {
        return Ok(None);
    }
    if let Ok(manual) = given.cast::<ManualClock>() {
        return Ok(Some(manual.get().0.clone()));
    }
    given.getattr(intern!(given.py(), "now"))?;
    Ok(Some(Arc::new(Outside(given.clone().unbind()))))
}
