//! Definitions, and the pure way in: decisions and folds on plain values, with no store.

use crate::{
    actor::{actor, is_holder},
    answers::{all, made},
    commands::command,
    condition::{json, plain, word},
    failure::{Failure, Outcome, guarded, of_definition, unsuitable},
    given::{intake, mapping},
    values::{cents, count, decimal, moment, none_called, optional_moment, part, shown, text, uuid, value},
};
use grc_core::{
    GrcError, Moment, RequestId, Value,
    definition::{DefinitionError, FieldKind, Procedure},
    request::{
        Acting, Context, Decision, Event, FoldError, Given, NewSlot, Plan, Request as State, Values,
        decide as decided, decide_intake as intake_decided,
    },
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyTuple, PyType},
};
use std::{path::PathBuf, sync::OnceLock};

type Any<'py> = Bound<'py, PyAny>;

/// The definition of an authority: its organisation and its request types, as data.
#[pyclass(frozen, eq, module = "grc._grc")]
#[derive(Debug)]
pub(crate) struct Definition {
    given: grc_core::Definition,
    /// With the workflows that types share in each of them; made when something is decided.
    resolved: OnceLock<grc_core::Definition>,
}

impl Definition {
    pub(crate) const fn new(given: grc_core::Definition) -> Self {
        Self { given, resolved: OnceLock::new() }
    }

    pub(crate) const fn given(&self) -> &grc_core::Definition {
        &self.given
    }

    fn resolved(&self) -> &grc_core::Definition {
        self.resolved.get_or_init(|| self.given.clone().resolved())
    }
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.given == other.given
    }
}

fn read(py: Python<'_>, definition: Result<grc_core::Definition, DefinitionError>) -> PyResult<Definition> {
    match definition {
        Ok(definition) => Ok(Definition::new(definition)),
        Err(error) => Err(of_definition(py, &error)?),
    }
}

#[pymethods]
impl Definition {
    /// The definition in the files of a folder (TOML or JSON). Raises `DefinitionError` with everything that cannot work.
    ///
    /// >>> from tempfile import TemporaryDirectory
    /// >>> with TemporaryDirectory() as folder:
    /// ...     try:
    /// ...         grc.Definition.from_dir(folder)
    /// ...     except grc.DefinitionError as error:
    /// ...         [finding.code for finding in error.findings]
    /// ['file']
    #[staticmethod]
    fn from_dir(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        guarded(|| read(py, py.detach(|| grc_core::Definition::from_dir(path))))
    }

    /// The definition in texts (TOML or JSON), by their file names. Raises `DefinitionError`.
    ///
    /// >>> try:
    /// ...     grc.Definition.from_files({"town.toml": "[organisation"})
    /// ... except grc.DefinitionError as error:
    /// ...     [(finding.file, finding.line) for finding in error.findings]
    /// [('town.toml', 1)]
    #[staticmethod]
    fn from_files(py: Python<'_>, files: &Any<'_>) -> PyResult<Self> {
        let mut texts = Vec::new();
        for (name, path, file) in crate::values::each("files", files)? {
            texts.push((name, text(&path, &file)?));
        }
        guarded(|| read(py, py.detach(|| grc_core::Definition::from_files(texts))))
    }

    /// The definition of what `to_dict` gave, changed or not. Raises `DefinitionError`.
    ///
    /// >>> grc.Definition.from_dict(TOWN.to_dict()) == TOWN
    /// True
    #[staticmethod]
    fn from_dict(py: Python<'_>, given: &Any<'_>) -> PyResult<Self> {
        mapping("definition", given)?;
        let json = json("definition", given)?;
        guarded(|| read(py, py.detach(|| grc_core::Definition::from_json(&json))))
    }

