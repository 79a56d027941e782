//! Something that takes its time: waited for, or awaited.

use crate::{
    failure::{Failure, Raised, guarded},
    process,
};
use futures_util::FutureExt;
use grc_core::GrcError;
use pyo3::{
    exceptions::{PyRuntimeError, PyStopIteration},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::PyCFunction,
};
use std::{
    fmt,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// What an operation came to, before it is shown to Python.
type Answer = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Job = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// How often who waits looks whether they were interrupted.
const GLANCE: Duration = Duration::from_millis(50);

/// A call that is ready to run, once.
#[pyclass(frozen, module = "grc._grc")]
pub(crate) struct Operation {
    job: Mutex<Option<Job>>,
    events: Option<Arc<Events>>,
}

/// The event loop that awaits an operation; empty where somebody waits.
pub(crate) type Events = OnceLock<Py<PyAny>>;

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}

impl Operation {
    /// What a future of the engine comes to, shown so.
    pub(crate) fn new<T: Send + 'static>(
        future: impl Future<Output = Result<T, GrcError>> + Send + 'static,
        show: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        Self::of(future.map(|outcome| outcome.map_err(Failure::from)), show)
    }

    /// The same, for what can fail in other ways.
    pub(crate) fn of<T: Send + 'static>(
        future: impl Future<Output = Result<T, Failure>> + Send + 'static,
        show: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        let job = async move {
            // A clock or a keyring of the caller's raises through the engine as a panic that says nothing; any other
            // panic is a fault of ours, and does not end the caller's process.
            let outcome = match AssertUnwindSafe(future).catch_unwind().await {
                Ok(outcome) => outcome?,
                Err(panic) => return Err(Raised::caught(panic)),
            };
            Ok(Box::new(move |py: Python<'_>| show(py, outcome)) as Answer)
        };
        Self { job: Mutex::new(Some(Box::pin(job))), events: None }
    }

    /// With a place for the event loop, for what is itself written with `async`.
    pub(crate) fn telling(mut self, events: Option<Arc<Events>>) -> Self {
        self.events = events;
        self
    }

    fn take(&self) -> PyResult<Job> {
        let job = self.job.lock().unwrap_or_else(PoisonError::into_inner).take();
        job.ok_or_else(|| PyRuntimeError::new_err("this operation was run already: make the call again"))
    }
}

#[pymethods]
impl Operation {
    /// Runs it to its end on this thread, without holding the interpreter.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let job = self.take()?;
        let main = is_main_thread(py)?;
        match py.detach(|| run(job, main))? {
            Ok(answer) => guarded(|| answer(py)),
            Err(failure) => Err(failure.raise(py)),
        }
    }

    /// Runs it on threads of its own, for the event loop that runs here.
    fn __await__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let events = running_loop(py)?;
        let future = events.call_method0(intern!(py, "create_future"))?;
        let job = self.take()?;
        if let Some(known) = &self.events {
            // An operation runs once.
            let _ = known.set(events.clone().unbind());
        }
        let handle = process::handle()?;
        let (to, whose) = (events.unbind(), future.clone().unbind());
        let task = handle.spawn(async move {
            let outcome = job.await;
            process::with_python(|py| hand_over(py, &to, &whose, outcome));
        });
        let abort = task.abort_handle();
        let cancel = PyCFunction::new_closure(py, None, None, move |_, _| abort.abort())?;
        future.call_method1(intern!(py, "add_done_callback"), (cancel,))?;
        future.call_method0(intern!(py, "__await__")).map(Bound::unbind)
    }
}

/// The event loop that runs on this thread.
fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static ASKED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    ASKED.import(py, "asyncio", "get_running_loop")?.call0()
}

/// An exception as a future takes it: one that means the end of something to a loop is none.
fn settled(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let told = PyRuntimeError::new_err("what was called raised StopIteration");
    told.set_cause(py, Some(error));
    told
}

