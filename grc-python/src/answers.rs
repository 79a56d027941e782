//! What is answered, as the classes of `grc/results.py`.

use crate::{
    failure::problem,
    values::{
        datetime, frozen, label, optional_datetime, optional_money, optional_word, point, shown, shown_all,
        word,
    },
};
use grc_core::{
    definition::{Action, Ask},
    engine::{
        Acted, Choice, DeadLetter, FileView, HistoryEntry, Listed, MessageView, NoteView, OnSiteView,
        PersonView, PlaceView, Published, Seen, Submitted, Summary, Verdict, WorkReport,
    },
    request::{ActorKind, ActorRef},
    storage::{Change, ChangePage, ScrubReport, Touched},
};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyFrozenSet, PyTuple},
};

type Any<'py> = Bound<'py, PyAny>;

/// One of the classes of `grc.results`.
pub(crate) fn class<'py>(py: Python<'py>, name: &Bound<'py, pyo3::types::PyString>) -> PyResult<Any<'py>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let module =
        MODULE.get_or_try_init(py, || PyResult::Ok(py.import("grc.results")?.into_any().unbind()))?;
    module.bind(py).getattr(name)
}

/// Makes an object of a class of `grc.results`, by the names of its parts.
macro_rules! made {
    ($py:expr, $class:literal, $($name:ident: $value:expr),* $(,)?) => {{
        let parts = pyo3::types::PyDict::new($py);
        $(parts.set_item(pyo3::intern!($py, stringify!($name)), $value)?;)*
        $crate::answers::class($py, pyo3::intern!($py, $class))?.call((), Some(&parts))
    }};
}
pub(crate) use made;

/// A tuple of what is made of each.
pub(crate) fn all<'py, T>(
    py: Python<'py>,
    items: impl IntoIterator<Item = T>,
    one: impl Fn(Python<'py>, T) -> PyResult<Any<'py>>,
) -> PyResult<Any<'py>> {
    let made = items.into_iter().map(|item| one(py, item)).collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(py, made)?.into_any())
}

pub(crate) fn submitted(py: Python<'_>, told: Submitted) -> PyResult<Py<PyAny>> {
    made!(py, "Submitted",
        id: told.id().uuid(),
        version: told.version(),
        tracking_code: told.tracking_code().to_string(),
    )
    .map(Bound::unbind)
}

pub(crate) fn acted(py: Python<'_>, told: Acted) -> PyResult<Py<PyAny>> {
    made!(py, "Acted", id: told.id().uuid(), version: told.version()).map(Bound::unbind)
}

fn summary<'py>(py: Python<'py>, told: &Summary) -> PyResult<Any<'py>> {
    made!(py, "Summary",
        id: told.id.uuid(),
        type: word(py, &told.type_),
        state: word(py, &told.state),
        phase: word(py, &told.phase),
        service: optional_word(py, told.service.as_ref()),
        team: optional_word(py, told.team.as_ref()),
        agent: optional_word(py, told.agent.as_ref()),
        channel: word(py, &told.channel),
        opened_at: datetime(py, told.opened_at)?,
        closed_at: optional_datetime(py, told.closed_at)?,
        target: optional_datetime(py, told.target)?,
        requester: told.requester.as_deref(),
        address: told.address.as_deref(),
    )
}

pub(crate) fn cursor<'py>(
    py: Python<'py>,
    next: Option<&grc_core::storage::Cursor>,
) -> Option<Bound<'py, PyBytes>> {
    next.map(|next| PyBytes::new(py, next.as_bytes()))
}

pub(crate) fn listed(py: Python<'_>, told: Listed) -> PyResult<Py<PyAny>> {
    made!(py, "Page",
        items: all(py, &told.requests, summary)?,
        next: cursor(py, told.next.as_ref()),
    )
    .map(Bound::unbind)
}

fn person<'py>(py: Python<'py>, told: &PersonView) -> PyResult<Any<'py>> {
    made!(py, "Person",
        role: word(py, &told.role),
        answer_by: optional_word(py, told.answer.as_ref()),
        details: shown_all(py, &told.details)?,
    )
}

fn place<'py>(py: Python<'py>, told: &PlaceView) -> PyResult<Any<'py>> {
    made!(py, "PlaceSeen",
        zone: optional_word(py, told.zone.as_ref()),
        address: told.address.as_deref(),
        position: told.point.map(|at| point(py, at)).transpose()?,
        coarse: told.coarse,
    )
}

fn message<'py>(py: Python<'py>, told: &MessageView) -> PyResult<Any<'py>> {
    made!(py, "Message",
        number: told.seq,
        at: datetime(py, told.at)?,
        incoming: told.incoming,
        channel: word(py, &told.channel),
        subject: told.subject.as_deref(),
        text: &told.text,
        template: optional_word(py, told.template.as_ref()),
        automatic: told.automatic,
        status: optional_word(py, told.status.as_ref()),
        code: optional_word(py, told.code.as_ref()),
    )
}