    /// It as plain data, to be shown, changed, stored.
    ///
    /// >>> TOWN.to_dict()["organisation"]["label"]
    /// 'Ville de Rennes'
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Any<'py>> {
        plain(py, &self.given.to_json())
    }

    /// Raises `DefinitionError` with everything that cannot work.
    ///
    /// >>> TOWN.check()
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| match py.detach(|| self.given.check()) {
            Ok(()) => Ok(()),
            Err(error) => Err(of_definition(py, &error)?),
        })
    }

    /// The ids of its request types.
    #[getter]
    fn types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.given.procedures.keys().map(|name| name.as_str()))
    }

    fn __repr__(&self) -> String {
        format!("<grc.Definition of {} types>", self.given.procedures.len())
    }
}

/// A request, as its events make it.
#[pyclass(frozen, eq, module = "grc._grc")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request(State);

fn event(given: &Any<'_>) -> PyResult<Event> {
    let bytes = match given.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes().to_vec(),
        Err(_) => json("event", given)?.to_string().into_bytes(),
    };
    Event::from_bytes(&bytes).map_err(|error| Failure::from(GrcError::from(error)).into())
}

fn folded<T>(folded: Result<T, FoldError>) -> Outcome<T> {
    folded.map_err(|error| Failure::from(GrcError::from(error)))
}

#[pymethods]
impl Request {
    /// The request that its events make, all of them from the first on: those of `Decision.events`, or their bytes. Raises
    /// `Corrupt` if they are not the history of one request.
    ///
    /// >>> now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    /// >>> intake = grc.Intake(type="water-leak", channel="phone", fields={"description": "x"}, code="UMB4-MMVE-P4AD")
    /// >>> grc.Request.fold(leak.id, grc.decide_intake(TOWN, intake, actor="a-17", now=now).events).state
    /// 'new'
    #[staticmethod]
    fn fold(id: &Any<'_>, events: &Any<'_>) -> PyResult<Self> {
        let id = RequestId::from_uuid(uuid("id", id)?);
        let events = events.try_iter()?.map(|one| event(&one?)).collect::<PyResult<Vec<_>>>()?;
        let state = guarded(|| Ok(folded(State::fold(id, &events))?))?;
        state.map(Self).ok_or_else(|| unsuitable("events: a request begins with one at least"))
    }

    /// The request after more events; this one stays as it is. Raises `Corrupt` if they do not follow.
    ///
    /// >>> now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    /// >>> intake = grc.Intake(type="water-leak", channel="phone", fields={"description": "x"}, code="UMB4-MMVE-P4AD")
    /// >>> request = grc.Request.fold(leak.id, grc.decide_intake(TOWN, intake, actor="a-17", now=now).events)
    /// >>> assign = grc.Fire("assign", to=grc.Assignee(team="plumbers"))
    /// >>> request.apply(*grc.decide(TOWN, request, assign, actor="a-03", now=now).events).state
    /// 'assigned'
    #[pyo3(signature = (*events))]
    fn apply(&self, events: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut state = self.0.clone();
        for one in events {
            let event = event(&one)?;
            guarded(|| Ok(folded(state.apply(&event))?))?;
        }
        Ok(Self(state))
    }

    /// Its id.
    #[getter]
    fn id(&self) -> uuid::Uuid {
        self.0.id.uuid()
    }

    /// Its version: the number of its last event.
    #[getter]
    const fn version(&self) -> u64 {
        self.0.version
    }

    /// Its request type.
    #[getter(r#type)]
    fn type_(&self) -> &str {
        self.0.type_.as_str()
    }

    /// Its state.
    #[getter]
    fn state(&self) -> &str {
        self.0.state.as_str()
    }

