//! An actor with an authority.

use crate::{
    answers,
    commands::{command, instruction},
    condition::{condition, facts},
    failure::unsuitable,
    files::{Sink, Source, StoredFile},
    given::{how, intake},
    operation::Operation,
    store::Kept,
    values::{boolean, count, optional_text, text, uuid},
};
use grc_core::{BlobId, List, RequestId, definition::Contact, storage::Cursor};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyTuple},
};

type Any<'py> = Bound<'py, PyAny>;

#[pyclass(frozen, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct Session {
    session: grc_core::Session,
    // Given up last.
    kept: Kept,
}

pub(crate) fn id(given: &Any<'_>) -> PyResult<RequestId> {
    uuid("id", given).map(RequestId::from_uuid)
}

/// The version that was seen, if one was.
pub(crate) fn version(given: &Any<'_>) -> PyResult<Option<u64>> {
    if given.is_none() {
        return Ok(None);
    }
    let version = crate::values::integer("version", given)?;
    u64::try_from(version).map(Some).map_err(|_| unsuitable("version: a version is not negative"))
}

/// A list, of the parts that a `grc.results.Filter`-like mapping has.
pub(crate) fn list(given: &Any<'_>) -> PyResult<List> {
    let part = |name: &str| crate::values::part(given, name);
    let flag = |name: &str| boolean(name, &part(name)?);
    let mut list = List::new().filter(facts(&part("facts")?)?);
    if let Some(condition) = condition("where", &part("where")?)? {
        list = list.filter(condition);
    }
    if flag("mine")? {
        list = list.mine();
    }
    if flag("my_teams")? {
        list = list.my_teams();
    }
    if flag("unassigned")? {
        list = list.unassigned();
    }
    if flag("overdue")? {
        list = list.overdue();
    }
    if flag("oldest_first")? {
        list = list.oldest_first();
    }
    let after = part("after")?;
    if !after.is_none() {
        let after =
            after.extract::<Vec<u8>>().map_err(|_| PyTypeError::new_err("after: the `next` of a page"))?;
        list = list.after(Cursor::from_bytes(after));
    }
    Ok(list.limit(count("limit", &part("limit")?)?))
}

impl Session {
    pub(crate) const fn new(kept: Kept, session: grc_core::Session) -> Self {
        Self { kept, session }
    }

    pub(crate) fn get(&self) -> PyResult<grc_core::Session> {
        self.kept.opened()?;
        Ok(self.session.clone())
    }
}

#[pymethods]
impl Session {
    fn submit(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, intake) = (self.get()?, intake(given)?);
        Ok(Operation::new(async move { session.submit(intake).await }, answers::submitted))
    }

    fn forms(&self) -> PyResult<Operation> {
        let session = self.get()?;
        Ok(Operation::new(async move { session.forms().await }, crate::form::forms))
    }

    fn open(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, id) = (self.get()?, id(given)?);
        Ok(Operation::new(async move { session.open(id).await }, answers::seen))
    }

    fn follow(&self) -> PyResult<Operation> {
        let session = self.get()?;
        Ok(Operation::new(async move { session.follow().await }, answers::seen))
    }

    #[pyo3(signature = (given, seen, asked, *, key, occurred_at, quiet))]
    fn act_on(
        &self,
        given: &Any<'_>,
        seen: &Any<'_>,
        asked: &Any<'_>,
        key: &Any<'_>,
        occurred_at: &Any<'_>,
        quiet: &Any<'_>,
    ) -> PyResult<Operation> {
        let (session, id, seen) = (self.get()?, id(given)?, version(seen)?);
        let instruction = instruction(command(asked)?, how(key, occurred_at, quiet)?);
        Ok(Operation::new(async move { session.act_on(id, seen, instruction).await }, answers::acted))
    }

    fn history(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, id) = (self.get()?, id(given)?);
        Ok(Operation::new(async move { session.history(id).await }, answers::history))
    }

    fn list(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, list) = (self.get()?, list(given)?);
        Ok(Operation::new(async move { session.list(&list).await }, answers::listed))
    }

    fn by_contact(&self, sector: &Any<'_>, kind: &Any<'_>, contact: &Any<'_>) -> PyResult<Operation> {
        let (session, sector, contact) = (self.get()?, text("sector", sector)?, text("contact", contact)?);
        let kind = match text("kind", kind)?.as_str() {
            "email" => Contact::Email,
            "phone" => Contact::Phone,
            "mobile" => Contact::Mobile,
            "address" => Contact::Address,
            _ => return Err(unsuitable("kind: email, phone, mobile or address")),
        };
        let look = async move { session.by_contact(&sector, kind, &contact).await };
        Ok(Operation::new(look, |py, ids| {
            Ok(PyTuple::new(py, ids.iter().map(|id| id.uuid()))?.into_any().unbind())
        }))
    }

    fn store_file(&self, name: &Any<'_>, data: &Any<'_>, field: &Any<'_>) -> PyResult<Operation> {
        let (session, name, field) = (self.get()?, text("name", name)?, optional_text("field", field)?);
        let source = Source::of(data)?;
        let store = async move { session.store_file(field.as_deref(), &name, source).await };
        Ok(Operation::new(store, StoredFile::of))
    }

    fn read_file(&self, given: &Any<'_>, file: &Any<'_>) -> PyResult<Operation> {
        let (session, id) = (self.get()?, id(given)?);
        let file = BlobId::from_uuid(uuid("file", file)?);
        let read = async move { session.read_file(id, file).await };
        Ok(Operation::new(read, |py, bytes| Ok(PyBytes::new(py, &bytes).into_any().unbind())))
    }

    fn read_file_to(&self, given: &Any<'_>, file: &Any<'_>, out: &Any<'_>) -> PyResult<Operation> {
        let (session, id) = (self.get()?, id(given)?);
        let file = BlobId::from_uuid(uuid("file", file)?);
        let mut out = Sink::of(out)?;
        let read = async move { session.read_file_to(id, file, &mut out).await };
        Ok(Operation::new(read, |py, bytes| Ok(bytes.into_pyobject(py)?.into_any().unbind())))
    }

    fn agent_name(&self, agent: &Any<'_>) -> PyResult<Operation> {
        let (session, agent) = (self.get()?, text("agent", agent)?);
        let look = async move { session.agent_name(&agent).await };
        Ok(Operation::new(look, |py, name| Ok(name.into_pyobject(py)?.unbind())))
    }
}