fn note<'py>(py: Python<'py>, told: &NoteView) -> PyResult<Any<'py>> {
    made!(py, "NoteSeen",
        at: datetime(py, told.at)?,
        by: optional_word(py, told.by.as_ref()),
        text: &told.text,
    )
}

fn file<'py>(py: Python<'py>, told: &FileView) -> PyResult<Any<'py>> {
    made!(py, "File",
        id: told.id().uuid(),
        name: told.name(),
        media: told.media(),
        bytes: told.bytes(),
        field: optional_word(py, told.field()),
        moment: optional_word(py, told.moment()),
    )
}

fn on_site<'py>(py: Python<'py>, told: &OnSiteView) -> PyResult<Any<'py>> {
    let texts = told.texts.iter().map(|(kind, text)| (word(py, kind), text.as_str()));
    made!(py, "OnSite",
        id: told.id.uuid(),
        stage: word(py, &told.stage),
        begins: datetime(py, told.from)?,
        ends: datetime(py, told.until)?,
        team: optional_word(py, told.team.as_ref()),
        supplier: optional_word(py, told.supplier.as_ref()),
        reason: optional_word(py, told.reason.as_ref()),
        texts: PyTuple::new(py, texts)?,
        minutes: told.minutes,
        amount: optional_money(py, told.cents)?,
    )
}

const fn ask(ask: Ask) -> &'static str {
    match ask {
        Ask::Assignee => "assignee",
        Ask::Outcome => "outcome",
        Ask::Message => "message",
        Ask::Note => "note",
        _ => "other",
    }
}

fn choice<'py>(py: Python<'py>, told: &Choice) -> PyResult<Any<'py>> {
    made!(py, "Choice",
        transition: word(py, &told.transition),
        label: label(py, &told.label)?,
        asks: PyTuple::new(py, told.asks.iter().map(|one| ask(*one)))?,
        fields: PyTuple::new(py, told.fields.iter().map(|field| word(py, field)))?,
        blocked: all(py, &told.blocked, problem)?,
    )
}

pub(crate) fn seen(py: Python<'_>, told: Seen) -> PyResult<Py<PyAny>> {
    let may = Action::ALL.into_iter().filter(|action| told.may(*action)).map(action);
    let links = told.links().into_iter().map(|(kind, id)| (word(py, &kind), id.uuid())).collect::<Vec<_>>();
    made!(py, "Seen",
        id: told.id().uuid(),
        version: told.version(),
        type: word(py, told.type_()),
        label: label(py, told.label())?,
        family: optional_word(py, told.family()),
        state: optional_word(py, told.state()),
        stage: label(py, told.stage())?,
        phase: word(py, told.phase()),
        channel: word(py, told.channel()),
        service: optional_word(py, told.service()),
        team: optional_word(py, told.team()),
        agent: optional_word(py, told.agent()),
        opened_at: datetime(py, told.opened_at())?,
        closed_at: optional_datetime(py, told.closed_at())?,
        target: optional_datetime(py, told.target())?,
        anonymised_at: optional_datetime(py, told.anonymised_at())?,
        acceptability: optional_word(py, told.acceptability()),
        outcome: optional_word(py, told.outcome()),
        confirmation: optional_word(py, told.confirmation()),
        tracking_code: told.tracking_code().map(ToString::to_string),
        fields: shown_all(py, told.fields())?,
        parties: all(py, told.parties(), person)?,
        place: told.place().map(|told| place(py, told)).transpose()?,
        messages: all(py, told.messages(), message)?,
        notes: all(py, told.notes(), note)?,
        files: all(py, told.files(), file)?,
        interventions: all(py, told.interventions(), on_site)?,
        links: PyTuple::new(py, links)?,
        holds: PyTuple::new(py, told.holds())?,
        choices: all(py, told.choices(), choice)?,
        may: PyFrozenSet::new(py, may)?,
        _form: crate::form::fields(py, told.form())?,
    )
    .map(Bound::unbind)
}

const fn action(action: Action) -> &'static str {
    match action {
        Action::Submit => "submit",
        Action::See => "see",
        Action::Assign => "assign",
        Action::Handle => "handle",
        Action::Correct => "correct",
        Action::Message => "message",
        Action::Note => "note",
        Action::Attach => "attach",
        Action::Assess => "assess",
        Action::Conclude => "conclude",
        Action::Take => "take",
        Action::Plan => "plan",
        Action::Work => "work",
        Action::Cost => "cost",
        Action::Confirm => "confirm",
        Action::Link => "link",
        Action::Hold => "hold",
        Action::Erase => "erase",
        Action::Measure => "measure",
        Action::Import => "import",
        _ => "other",
    }
}