    /// Its phase.
    #[getter]
    fn phase<'py>(&self, py: Python<'py>) -> PyResult<Any<'py>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        CLASS.import(py, "grc.results", "Phase")?.call1((self.0.phase.as_str(),))
    }

    /// Its whole state as plain data.
    ///
    /// >>> now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    /// >>> intake = grc.Intake(type="water-leak", channel="phone", fields={"description": "x"}, code="UMB4-MMVE-P4AD")
    /// >>> grc.Request.fold(leak.id, grc.decide_intake(TOWN, intake, actor="a-17", now=now).events).to_dict()["channel"]
    /// 'phone'
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Any<'py>> {
        let state = serde_json::to_value(&self.0).map_err(|error| unsuitable(error.to_string()))?;
        plain(py, &state)
    }

    fn __repr__(&self) -> String {
        format!("<grc.Request {} {} {}>", self.0.id.uuid(), self.0.type_, self.0.state)
    }
}

/// Who acts, when, under which versions.
struct Under {
    actor: grc_core::Actor,
    now: Moment,
    organisation: u64,
    procedure: u64,
}

impl Under {
    fn of(actor_: &Any<'_>, now: &Any<'_>, organisation: &Any<'_>, procedure: &Any<'_>) -> PyResult<Self> {
        Ok(Self {
            actor: actor(actor_)?,
            now: moment("now", now)?.into(),
            organisation: count("organisation_version", organisation)?.into(),
            procedure: count("procedure_version", procedure)?.into(),
        })
    }

    /// Decides about a type of the definition.
    fn decide<'py>(
        &self,
        py: Python<'py>,
        definition: &Definition,
        type_: &str,
        (version, occurred_at): (u64, Option<Moment>),
        holds: Option<RequestId>,
        decide: impl FnOnce(&Context<'_>) -> Result<Decision, grc_core::Refusal> + Send,
    ) -> PyResult<Any<'py>> {
        let definition = definition.resolved();
        let procedure = definition
            .procedures
            .get(type_)
            .ok_or_else(|| unsuitable(format!("type: {} in this definition", none_called("type", type_))))?;
        let refused = |refusal: grc_core::Refusal| PyErr::from(Failure::from(GrcError::from(refusal)));
        let mut acting = Acting::resolve(&definition.organisation, &self.actor).map_err(refused)?;
        if let Some(request) = holds {
            acting = acting.holding(request);
        }
        let context = Context {
            organisation: &definition.organisation,
            organisation_version: self.organisation,
            procedure,
            procedure_version: self.procedure,
            acting: &acting,
            now: self.now,
        };
        let at = occurred_at.unwrap_or(self.now);
        guarded(|| {
            let decided = py.detach(|| {
                let decision = decide(&context)?;
                let events = Event::sequence(&decision, version, at, self.now, &context);
                Ok((decision, events))
            });
            let (decision, events) = decided.map_err(refused)?;
            shown_decision(py, procedure, &decision, &events)
        })
    }
}

fn shown_decision<'py>(
    py: Python<'py>,
    procedure: &Procedure,
    decision: &Decision,
    events: &[Event],
) -> PyResult<Any<'py>> {
    let slot = |py: Python<'py>, (event, new): &(usize, NewSlot)| {
        let kind = procedure.field(new.path.as_str()).map(|field| field.kind);
        let held = match new.value.expose() {
            Value::Integer(cents) if kind == Some(FieldKind::Amount) => &Value::Amount(*cents),
            held => held,
        };
        made!(py, "NewSlot",
            event: *event,
            slot: new.slot,
            path: new.path.as_str(),
            part: new.part,
            value: shown(py, held)?,
        )
    };
    let event = |py: Python<'py>, event: &Event| {
        let bytes = event.to_bytes().map_err(|error| PyErr::from(Failure::from(GrcError::from(error))))?;
        let json = serde_json::from_slice(&bytes).map_err(|error| unsuitable(error.to_string()))?;
        fixed(&plain(py, &json)?)
    };
    made!(py, "Decision",
        events: all(py, events, event)?,
        slots: all(py, &decision.slots, slot)?,
        plans: all(py, &decision.plans, plan)?,
    )
}

