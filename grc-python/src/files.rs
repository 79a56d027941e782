//! Files on their way into a request, and out of it.

use crate::process::calling;
use grc_core::request::NewFile;
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    intern,
    prelude::*,
    types::{PyByteArray, PyBytes},
};
use std::io::{self, Read, Write};

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
        let read = calling(|py| {
            let read = object.bind(py).call_method1(intern!(py, "read"), (buffer.len(),))?;
            let bytes = bytes(&read)?;
            let to = buffer.get_mut(..bytes.len()).ok_or_else(|| {
                PyValueError::new_err("data: the file object answers more than was asked for")
            })?;
            to.copy_from_slice(&bytes);
            Ok(bytes.len())
        });
        let read = read.unwrap_or_else(|| Err(PyRuntimeError::new_err("the interpreter ends")));
        read.map_err(|error: PyErr| io::Error::other(error))
    }
}

/// What a file object answered.
fn bytes(read: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = read.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Ok(bytes) = read.cast::<PyByteArray>() {
        return Ok(bytes.to_vec());
    }
    if read.hasattr(intern!(read.py(), "__await__"))? {
        // It is not awaited here, and says so when it goes if it is not closed.
        let _ = read.call_method0(intern!(read.py(), "close"));
        return Err(PyTypeError::new_err(
            "data: its read() is awaited: give the file beneath it (of an upload in Starlette or FastAPI, its `file`)",
        ));
    }
    let class = read.get_type().qualname()?;
    Err(PyTypeError::new_err(format!("data: read() answered {class}: open the file in binary mode")))
}

/// A file object that is written piece by piece.
pub(crate) struct Sink(Py<PyAny>);

impl Sink {
    pub(crate) fn of(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if given.hasattr(intern!(given.py(), "write"))? {
            return Ok(Self(given.clone().unbind()));
        }
        Err(PyTypeError::new_err("out: a file opened for writing in binary mode is wanted"))
    }

    fn call<T>(&self, call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> io::Result<T> {
        let told = calling(|py| call(self.0.bind(py)));
        let told = told.unwrap_or_else(|| Err(PyRuntimeError::new_err("the interpreter ends")));
        told.map_err(io::Error::other)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call(|file| {
            let py = file.py();
            let written = file.call_method1(intern!(py, "write"), (PyBytes::new(py, bytes),))?;
            // As a buffered file does, which has taken all; one that is not buffered may take less.
            if written.is_none() {
                return Ok(bytes.len());
            }
            let count: usize = written.extract().map_err(|_| {
                PyTypeError::new_err(
                    "out: write() answers how many bytes it took: a file in binary mode is wanted",
                )
            })?;
            if count <= bytes.len() {
                Ok(count)
            } else {
                Err(PyValueError::new_err("out: write() took more than it was given"))
            }
        })
    }

    // Whose file it is flushes it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