/// Tells an event loop what an operation came to. One that is closed is not told.
fn hand_over(py: Python<'_>, events: &Py<PyAny>, future: &Py<PyAny>, outcome: Result<Answer, Failure>) {
    let outcome = match outcome {
        Ok(answer) => guarded(|| answer(py)),
        Err(failure) => Err(failure.raise(py)),
    };
    let (value, method) = match outcome {
        Ok(value) => (value, intern!(py, "set_result")),
        Err(error) => (settled(py, error).into_value(py).into_any(), intern!(py, "set_exception")),
    };
    let told = (|| {
        let future = future.bind(py);
        let set = future.getattr(method)?.unbind();
        let done = future.getattr(intern!(py, "done"))?.unbind();
        let settle = PyCFunction::new_closure(py, None, None, move |args, _| {
            let py = args.py();
            if !done.call0(py)?.is_truthy(py)? {
                set.call1(py, (&value,))?;
            }
            PyResult::Ok(())
        })?;
        events.call_method1(py, intern!(py, "call_soon_threadsafe"), (settle,))
    })();
    // The loop was closed meanwhile: nobody waits any more.
    drop(told);
}

/// Wakes the thread that waits.
struct Waiting {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Whether this is the thread that signals come to.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    static MAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let main = MAIN.import(py, "threading", "main_thread")?.call0()?;
    let current = CURRENT.import(py, "threading", "get_ident")?.call0()?;
    main.getattr(intern!(py, "ident"))?.eq(current)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how often signals are looked for is no matter of the caller's clock"
)]
fn now() -> Instant {
    Instant::now()
}

/// Runs a job on this thread, which looks for signals if it is the main one.
///
/// # Errors
/// Whoever waits was interrupted (Ctrl-C): what had begun is given up, as any future that is dropped.
fn run(job: Job, main: bool) -> PyResult<Result<Answer, Failure>> {
    let waiting = Arc::new(Waiting { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&waiting));
    let mut context = Context::from_waker(&waker);
    let mut job = pin!(job);
    let mut looked = now();
    loop {
        if let Poll::Ready(outcome) = job.as_mut().poll(&mut context) {
            return Ok(outcome);
        }
        // Who is woken again and again looks too.
        if main && looked.elapsed() >= GLANCE {
            looked = now();
            Python::attach(|py| py.check_signals())?;
        }
        while !waiting.woken.swap(false, Ordering::Acquire) {
            if !main {
                thread::park();
                continue;
            }
            thread::park_timeout(GLANCE);
            if !waiting.woken.load(Ordering::Acquire) {
                Python::attach(|py| py.check_signals())?;
            }
        }
    }
}

/// What a coroutine of Python's comes to.
pub(crate) type Awaited = Pin<Box<dyn Future<Output = PyResult<Py<PyAny>>> + Send>>;

/// Has an event loop run something that can be awaited.
pub(crate) fn await_python(awaited: &Bound<'_, PyAny>, events: &Bound<'_, PyAny>) -> PyResult<Awaited> {
    let py = awaited.py();
    // Whatever can be awaited: the loop takes coroutines only.
    let coroutine = py.import("grc._support")?.call_method1(intern!(py, "coroutine"), (awaited,))?;
    let running =
        py.import("asyncio")?.call_method1(intern!(py, "run_coroutine_threadsafe"), (coroutine, events))?;
    let (tell, told) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let done = PyCFunction::new_closure(py, None, None, move |args, _| {
        let outcome = args.get_item(0).and_then(|future| future.call_method0("result")).map(Bound::unbind);
        if let Some(tell) = tell.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever asked has given up meanwhile.
            drop(tell.send(outcome));
        }
        PyResult::Ok(())
    })?;
    running.call_method1(intern!(py, "add_done_callback"), (done,))?;
    let asked = Asked(Some(running.unbind()));
    Ok(Box::pin(async move {
        let outcome = told.await;
        asked.let_be();
        outcome.unwrap_or_else(|_| Err(PyRuntimeError::new_err("the event loop ended before the coroutine")))
    }))
}

/// A coroutine that runs on an event loop. It is given up with whoever asked.
struct Asked(Option<Py<PyAny>>);

impl Asked {
    fn let_be(mut self) {
        self.0 = None;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            // A loop that is closed runs nothing any more.
            let _ = process::with_python(|py| running.call_method0(py, intern!(py, "cancel")));
        }
    }
}
