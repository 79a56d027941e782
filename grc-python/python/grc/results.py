"""What is answered: frozen values with equality, a `repr`, and `to_dict`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from grc import _grc
from grc._result import Label, Result
from grc.errors import Problem
from grc.forms import Form, FormField
from grc.transports import Outgoing

__all__ = [
    "Acted",
    "ActorRef",
    "Behind",
    "Change",
    "Changes",
    "Choice",
    "DeadLetter",
    "Decision",
    "DelayHours",
    "EntrySeen",
    "Figures",
    "File",
    "Form",
    "FormField",
    "HistoryEntry",
    "Intervened",
    "InterventionSeen",
    "InterventionSummary",
    "Key",
    "Label",
    "Message",
    "NewSlot",
    "NoteSeen",
    "OnSite",
    "OnTime",
    "OrderEntry",
    "OrderRequest",
    "Outgoing",
    "Page",
    "Person",
    "Phase",
    "PlaceSeen",
    "Position",
    "Published",
    "Result",
    "Row",
    "ScrubReport",
    "Seen",
    "SeenValue",
    "Served",
    "SiteChoice",
    "Submitted",
    "Summary",
    "Table",
    "Touched",
    "Verdict",
    "WorkOrder",
    "WorkReport",
]

T = TypeVar("T")

Position: TypeAlias = tuple[Decimal, Decimal]
"""Latitude and longitude in degrees (WGS 84), to the micro-degree."""

SeenValue: TypeAlias = str | int | bool | Decimal | date | tuple[str, ...] | Position
"""The value of a field, as far as the actor may read it."""


class Phase(str, Enum):
    """The four phases under which figures are comparable."""

    RECEIVED = "received"
    IN_PROGRESS = "in-progress"
    WAITING = "waiting"
    CLOSED = "closed"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Result):
    """A request was handed in."""

    id: UUID
    """Its id, for agents."""
    version: int
    tracking_code: str = field(repr=False)
    """What the citizen follows it by: it opens the request, so it is a secret, and not printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted(Result):
    """A command was done."""

    id: UUID
    version: int
    """The version of the request after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervened(Result):
    """An intervention was planned, or worked on."""

    id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Result, Generic[T]):
    """A page of a list."""

    items: tuple[T, ...]
    next: bytes | None
    """Where it goes on; `None` at the end. A page may be short and still go on."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Result):
    """A request in a list."""

    id: UUID
    type: str
    state: str
    phase: Phase
    service: str | None
    team: str | None
    agent: str | None
    channel: str
    opened_at: datetime
    closed_at: datetime | None
    target: datetime | None
    """When its closure was promised."""
    requester: str | None
    """Who asks, if the actor may read the name."""
    address: str | None
    """Where it is, if the actor may read the address."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase", Phase(self.phase))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(Result):
    """A person of a request."""

    role: str
    answer_by: str | None
    """The channel chosen for answers."""
    details: Mapping[str, SeenValue]
    """By name: `name`, `given`, `email`, `phone`, `address`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSeen(Result):
    """Where it is."""

    zone: str | None
    address: str | None
    """In lines."""
    position: Position | None
    coarse: bool
    """Whether the position is only roughly where it was, because the request was anonymised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Result):
    """A message, in or out."""

    number: int
    """How a command names it."""
    at: datetime
    incoming: bool
    channel: str
    subject: str | None = field(repr=False)
    text: str = field(repr=False)
    """Not printed: the acknowledgement names the tracking code."""
    template: str | None
    automatic: bool
    status: str | None
    """What became of it: `sent`, `delivered`, `read`, `said`, `failed`, `dead`, `waiting`; `None` while it waits for the
    first time."""
    code: str | None
    """Why it failed; not for citizens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSeen(Result):
    """An internal note."""

    at: datetime
    by: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Result):
    """A file of a request; `Session.read_file` reads it."""

    id: UUID
    """What a link to it may name."""
    name: str
    media: str
    bytes: int
    """Its size."""
    field: str | None
    """The field that it fills."""
    moment: str | None
    """`before` or `after`, for a picture of an intervention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSite(Result):
    """An intervention that serves a request."""

    id: UUID
    stage: str
    begins: datetime
    ends: datetime
    team: str | None
    supplier: str | None
    reason: str | None
    texts: tuple[tuple[str, str], ...]
    """What was written to who does it, and by them: `instructions`, `report`."""
    minutes: int
    """This request's share of the minutes spent."""
    amount: Decimal | None
    """This request's share of what was paid, VAT included; `None` for who may not see amounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Result):
    """A transition that the actor may fire from where the request is."""

    transition: str
    label: Label
    asks: tuple[str, ...]
    """What must be given with it: `assignee`, `outcome`, `message`, `note`."""
    fields: tuple[str, ...]
    """The fields of the form that must be filled with it: those that it requires and that are not filled yet."""
    blocked: tuple[Problem, ...]
    """Why not now; empty if it can be fired."""

    @property
    def possible(self) -> bool:
        """Whether it can be fired now."""
        return not self.blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Result):
    """A request as one actor sees it. What they may not read is not here."""

    id: UUID
    version: int
    """What a command that follows is compared with."""
    type: str
    label: Label
    family: str | None
    state: str | None
    """A citizen sees the stage instead."""
    stage: Label
    phase: Phase
    channel: str
    service: str | None
    team: str | None
    agent: str | None
    opened_at: datetime
    closed_at: datetime | None
    target: datetime | None
    anonymised_at: datetime | None
    acceptability: str | None
    outcome: str | None
    confirmation: str | None
    tracking_code: str | None = field(repr=False)
    fields: Mapping[str, SeenValue]
    parties: tuple[Person, ...]
    place: PlaceSeen | None
    messages: tuple[Message, ...]
    notes: tuple[NoteSeen, ...]
    files: tuple[File, ...]
    interventions: tuple[OnSite, ...]
    links: tuple[tuple[str, UUID], ...]
    holds: tuple[int, ...]
    choices: tuple[Choice, ...]
    """What may be done now, and why not the rest."""
    may: frozenset[str]
    """What else the actor may do: `assign`, `note`, `message`…"""
    _form: tuple[tuple[Any, ...], ...] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase", Phase(self.phase))

    @property
    def form(self) -> tuple[FormField, ...]:
        """The form that it was handed in by, as it was then: the fields that the actor may read or correct, also those that
        are not filled."""
        return tuple(FormField(*parts) for parts in self._form)

    def to_dict(self) -> dict[str, Any]:
        """Its parts by name, and theirs, its form with them."""
        return {**Result.to_dict(self), "form": [field.to_dict() for field in self.form]}

    def choice(self, transition: str) -> Choice | None:
        """The choice of a transition; `None` if it is none here."""
        return next((choice for choice in self.choices if choice.transition == transition), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRef(Result):
    """Who did something: a kind and, where there is one, an opaque id."""

    kind: str
    """`agent`, `citizen`, `holder`, `timer`, `host`."""
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry(Result):
    """Something that happened to a request, as far as the actor may see it."""

    occurred_at: datetime
    recorded_at: datetime
    actor: ActorRef
    kind: str
    details: Mapping[str, str]
    values: Mapping[str, SeenValue | None] = field(repr=False)
    """What was said; `None` for what was erased since, or cleared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Result):
    """A definition was published."""

    organisation: int
    """The version of the organisation."""
    procedures: Mapping[str, int]
    """The version of each type."""
    withdrawn: tuple[str, ...]
    """Types that can no longer be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Result):
    """What checking a stream found."""

    events: int
    opened: int
    """How many values could be opened and were what was committed to."""
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReport(Result):
    """What was done of what was due."""

    anonymised: int
    sent: int
    rerouted: int
    fired: int
    destroyed: int
    dropped: int
    later: int
    dead: int
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter(Result):
    """A message that was given up."""

    request: UUID
    message: int
    channel: str
    code: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched(Result):
    """Something that was written."""

    what: str
    """`stream`, `events`, `vault`, `link`, `links`, `task`, `tasks`, `document`."""
    kind: str | None
    """The kind of the stream or document: `request`, `intervention`, `organisation`, `procedure`…"""
    id: UUID | None
    name: str | None
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Result):
    """What one commit wrote."""

    batch: UUID
    touched: tuple[Touched, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(Result):
    """A page of the feed."""

    items: tuple[Change, ...]
    next: bytes
    """Where to go on, now or later."""

    def __iter__(self) -> Iterator[Change]:
        return iter(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubReport(Result):
    """What a scrub did."""

    done: tuple[str, ...]
    could_not: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionSummary(Result):
    """An intervention in a list."""

    id: UUID
    stage: str
    begins: datetime
    ends: datetime
    service: str | None
    team: str | None
    supplier: str | None
    agents: tuple[str, ...]
    requests: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySeen(Result):
    """Time or money that was spent."""

    number: int
    at: datetime
    minutes: int
    net: Decimal | None
    vat: Decimal | None
    supplier: str | None
    team: str | None
    agent: str | None
    item: str | None
    quote: str | None
    invoice: str | None
    struck: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Result):
    """A request that an intervention serves, with its share."""

    request: UUID
    type: str
    weight: int
    minutes: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChoice(Result):
    """Something that may be done with an intervention."""

    work: str
    blocked: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionSeen(Result):
    """An intervention as one actor sees it."""

    id: UUID
    version: int
    stage: str
    begins: datetime
    ends: datetime
    started_at: datetime | None
    ended_at: datetime | None
    service: str | None
    team: str | None
    supplier: str | None
    agents: tuple[str, ...]
    reason: str | None
    minutes: int
    planned_minutes: int
    amount: Decimal | None
    planned_amount: Decimal | None
    quote: str | None
    entries: tuple[EntrySeen, ...]
    served: tuple[Served, ...]
    choices: tuple[SiteChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest(Result):
    """A request on a work order."""

    request: UUID
    label: str
    opened: str
    zone: str | None
    address: str | None
    position: Position | None
    requester: str | None
    phone: str | None
    fields: tuple[tuple[str, str], ...]
    instructions: tuple[str, ...]
    reports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry(Result):
    """Time that is on a work order."""

    who: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder(Result):
    """What who does the work takes along, in the organisation's language and time zone."""

    intervention: UUID
    authority: str
    stage: str
    begins: str
    ends: str
    service: str | None
    team: str | None
    supplier: str | None
    agents: tuple[str, ...]
    minutes: int
    requests: tuple[OrderRequest, ...]
    entries: tuple[OrderEntry, ...]
    html: str = field(repr=False)
    """The same as one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Result):
    """What a row is about, in one dimension."""

    id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Result):
    """A row of a table."""

    keys: tuple[Key | None, ...]
    cells: tuple[int | float | Decimal | None, ...]

    @property
    def ids(self) -> tuple[str | None, ...]:
        """The ids of its keys, as `behind` takes them."""
        return tuple(None if key is None else key.id for key in self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Result):
    """The answer to a question. pandas, polars, DuckDB and pyarrow read it as it is:
    `pandas.DataFrame.from_arrow(table)` (pandas 3; before, `pyarrow.table(table).to_pandas()`)."""

    by: tuple[str, ...]
    figures: tuple[str, ...]
    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_dicts())

    def __len__(self) -> int:
        return len(self.rows)

    def to_dicts(self) -> list[dict[str, Any]]:
        """A dict a row: the ids of its keys and their labels (`month`, `month_label`), then its figures.

        >>> claire.measure("opened", by="channel").to_dicts()
        [{'channel': 'phone', 'channel_label': 'Téléphone', 'opened': 1}]
        """
        out: list[dict[str, Any]] = []
        for row in self.rows:
            line: dict[str, Any] = {}
            for name, key in zip(self.by, row.keys, strict=True):
                line[name] = None if key is None else key.id
                line[f"{name}_label"] = None if key is None else key.label
            line.update(zip(self.figures, row.cells, strict=True))
            out.append(line)
        return out

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The Arrow PyCapsule interface: one batch, in these types whatever is asked for."""
        return _grc.arrow_stream(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayHours(Result):
    """How long it took until closure, in hours."""

    count: int
    mean: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTime(Result):
    """How many were closed when it was promised."""

    within: int
    late: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Result):
    """The figures that one looks at first."""

    total: int
    open: int
    closed: int
    by_channel: Mapping[str, int]
    by_type: Mapping[str, int]
    by_service: Mapping[str, int]
    opened_by_month: Mapping[str, int]
    closed_by_month: Mapping[str, int]
    delay_hours: DelayHours
    on_time: OnTime
    anonymised: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind(Result):
    """The requests behind a cell."""

    items: tuple[UUID, ...]
    next: UUID | None

    def __iter__(self) -> Iterator[UUID]:
        return iter(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSlot(Result):
    """A slot that a decision fills: where what a person typed goes, to be kept apart and sealed."""

    event: int
    """The index of the event that fills it."""
    slot: int
    path: str
    part: int
    value: SeenValue = field(repr=False)
    """What was typed, the tracking code among it: not printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Result):
    """What a command comes to, with no store."""

    events: tuple[Mapping[str, Any], ...]
    """What happened, in order: plain data, as they are stored."""
    slots: tuple[NewSlot, ...]
    plans: tuple[Mapping[str, Any], ...]
    """What is to be done: anonymise, fire a timer, deliver a message…"""
