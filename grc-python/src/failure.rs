//! How failures become exceptions: the one place that does it. The classes are in `grc/errors.py`.

use grc_core::{
    GrcError, Problem, Refusal,
    definition::{DefinitionError, Finding},
    storage::{ConflictOn, Retry, StorageError, StorageErrorKind},
};
use pyo3::{intern, prelude::*, sync::PyOnceLock, types::PyDict};
use std::{
    any::Any,
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Why something failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Engine(GrcError),
    /// What Python raised.
    Python(PyErr),
    /// The process was forked since.
    Forked,
    Closed,
    /// A fault of ours.
    Broken,
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl<E: Into<GrcError>> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into() {
            GrcError::Attachment(error) => match error.into_inner().map(|inner| inner.downcast::<PyErr>()) {
                // The file object's own exception.
                Some(Ok(raised)) => Self::Python(*raised),
                // Nothing else fails to read: bytes, or what Python reads.
                _ => Self::Broken,
            },
            other => Self::Engine(other),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| failure.raise(py))
    }
}

/// What an object of the caller's raised where the engine expects no failure: a clock. It goes up as a panic without a
/// message, drops what was under way, and is raised again where Python waits.
pub(crate) struct Raised(PyErr);

impl Raised {
    pub(crate) fn throw(error: PyErr) -> ! {
        std::panic::resume_unwind(Box::new(Self(error)))
    }

    pub(crate) fn caught(panic: Box<dyn Any + Send>) -> Failure {
        panic.downcast::<Self>().map_or(Failure::Broken, |raised| Failure::Python(raised.0))
    }
}

impl Failure {
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Python(error) => error,
            Self::Forked => Exception::new("ForkedError", FORKED).raise(py),
            Self::Closed => Exception::new("ClosedError", "the store was closed: open it again").raise(py),
            Self::Broken => Exception::new("GrcError", BROKEN).raise(py),
            Self::Engine(error) => of_engine(py, error).unwrap_or_else(|error| error),
        }
    }
}

const FORKED: &str = "this process was forked after the store was opened, and threads and connections do not come \
    along: open the store in the process that uses it (in gunicorn's post_fork, not before)";
const BROKEN: &str =
    "the library failed in a way that it should not: please report it, with what was printed before";

/// What was given cannot be used: an error of the package that is a `ValueError` too. The message begins with the path of
/// what it is about.
pub(crate) fn unsuitable(message: impl Into<String>) -> PyErr {
    let message = message.into();
    Python::attach(|py| {
        let attributes = PyDict::new(py);
        let path = message.split_once(": ").map(|(path, _)| path).filter(|path| !path.contains(' '));
        match attributes.set_item("path", path) {
            Ok(()) => Exception::new("Unsuitable", message).with(py, &attributes),
            Err(error) => error,
        }
    })
}

/// Does something of the library's that does not panic: if it does, that is a fault of ours and told as an exception, which
/// `except Exception` catches.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Raised::caught(panic).into()))
}

/// An exception that is to be raised.
struct Exception {
    class: &'static str,
    message: String,
}

impl Exception {
    fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }

    fn raise(self, py: Python<'_>) -> PyErr {
        self.with(py, &PyDict::new(py))
    }

    /// With what the class keeps besides its message.
    fn with(self, py: Python<'_>, attributes: &Bound<'_, PyDict>) -> PyErr {
        let made = module(py)
            .and_then(|module| module.getattr(self.class))
            .and_then(|class| class.call((self.message,), Some(attributes)));
        made.map_or_else(|error| error, PyErr::from_value)
    }
}

fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || PyResult::Ok(py.import("grc.errors")?.into_any().unbind()))
        .map(|m| m.bind(py))
}