fn plan<'py>(py: Python<'py>, told: &Plan) -> PyResult<Any<'py>> {
    let out = PyDict::new(py);
    match told {
        Plan::Retention { due } => {
            out.set_item("plan", "retention")?;
            out.set_item("due", crate::values::datetime(py, *due)?)?;
        }
        Plan::Timer { due, transition } => {
            out.set_item("plan", "timer")?;
            out.set_item("due", crate::values::datetime(py, *due)?)?;
            out.set_item("transition", transition.as_str())?;
        }
        Plan::Deliver { message, channel, round } => {
            out.set_item("plan", "deliver")?;
            out.set_item("message", message)?;
            out.set_item("channel", channel.as_str())?;
            out.set_item("round", round)?;
        }
        Plan::Cancel(kinds) => {
            out.set_item("plan", "cancel")?;
            out.set_item("kinds", kinds)?;
        }
        Plan::Destroy { keys, blobs } => {
            out.set_item("plan", "destroy")?;
            out.set_item("keys", keys.iter().map(|key| key.uuid()).collect::<Vec<_>>())?;
            out.set_item("blobs", blobs.iter().map(|blob| blob.uuid()).collect::<Vec<_>>())?;
        }
        _ => out.set_item("plan", "other")?,
    }
    fixed(&out)
}

/// Plain data that cannot be changed.
fn fixed<'py>(given: &Any<'py>) -> PyResult<Any<'py>> {
    static FIXED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FIXED.import(given.py(), "grc._result", "fixed")?.call1((given,))
}

/// Decides on an intake.
#[pyfunction]
#[pyo3(signature = (definition, given, *, actor, now, organisation_version, procedure_version))]
pub(crate) fn decide_intake<'py>(
    py: Python<'py>,
    definition: &Definition,
    given: &Any<'py>,
    actor: &Any<'py>,
    now: &Any<'py>,
    organisation_version: &Any<'py>,
    procedure_version: &Any<'py>,
) -> PyResult<Any<'py>> {
    let under = Under::of(actor, now, organisation_version, procedure_version)?;
    let type_ = text("type", &part(given, "type")?)?;
    let occurred_at = optional_moment("occurred_at", &part(given, "occurred_at")?)?.map(Moment::from);
    let (intake, type_word) = (intake(given)?, word("type", &type_)?);
    under.decide(py, definition, &type_, (0, occurred_at), None, |context| {
        intake_decided(&intake, &type_word, context)
    })
}

/// Decides on a command.
#[pyfunction]
#[pyo3(signature = (definition, request, asked, *, actor, now, values, occurred_at, quiet, organisation_version, procedure_version))]
#[expect(clippy::too_many_arguments, reason = "each is named where it is given")]
pub(crate) fn decide<'py>(
    py: Python<'py>,
    definition: &Definition,
    request: &Request,
    asked: &Any<'py>,
    actor: &Any<'py>,
    now: &Any<'py>,
    values: &Any<'py>,
    occurred_at: &Any<'py>,
    quiet: bool,
    organisation_version: &Any<'py>,
    procedure_version: &Any<'py>,
) -> PyResult<Any<'py>> {
    let under = Under::of(actor, now, organisation_version, procedure_version)?;
    let mut known = Values::new();
    for item in values.call_method0("items")?.try_iter()? {
        let (slot, held): (u32, Any<'py>) = item?
            .extract()
            .map_err(|_| PyTypeError::new_err("values: a mapping of slots (int) to their values"))?;
        let path = format!("values.{slot}");
        let amount = held.is_instance(decimal(py)?)?;
        known.insert(slot, if amount { Value::Amount(cents(&path, &held)?) } else { value(&path, &held)? });
    }
    let occurred_at = optional_moment("occurred_at", occurred_at)?.map(Moment::from);
    let (command, given) = (command(asked)?, Given { occurred_at, quiet });
    let state = &request.0;
    // Who holds a code holds this request's, says the caller, who looked it up.
    let holds = is_holder(actor)?.then_some(state.id);
    under.decide(py, definition, state.type_.as_str(), (state.version, occurred_at), holds, |context| {
        decided(state, &known, &command, given, context)
    })
}