fn actor_ref<'py>(py: Python<'py>, told: &ActorRef) -> PyResult<Any<'py>> {
    let kind = match told.kind {
        ActorKind::Agent => "agent",
        ActorKind::Citizen => "citizen",
        ActorKind::Holder => "holder",
        ActorKind::Timer => "timer",
        ActorKind::Host => "host",
        _ => "other",
    };
    made!(py, "ActorRef", kind: kind, id: optional_word(py, told.id.as_ref()))
}

fn entry<'py>(py: Python<'py>, told: &HistoryEntry) -> PyResult<Any<'py>> {
    let values = pyo3::types::PyDict::new(py);
    for (path, value) in &told.values {
        values.set_item(path.as_str(), value.as_ref().map(|value| shown(py, value)).transpose()?)?;
    }
    made!(py, "HistoryEntry",
        occurred_at: datetime(py, told.occurred_at)?,
        recorded_at: datetime(py, told.recorded_at)?,
        actor: actor_ref(py, &told.actor)?,
        kind: word(py, &told.kind),
        details: frozen(py, (&told.details).into_pyobject(py)?)?,
        values: frozen(py, values)?,
    )
}

pub(crate) fn history(py: Python<'_>, told: Vec<HistoryEntry>) -> PyResult<Py<PyAny>> {
    all(py, &told, entry).map(Bound::unbind)
}

pub(crate) fn published(py: Python<'_>, told: Published) -> PyResult<Py<PyAny>> {
    let procedures = pyo3::types::PyDict::new(py);
    for (name, version) in &told.procedures {
        procedures.set_item(name.as_str(), version)?;
    }
    made!(py, "Published",
        organisation: told.organisation,
        procedures: frozen(py, procedures)?,
        withdrawn: PyTuple::new(py, told.withdrawn.iter().map(|name| word(py, name)))?,
    )
    .map(Bound::unbind)
}

pub(crate) fn verdict(py: Python<'_>, told: Verdict) -> PyResult<Py<PyAny>> {
    made!(py, "Verdict", events: told.events, opened: told.opened, problems: PyTuple::new(py, told.problems)?)
        .map(Bound::unbind)
}

pub(crate) fn work_report(py: Python<'_>, told: WorkReport) -> PyResult<Py<PyAny>> {
    made!(py, "WorkReport",
        anonymised: told.anonymised,
        sent: told.sent,
        rerouted: told.rerouted,
        fired: told.fired,
        destroyed: told.destroyed,
        dropped: told.dropped,
        later: told.later,
        dead: told.dead,
        months: told.months,
    )
    .map(Bound::unbind)
}

pub(crate) fn dead_letter<'py>(py: Python<'py>, told: &DeadLetter) -> PyResult<Any<'py>> {
    made!(py, "DeadLetter",
        request: told.request.uuid(),
        message: told.message,
        channel: word(py, &told.channel),
        code: optional_word(py, told.code.as_ref()),
        since: datetime(py, told.since)?,
    )
}

/// What a batch wrote: what of it, of which kind, which one, at which version.
fn touched<'py>(py: Python<'py>, told: &Touched) -> PyResult<Any<'py>> {
    let (what, stream, name, version) = match told {
        Touched::Stream(stream, version) => ("stream", Some(stream), None, Some(*version)),
        Touched::Events(stream, sequence) => ("events", Some(stream), None, Some(*sequence)),
        Touched::Vault(stream, _) => ("vault", Some(stream), None, None),
        Touched::Links(stream, _) => ("links", Some(stream), None, None),
        Touched::Tasks(stream) => ("tasks", Some(stream), None, None),
        Touched::Link(_) => ("link", None, None, None),
        Touched::Task(..) => ("task", None, None, None),
        Touched::Document(kind, name, version) => ("document", None, Some((kind, name)), Some(*version)),
        _ => ("other", None, None, None),
    };
    let kind = stream.map(|stream| &stream.kind).or(name.map(|(kind, _)| kind));
    made!(py, "Touched",
        what: what,
        kind: optional_word(py, kind),
        id: stream.map(|stream| stream.id),
        name: optional_word(py, name.map(|(_, name)| name)),
        version: version,
    )
}

fn change<'py>(py: Python<'py>, told: &Change) -> PyResult<Any<'py>> {
    made!(py, "Change", batch: told.batch.uuid(), touched: all(py, &told.touched, touched)?)
}

pub(crate) fn changes(py: Python<'_>, told: ChangePage) -> PyResult<Py<PyAny>> {
    made!(py, "Changes", items: all(py, &told.changes, change)?, next: cursor(py, Some(&told.next)))
        .map(Bound::unbind)
}

pub(crate) fn scrub_report(py: Python<'_>, told: ScrubReport) -> PyResult<Py<PyAny>> {
    made!(py, "ScrubReport", done: PyTuple::new(py, told.done)?, could_not: PyTuple::new(py, told.could_not)?)
        .map(Bound::unbind)
}
