//! A store that is open, and the authorities in it.

use crate::{
    actor::actor,
    failure::{Failure, Outcome, Raised},
    host::Host,
    operation::Operation,
    process::{Process, slowly},
    session::Session,
    values::{datetime, text},
};
use grc_core::Grc;
use grc_mysql::{MysqlKeyring, MysqlStore};
use grc_sqlite::{SqliteKeyring, SqliteStore};
use pyo3::prelude::*;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is closed when the store is.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    pub(crate) files: Vec<Arc<SqliteStore>>,
    pub(crate) rings: Vec<Arc<SqliteKeyring>>,
    pub(crate) servers: Vec<Arc<MysqlStore>>,
    pub(crate) server_rings: Vec<Arc<MysqlKeyring>>,
}

impl Closing {
    async fn close(&self) {
        slowly(|| self.files.iter().for_each(|file| file.close()));
        for server in &self.servers {
            server.close().await;
        }
        // The keyring last: what is under way may still ask it.
        slowly(|| self.rings.iter().for_each(|ring| ring.close()));
        for ring in &self.server_rings {
            ring.close().await;
        }
    }
}

/// An engine, the process that it was opened in, and whether it is open.
#[derive(Debug)]
pub(crate) struct Opened {
    grc: Grc,
    closing: Closing,
    process: Process,
    closed: AtomicBool,
    /// Whether closing it came to its end: one that was interrupted is closed again.
    ended: AtomicBool,
}

impl Opened {
    pub(crate) fn new(grc: Grc, closing: Closing) -> Self {
        Self {
            grc,
            closing,
            process: Process::current(),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// # Errors
    /// It was closed, or belongs to another process.
    pub(crate) fn check(&self) -> Outcome<()> {
        self.process.check()?;
        if self.closed.load(Ordering::Acquire) { Err(Failure::Closed) } else { Ok(()) }
    }
}

/// What is dropped in a process that was forked is left alone: its threads are not there to be waited for, and its files are
/// the other process's.
#[derive(Debug)]
pub(crate) struct Kept(Option<Arc<Opened>>);

impl Kept {
    pub(crate) const fn new(opened: Arc<Opened>) -> Self {
        Self(Some(opened))
    }

    pub(crate) fn opened(&self) -> Outcome<&Arc<Opened>> {
        let opened = self.0.as_ref().ok_or(Failure::Closed)?;
        opened.check()?;
        Ok(opened)
    }

    /// Another hold on the same.
    pub(crate) fn again(&self) -> Outcome<Self> {
        self.opened().map(Arc::clone).map(Self::new)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let Some(opened) = self.0.take() else { return };
        if !opened.process.is_current() {
            std::mem::forget(opened);
            return;
        }
        // The last one waits for threads and moves the log: other threads of Python go on meanwhile.
        let mut last = Arc::into_inner(opened);
        if last.is_some() {
            let _ = Python::try_attach(|py| py.detach(|| drop(last.take())));
        }
    }
}

#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct Store(Kept);

impl Store {
    pub(crate) fn new(opened: Opened) -> Self {
        Self(Kept::new(Arc::new(opened)))
    }
}

#[pymethods]
impl Store {
    fn authority(&self, name: &Bound<'_, PyAny>) -> PyResult<Authority> {
        let name = text("name", name)?;
        let authority = self.0.opened()?.grc.authority(&name).map_err(Failure::from)?;
        Ok(Authority { authority, kept: self.0.again()? })
    }

    fn now<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let opened = self.0.opened()?;
        // A clock of the caller's raises as a panic.
        let now = catch_unwind(AssertUnwindSafe(|| opened.grc.now())).map_err(Raised::caught)?;
        datetime(py, now)
    }

    /// Again does nothing; nor does it in a process that was forked since, whose it is not.
    fn close(&self) -> Operation {
        let opened = self.0.0.as_ref().filter(|opened| opened.process.is_current()).map(Arc::clone);
        let close = async move {
            if let Some(opened) = opened
                && !opened.ended.load(Ordering::Acquire)
            {
                opened.closed.store(true, Ordering::Release);
                opened.closing.close().await;
                opened.ended.store(true, Ordering::Release);
            }
            Ok(())
        };
        Operation::of(close, |py, ()| Ok(py.None()))
    }

    /// Whether nothing can be asked of it any more, here.
    #[getter]
    fn closed(&self) -> bool {
        self.0.opened().is_err()
    }
}

#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct Authority {
    authority: grc_core::Authority,
    // Given up last.
    kept: Kept,
}

#[pymethods]
impl Authority {
    #[getter]
    fn name(&self) -> &str {
        self.authority.name().as_str()
    }

    fn session(&self, who: &Bound<'_, PyAny>) -> PyResult<Session> {
        Ok(Session::new(self.kept.again()?, self.authority.session(actor(who)?)))
    }

    fn host(&self, errand: &Bound<'_, PyAny>) -> PyResult<Host> {
        let errand = text("errand", errand)?;
        Ok(Host::new(self.kept.again()?, self.authority.host(&errand)))
    }
}