/// What the chain of causes says, without what was said already.
fn cause(error: &dyn Error) -> Option<String> {
    let mut parts = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        parts.push(error.to_string());
        next = error.source();
    }
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn of_engine(py: Python<'_>, error: GrcError) -> PyResult<PyErr> {
    let attributes = PyDict::new(py);
    let set = |name: &str, value: Bound<'_, PyAny>| attributes.set_item(name, value);
    let message = error.to_string();
    let class = match error {
        GrcError::Refused(refusal) => {
            set("problems", problems(py, &refusal)?)?;
            "Refused"
        }
        GrcError::NotPermitted(refusal) => {
            set("problems", problems(py, &refusal)?)?;
            "NotPermitted"
        }
        GrcError::NotFound => "NotFound",
        GrcError::Conflict(conflict) => {
            set("seen", conflict.seen.into_pyobject(py)?.into_any())?;
            set("version", conflict.version.into_pyobject(py)?.into_any())?;
            set("changed", conflict.changed.into_pyobject(py)?)?;
            "Conflict"
        }
        GrcError::Definition(error) => return of_definition(py, &error),
        GrcError::NoDefinition(authority) => {
            set("authority", authority.into_pyobject(py)?.into_any())?;
            "NoDefinition"
        }
        GrcError::Storage(error) => return of_storage(py, &error),
        GrcError::Keyring(error) => {
            set("unavailable", error.is_unavailable().into_pyobject(py)?.to_owned().into_any())?;
            set("cause", cause(&error).into_pyobject(py)?)?;
            "KeyringError"
        }
        GrcError::KeyringForeign | GrcError::KeyringOlder => "KeyringError",
        GrcError::KeyLost(request) => {
            set("request", request.into_pyobject(py)?)?;
            "KeyLost"
        }
        GrcError::Corrupt(_) => "Corrupt",
        GrcError::Newer => "NewerVersion",
        GrcError::Busy => "Busy",
        GrcError::Unsuitable(_) => "Unsuitable",
        _ => "GrcError",
    };
    Ok(Exception { class, message }.with(py, &attributes))
}

fn of_storage(py: Python<'_>, error: &StorageError) -> PyResult<PyErr> {
    let class = match error.kind() {
        StorageErrorKind::Unavailable => "StorageUnavailable",
        StorageErrorKind::OutcomeUnknown => "OutcomeUnknown",
        StorageErrorKind::Unusable => "StorageUnusable",
        _ => "StorageError",
    };
    let kind = match error.kind() {
        StorageErrorKind::Conflict(_) => "conflict",
        StorageErrorKind::Unsupported => "unsupported",
        StorageErrorKind::Limit => "limit",
        StorageErrorKind::Unavailable => "unavailable",
        StorageErrorKind::OutcomeUnknown => "outcome-unknown",
        StorageErrorKind::Corrupt => "corrupt",
        StorageErrorKind::Unusable => "unusable",
        _ => "other",
    };
    let retry = match error.retry() {
        Retry::Never => "never",
        Retry::AfterReload => "after-reload",
        Retry::Same => "same",
    };
    let on = error.conflict_on().map(|on| match on {
        ConflictOn::Stream => "stream",
        ConflictOn::Document => "document",
        ConflictOn::Link => "link",
        ConflictOn::Lease => "lease",
        ConflictOn::Receipt => "receipt",
        ConflictOn::Batch => "batch",
        _ => "other",
    });
    let attributes = PyDict::new(py);
    attributes.set_item("kind", kind)?;
    attributes.set_item("retry", retry)?;
    attributes.set_item("conflict_on", on)?;
    attributes.set_item("cause", cause(error))?;
    Ok(Exception::new(class, error.to_string()).with(py, &attributes))
}

/// A definition that cannot work.
pub(crate) fn of_definition(py: Python<'_>, error: &DefinitionError) -> PyResult<PyErr> {
    let class = module(py)?.getattr(intern!(py, "Finding"))?;
    let mut findings = Vec::new();
    for Finding { code, file, path, line, message, hint, .. } in error.findings() {
        findings.push(class.call1((*code, file.clone(), path, *line, message, hint.clone()))?);
    }
    let attributes = PyDict::new(py);
    attributes.set_item("findings", findings)?;
    Ok(Exception::new("DefinitionError", error.to_string()).with(py, &attributes))
}

/// The reasons of a refusal.
fn problems<'py>(py: Python<'py>, refusal: &Refusal) -> PyResult<Bound<'py, PyAny>> {
    let all = refusal.problems().iter().map(|one| problem(py, one)).collect::<PyResult<Vec<_>>>()?;
    all.into_pyobject(py)
}

/// One reason.
pub(crate) fn problem<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyAny>> {
    let Problem { code, path, message, hint, .. } = problem;
    module(py)?.getattr(intern!(py, "Problem"))?.call1((*code, path, message, hint.clone()))
}
