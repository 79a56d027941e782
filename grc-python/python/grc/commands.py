"""What may be asked of a request.

>>> import grc
>>> grc.Tell("Votre demande est prise en charge.")
Tell(text='Votre demande est prise en charge.', channel=None)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from grc._checks import several
from grc._grc import StoredFile
from grc.given import Assignee, FieldValue
from grc.transports import Report

__all__ = [
    "Assess",
    "Assign",
    "Attach",
    "Command",
    "Conclude",
    "Confirm",
    "Correct",
    "Delivered",
    "Erase",
    "Fire",
    "HandOver",
    "Hear",
    "Hold",
    "Link",
    "Note",
    "Release",
    "Resend",
    "Take",
    "Tell",
    "Work",
]


@dataclass(frozen=True, slots=True)
class Fire:
    """Fires a transition, with what goes with it."""

    transition: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict, kw_only=True)
    """Fields that are filled on the way."""
    to: Assignee | None = field(default=None, kw_only=True)
    """Who is to hold it."""
    outcome: str | None = field(default=None, kw_only=True)
    """What came of it."""
    message: str | None = field(default=None, kw_only=True)
    """What the requester is told, by the channel that they chose."""
    note: str | None = field(default=None, kw_only=True)
    """An internal note."""


@dataclass(frozen=True, slots=True)
class Assign:
    """Says who holds it."""

    to: Assignee
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """Takes it for oneself, when nobody holds it."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hands over what one holds, with the reason."""

    to: Assignee
    reason: str


@dataclass(frozen=True, slots=True)
class Correct:
    """Changes fields; `None` clears one."""

    fields: Mapping[str, FieldValue | None]


@dataclass(frozen=True, slots=True)
class Assess:
    """Says whether the service can act on it."""

    acceptability: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Conclude:
    """Says what came of it, or corrects what was said, without moving it."""

    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """Says, as the requester, whether what came of it is what was needed."""

    satisfied: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """Writes to the requester, by the channel that they chose or by this one."""

    text: str
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Resend:
    """Sends a message that was given up once more."""

    message: int
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Hear:
    """Takes in a message from the requester."""

    text: str
    channel: str


@dataclass(frozen=True, slots=True)
class Note:
    """Leaves an internal note, which the citizen never sees."""

    text: str


@dataclass(frozen=True, slots=True)
class Attach:
    """Attaches a file that `store_file` stored."""

    file: StoredFile


@dataclass(frozen=True, slots=True)
class Work:
    """Counts time spent and money paid."""

    minutes: int
    amount: Decimal = Decimal(0)
    supplier: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Links it to another request: `parent`, `duplicate-of`…"""

    kind: str
    target: UUID | str


@dataclass(frozen=True, slots=True)
class Hold:
    """Sets a legal hold: nothing is erased while one is set."""

    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """Ends a hold."""

    hold: int


@dataclass(frozen=True, slots=True)
class Erase:
    """Erases the values of fields, or of details of persons or of the place, before their time."""

    paths: Sequence[str]
    reason: str
    """A word, such as `right-to-erasure`."""

    def __post_init__(self) -> None:
        several("paths", self.paths)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Says what became of a message; for the host only, which mostly uses `Host.report`."""

    message: int
    round: int
    report: Report


Command: TypeAlias = (
    Fire
    | Assign
    | Take
    | HandOver
    | Correct
    | Assess
    | Conclude
    | Confirm
    | Tell
    | Resend
    | Hear
    | Note
    | Attach
    | Work
    | Link
    | Hold
    | Release
    | Erase
    | Delivered
)
"""Any of the commands."""
