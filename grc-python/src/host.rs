//! The embedding program, on an errand.

use crate::{
    answers,
    commands::{command, report},
    condition::word,
    failure::unsuitable,
    operation::Operation,
    pure::Definition,
    session::id,
    store::Kept,
    transport::Outside,
    values::{count, moment, text, uuid},
};
use grc_core::{
    Budget, InterventionId, RequestId,
    engine::{DeadLetter, Transport},
    storage::Cursor,
};
use pyo3::{exceptions::PyTypeError, prelude::*};

type Any<'py> = Bound<'py, PyAny>;

#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct Host {
    host: grc_core::Host,
    // Given up last.
    kept: Kept,
}

impl Host {
    pub(crate) const fn new(kept: Kept, host: grc_core::Host) -> Self {
        Self { host, kept }
    }

    pub(crate) fn get(&self) -> PyResult<grc_core::Host> {
        self.kept.opened()?;
        Ok(self.host.clone())
    }
}

fn cursor(given: &Any<'_>) -> PyResult<Option<Cursor>> {
    if given.is_none() {
        return Ok(None);
    }
    let bytes =
        given.extract::<Vec<u8>>().map_err(|_| PyTypeError::new_err("after: the `next` of a page"))?;
    Ok(Some(Cursor::from_bytes(bytes)))
}

fn nothing(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

#[pymethods]
impl Host {
    fn publish(&self, definition: &Definition) -> PyResult<Operation> {
        let (host, definition) = (self.get()?, definition.given().clone());
        Ok(Operation::new(async move { host.publish(&definition).await }, answers::published))
    }

    fn definition(&self) -> PyResult<Operation> {
        let host = self.get()?;
        Ok(Operation::new(async move { host.definition().await }, |py, definition| {
            Ok(Py::new(py, Definition::new(definition))?.into_any())
        }))
    }

    fn act(&self, given: &Any<'_>, asked: &Any<'_>) -> PyResult<Operation> {
        let (host, id, command) = (self.get()?, id(given)?, command(asked)?);
        Ok(Operation::new(async move { host.act(id, command).await }, answers::acted))
    }

    fn changes(&self, after: &Any<'_>, limit: &Any<'_>) -> PyResult<Operation> {
        let (host, after, limit) = (self.get()?, cursor(after)?, count("limit", limit)?);
        Ok(Operation::new(async move { host.changes(after.as_ref(), limit).await }, answers::changes))
    }

    fn scrub(&self) -> PyResult<Operation> {
        let host = self.get()?;
        Ok(Operation::new(async move { host.scrub().await }, answers::scrub_report))
    }

    fn verify(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (host, id) = (self.get()?, id(given)?);
        Ok(Operation::new(async move { host.verify(id).await }, answers::verdict))
    }

    fn verify_intervention(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (host, id) = (self.get()?, InterventionId::from_uuid(id(given)?.uuid()));
        Ok(Operation::new(async move { host.verify_intervention(id).await }, answers::verdict))
    }

    fn work(&self, transport: &Any<'_>, tasks: &Any<'_>, minutes: &Any<'_>) -> PyResult<Operation> {
        let (host, outside) = (self.get()?, Outside::of(transport)?);
        let budget = match (tasks.is_none(), minutes.is_none()) {
            (true, true) => Budget::ALL,
            (false, true) => Budget::tasks(count("tasks", tasks)?.into()),
            (true, false) => Budget::minutes(count("minutes", minutes)?.into()),
            (false, false) => {
                return Err(unsuitable("give `tasks` or `minutes`, not both"));
            }
        };
        let events = outside.as_ref().map(Outside::events);
        let work = async move {
            let transport = outside.as_ref().map(|outside| outside as &dyn Transport);
            host.work(transport, budget).await
        };
        Ok(Operation::new(work, answers::work_report).telling(events))
    }

    fn sweep(&self) -> PyResult<Operation> {
        let host = self.get()?;
        Ok(Operation::new(async move { host.sweep().await }, |py, swept| {
            Ok(swept.into_pyobject(py)?.into_any().unbind())
        }))
    }

    fn dead_letters(&self, after: &Any<'_>, limit: &Any<'_>) -> PyResult<Operation> {
        let (host, after, limit) = (self.get()?, cursor(after)?, count("limit", limit)?);
        let read = async move { host.dead_letters(after.as_ref(), limit).await };
        Ok(Operation::new(read, |py, told| {
            answers::made!(py, "Page",
                items: answers::all(py, &told.letters, answers::dead_letter)?,
                next: answers::cursor(py, told.next.as_ref()),
            )
            .map(Bound::unbind)
        }))
    }

    fn resend(&self, letters: &Any<'_>) -> PyResult<Operation> {
        let host = self.get()?;
        let letters = letters.try_iter()?.map(|one| letter(&one?)).collect::<PyResult<Vec<DeadLetter>>>()?;
        Ok(Operation::new(async move { host.resend(&letters).await }, |py, count| {
            Ok(count.into_pyobject(py)?.into_any().unbind())
        }))
    }

    fn report(&self, key: &Any<'_>, told: &Any<'_>) -> PyResult<Operation> {
        let (host, key, report) = (self.get()?, text("key", key)?, report(told)?);
        Ok(Operation::new(async move { host.report(&key, report).await }, nothing))
    }

    fn name_agent(&self, agent: &Any<'_>, name: &Any<'_>) -> PyResult<Operation> {
        let (host, agent, name) = (self.get()?, text("agent", agent)?, text("name", name)?);
        Ok(Operation::new(async move { host.name_agent(&agent, &name).await }, nothing))
    }

    fn forget_agent(&self, agent: &Any<'_>) -> PyResult<Operation> {
        let (host, agent) = (self.get()?, text("agent", agent)?);
        Ok(Operation::new(async move { host.forget_agent(&agent).await }, nothing))
    }
}

/// A `grc.results.DeadLetter`, which may have been listed by another process.
fn letter(given: &Any<'_>) -> PyResult<DeadLetter> {
    let part = |name: &str| {
        given
            .getattr(name)
            .map_err(|_| PyTypeError::new_err("letters: messages that `dead_letters` answered are wanted"))
    };
    let request = RequestId::from_uuid(uuid("letters.request", &part("request")?)?);
    let channel = word("letters.channel", &text("letters.channel", &part("channel")?)?)?;
    let since = moment("letters.since", &part("since")?)?.into();
    let message = count("letters.message", &part("message")?)?;
    Ok(DeadLetter::new(request, message.into(), channel, since))
}
