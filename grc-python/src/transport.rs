//! Transports that are written in Python.

use crate::{
    answers::made,
    failure::Raised,
    operation::{Awaited, Events, await_python},
    process::{calling, with_python},
    values::{class_of_package, shown, text},
};
use async_trait::async_trait;
use grc_core::{
    Typed, Word,
    definition::Contact,
    engine::{Delivery, Outgoing, Transport},
};
use pyo3::{
    exceptions::{PyException, PyTypeError},
    intern,
    prelude::*,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// Transports of the caller's: one for all channels that it carries, or one a channel.
#[derive(Debug)]
pub(crate) struct Outside {
    which: Which,
    /// The event loop that awaits what is written as a coroutine.
    events: Arc<Events>,
}

#[derive(Debug)]
enum Which {
    One(Py<PyAny>),
    ByChannel(BTreeMap<String, Py<PyAny>>),
}

impl Outside {
    /// None where none is given.
    pub(crate) fn of(given: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = given.py();
        if given.is_none() {
            return Ok(None);
        }
        let which = if given.hasattr(intern!(py, "deliver"))? {
            Which::One(given.clone().unbind())
        } else {
            let mut all = BTreeMap::new();
            for (channel, path, transport) in crate::values::each("transport", given)? {
                if !transport.hasattr(intern!(py, "deliver"))? {
                    return Err(PyTypeError::new_err(format!("{path}: a transport has a method `deliver`")));
                }
                all.insert(channel, transport.unbind());
            }
            Which::ByChannel(all)
        };
        Ok(Some(Self { which, events: Arc::default() }))
    }

    /// Where the event loop is to be put that awaits the operation.
    pub(crate) fn events(&self) -> Arc<Events> {
        Arc::clone(&self.events)
    }

    fn one(&self, channel: &Word) -> Option<&Py<PyAny>> {
        match &self.which {
            Which::One(one) => Some(one),
            Which::ByChannel(all) => all.get(channel.as_str()),
        }
    }
}

/// The interpreter ends: nobody can be asked any more.
const ENDING: Delivery = Delivery::Later("ending");

/// A code that a caller's transport says, as the library keeps it. They are words of a program and few: beyond some
/// hundreds they are taken for texts, which have no place in a history.
fn code(given: &str) -> &'static str {
    const MOST: usize = 256;
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let Ok(word) = Word::new(given) else { return "other" };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(word.as_str()) {
        return known;
    }
    if known.len() >= MOST {
        return "other";
    }
    let kept: &'static str = Box::leak(word.to_string().into_boxed_str());
    known.insert(kept);
    kept
}

/// What a transport answered.
fn delivery(answer: &Bound<'_, PyAny>) -> PyResult<Delivery> {
    let said = || text("code", &answer.getattr("code")?).map(|said| code(&said));
    let class = class_of_package(answer, "grc.transports")?;
    Ok(match class.as_deref().unwrap_or_default() {
        "Sent" => Delivery::Sent,
        "Later" => {
            let seconds = answer.getattr("seconds")?;
            if seconds.is_none() {
                Delivery::Later(said()?)
            } else {
                Delivery::LaterIn(crate::values::count("seconds", &seconds)?, said()?)
            }
        }
        "Rejected" => Delivery::Refused(said()?),
        _ => {
            let class = answer.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "deliver() answers grc.Sent(), grc.Later(…) or grc.Rejected(…), not {class}"
            )));
        }
    })
}

fn typed<'py>(py: Python<'py>, given: Option<&Typed>) -> PyResult<Bound<'py, PyAny>> {
    given.map_or_else(|| Ok(py.None().into_bound(py)), |given| shown(py, given.expose()))
}

fn message<'py>(py: Python<'py>, outgoing: &Outgoing) -> PyResult<Bound<'py, PyAny>> {
    let contact = match outgoing.contact {
        Contact::Email => "email",
        Contact::Phone => "phone",
        Contact::Mobile => "mobile",
        Contact::Address => "address",
    };
    made!(py, "Outgoing",
        authority: outgoing.authority.as_str(),
        channel: outgoing.channel.as_str(),
        contact: contact,
        to: typed(py, Some(&outgoing.to))?,
        recipient: typed(py, outgoing.recipient.as_ref())?,
        sender: &outgoing.sender,
        subject: typed(py, outgoing.subject.as_ref())?,
        text: typed(py, Some(&outgoing.text))?,
        template: outgoing.template.as_ref().map(Word::as_str),
        automatic: outgoing.automatic,
        key: &outgoing.key,
    )
}

/// What a transport answered, or what is to be awaited.
enum Asked {
    Told(Delivery),
    Awaited(Awaited),
}

impl Outside {
    fn ask(&self, py: Python<'_>, transport: &Py<PyAny>, outgoing: &Outgoing) -> PyResult<Asked> {
        let answer = transport.bind(py).call_method1(intern!(py, "deliver"), (message(py, outgoing)?,))?;
        if !answer.hasattr(intern!(py, "__await__"))? {
            return delivery(&answer).map(Asked::Told);
        }
        match self.events.get() {
            Some(events) => await_python(&answer, events.bind(py)).map(Asked::Awaited),
            None => {
                answer.call_method0(intern!(py, "close"))?;
                Err(PyTypeError::new_err(
                    "deliver() is a coroutine: use it with grc.aio, or write it without `async`",
                ))
            }
        }
    }
}

/// A transport that raises has not said what became of the message: it is given again later, and Python is told.
/// What is no failure of the transport's own (Ctrl-C) ends the call.
fn raised(py: Python<'_>, error: PyErr, transport: &Py<PyAny>) -> Delivery {
    if !error.is_instance_of::<PyException>(py) {
        Raised::throw(error);
    }
    error.write_unraisable(py, Some(transport.bind(py)));
    Delivery::Later("raised")
}

#[async_trait]
impl Transport for Outside {
    fn carries(&self, channel: &Word) -> bool {
        let Which::One(one) = &self.which else { return self.one(channel).is_some() };
        let carries = calling(|py| {
            let asked = one.bind(py).call_method1(intern!(py, "carries"), (channel.as_str(),));
            asked.and_then(|yes| yes.is_truthy()).unwrap_or_else(|error| {
                error.write_unraisable(py, Some(one.bind(py)));
                false
            })
        });
        carries.unwrap_or(false)
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let Some(transport) = self.one(&outgoing.channel) else { return Delivery::Later("no-transport") };
        let asked = calling(|py| {
            self.ask(py, transport, outgoing)
                .unwrap_or_else(|error| Asked::Told(raised(py, error, transport)))
        });
        match asked.unwrap_or(Asked::Told(ENDING)) {
            Asked::Told(delivery) => delivery,
            Asked::Awaited(awaited) => {
                let answer = awaited.await;
                let told = with_python(|py| {
                    let told = answer.and_then(|answer| delivery(answer.bind(py)));
                    told.unwrap_or_else(|error| raised(py, error, transport))
                });
                told.unwrap_or(ENDING)
            }
        }
    }
}
