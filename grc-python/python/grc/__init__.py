"""Citizen relationship management for town halls, to be embedded.

A town receives citizens' requests by any channel, routes them to a service, carries them through a workflow, answers by the
channel that the citizen chose, counts, keeps the whole history, and erases it all when its time has come.

>>> import grc
>>> with grc.open("memory:") as store:
...     town = store.authority("rennes")
...     published = town.host("set-up").publish(TOWN)
...     leak = town.session("a-17").submit(
...         "water-leak",
...         channel="phone",
...         fields={"description": "eau qui coule devant le 12"},
...         requester=grc.Party(given="Anne", family="Le Gall", phone="06 39 98 12 34", answer_by="sms"),
...     )
...     seen = town.session("a-17").open(leak.id)
...     seen.fields["description"]
'eau qui coule devant le 12'

Where what is:

- `open`, `Store`, `Authority`, `Session`, `Host`: here for callers that wait, and in `grc.aio` for asyncio;
- `Definition`: what an authority is and how its requests go, as data;
- `grc.given` (`Intake`, `Party`, `Place`…), `grc.commands`, `grc.site`: what is asked;
- `grc.results`, `grc.forms`: what is answered; `grc.errors`: why not;
- `grc.transports`, `grc.protocols`: what you may write yourself;
- `decide_intake`, `decide`, `Request`: the pure way in, for programs that keep their own database.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from grc import _grc
from grc._grc import Definition, ManualClock, Request, StoredFile, __version__
from grc._sync import Authority, Host, Session, Store, open
from grc.commands import (
    Assess,
    Assign,
    Attach,
    Command,
    Conclude,
    Confirm,
    Correct,
    Delivered,
    Erase,
    Fire,
    HandOver,
    Hear,
    Hold,
    Link,
    Note,
    Release,
    Resend,
    Take,
    Tell,
    Work,
)
from grc.errors import (
    Busy,
    ClosedError,
    Conflict,
    Corrupt,
    DefinitionError,
    Finding,
    ForkedError,
    GrcError,
    KeyLost,
    KeyringError,
    NewerVersion,
    NoDefinition,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    Problem,
    Refused,
    StorageError,
    StorageUnavailable,
    StorageUnusable,
    Unsuitable,
)
from grc.figures import Question
from grc.forms import FieldKind, Form, FormField
from grc.given import Agent, Assignee, Citizen, FieldValue, Holder, Intake, Party, Place, Who
from grc.lists import Filter
from grc.protocols import Clock, Keyring, Unavailable
from grc.results import Decision, Phase
from grc.site import (
    Acknowledge,
    Buy,
    Cancel,
    Done,
    EraseOnSite,
    Impossible,
    Photo,
    Planning,
    SiteWork,
    Spend,
    Start,
    Strike,
)
from grc.transports import (
    Arrived,
    AsyncTransport,
    Bounced,
    Delivery,
    Failed,
    Later,
    Outgoing,
    Read,
    Rejected,
    Report,
    Sent,
    Transport,
)

__all__ = [
    "Acknowledge",
    "Agent",
    "Arrived",
    "Assess",
    "Assign",
    "Assignee",
    "AsyncTransport",
    "Attach",
    "Authority",
    "Bounced",
    "Busy",
    "Buy",
    "Cancel",
    "Citizen",
    "Clock",
    "ClosedError",
    "Command",
    "Conclude",
    "Confirm",
    "Conflict",
    "Correct",
    "Corrupt",
    "Decision",
    "Definition",
    "DefinitionError",
    "Delivered",
    "Delivery",
    "Done",
    "Erase",
    "EraseOnSite",
    "Failed",
    "FieldKind",
    "FieldValue",
    "Filter",
    "Finding",
    "Fire",
    "ForkedError",
    "Form",
    "FormField",
    "GrcError",
    "HandOver",
    "Hear",
    "Hold",
    "Holder",
    "Host",
    "Impossible",
    "Intake",
    "KeyLost",
    "Keyring",
    "KeyringError",
    "Later",
    "Link",
    "ManualClock",
    "NewerVersion",
    "NoDefinition",
    "NotFound",
    "NotPermitted",
    "Note",
    "OutcomeUnknown",
    "Outgoing",
    "Party",
    "Phase",
    "Photo",
    "Place",
    "Planning",
    "Problem",
    "Question",
    "Read",
    "Refused",
    "Rejected",
    "Release",
    "Report",
    "Request",
    "Resend",
    "Sent",
    "Session",
    "SiteWork",
    "Spend",
    "Start",
    "StorageError",
    "StorageUnavailable",
    "StorageUnusable",
    "Store",
    "StoredFile",
    "Strike",
    "Take",
    "Tell",
    "Transport",
    "Unavailable",
    "Unsuitable",
    "Who",
    "Work",
    "__version__",
    "decide",
    "decide_intake",
    "open",
]


def decide_intake(
    definition: Definition,
    intake: Intake,
    *,
    actor: Who,
    now: datetime,
    organisation_version: int = 1,
    procedure_version: int = 1,
) -> Decision:
    """What handing a request in comes to, with no store: its events, to be folded by `Request.fold`.

    Args:
        intake: with a `code`, since nothing here is random.

    Raises:
        Refused, NotPermitted: with every reason.

    >>> intake = grc.Intake(type="water-leak", channel="phone", fields={"description": "x"}, code="UMB4-MMVE-P4AD")
    >>> decision = grc.decide_intake(TOWN, intake, actor="a-17", now=datetime(2026, 11, 24, tzinfo=timezone.utc))
    >>> [event["kind"] for event in decision.events], [slot.path for slot in decision.slots]
    (['submitted'], ['description', 'code'])
    """
    return _grc.decide_intake(
        definition,
        intake,
        actor=actor,
        now=now,
        organisation_version=organisation_version,
        procedure_version=procedure_version,
    )


def decide(
    definition: Definition,
    request: Request,
    command: Command,
    *,
    actor: Who,
    now: datetime,
    values: Mapping[int, FieldValue] | None = None,
    occurred_at: datetime | None = None,
    quiet: bool = False,
    organisation_version: int = 1,
    procedure_version: int = 1,
) -> Decision:
    """What a command comes to, with no store: its events, to be applied by `Request.apply`.

    Args:
        values: what is in the request's slots, as far as the caller has it: conditions and templates look at it.

    Raises:
        Refused, NotPermitted: with every reason.

    >>> now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    >>> intake = grc.Intake(type="water-leak", channel="phone", fields={"description": "x"}, code="UMB4-MMVE-P4AD")
    >>> request = grc.Request.fold(leak.id, grc.decide_intake(TOWN, intake, actor="a-17", now=now).events)
    >>> assign = grc.Fire("assign", to=grc.Assignee(team="plumbers"))
    >>> request.apply(*grc.decide(TOWN, request, assign, actor="a-03", now=now).events).state
    'assigned'
    """
    if values is not None and not isinstance(values, Mapping):
        raise TypeError(f"values: a mapping of slots to values is wanted, not {type(values).__qualname__}")
    return _grc.decide(
        definition,
        request,
        command,
        actor=actor,
        now=now,
        values={} if values is None else values,
        occurred_at=occurred_at,
        quiet=quiet,
        organisation_version=organisation_version,
        procedure_version=procedure_version,
    )
