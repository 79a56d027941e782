//! Files on their way into a request.

use crate::process::with_python;
use grc_core::request::NewFile;
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    intern,
    prelude::*,
    types::PyBytes,
};
use std::io::{self, Read};

/// A file whose sealed bytes are stored.
#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct StoredFile(NewFile);

impl StoredFile {
    pub(crate) fn of(py: Python<'_>, file: NewFile) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Self(file))?.into_any())
    }

    pub(crate) fn taken(path: &str, given: &Bound<'_, PyAny>) -> PyResult<NewFile> {
        given.cast::<Self>().map(|file| file.get().0.clone()).map_err(|_| {
            PyTypeError::new_err(format!(
                "{path}: store the file first (`store_file`), and give what that answers"
            ))
        })
    }
}

#[pymethods]
impl StoredFile {
    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "<grc.StoredFile>"
    }
}

/// Bytes, or a file object that is read piece by piece, so that no file is in memory whole.
pub(crate) enum Source {
    Bytes(io::Cursor<Vec<u8>>),
    Object(Py<PyAny>),
}

impl Source {
    pub(crate) fn of(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if given.hasattr(intern!(given.py(), "read"))? {
            return Ok(Self::Object(given.clone().unbind()));
        }
        let bytes = given.cast::<PyBytes>().map_err(|_| {
            PyTypeError::new_err("data: bytes are wanted, or a file opened for reading in binary mode")
        })?;
        Ok(Self::Bytes(io::Cursor::new(bytes.as_bytes().to_vec())))
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let object = match self {
            Self::Bytes(bytes) => return bytes.read(buffer),
            Self::Object(object) => object,
        };
        let read = with_python(|py| {
            let read = object.bind(py).call_method1(intern!(py, "read"), (buffer.len(),))?;
            let bytes = read
                .cast::<PyBytes>()
                .map_err(|_| PyTypeError::new_err("data: the file was not opened in binary mode"))?
                .as_bytes();
            let to = buffer.get_mut(..bytes.len()).ok_or_else(|| {
                PyValueError::new_err("data: the file object answers more than was asked for")
            })?;
            to.copy_from_slice(bytes);
            Ok(bytes.len())
        });
        let read = read.unwrap_or_else(|| Err(PyRuntimeError::new_err("the interpreter ends")));
        read.map_err(|error: PyErr| io::Error::other(error))
    }
}
