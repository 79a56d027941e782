"""What is handed in: requests, persons, places, and who acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from grc._checks import several
from grc._grc import StoredFile

__all__ = ["Agent", "Assignee", "Citizen", "FieldValue", "Holder", "Intake", "Party", "Place", "Who"]

FieldValue: TypeAlias = str | int | bool | Decimal | date | Sequence[str]
"""What a field of a form may hold: a text or the id of an option, a whole number, yes or no, an amount (a `Decimal`, or a
text: an `int` could be euros or cents), a day, several options."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who works for the authority, by their opaque id. What they belong to is read from the organisation.

    >>> Agent("a-17", roles=["reception"])
    Agent(id='a-17', roles=('reception',))
    """

    id: str
    roles: Sequence[str] = ()
    """Roles that the host vouches for, besides those of the organisation."""

    def __post_init__(self) -> None:
        several("roles", self.roles)
        object.__setattr__(self, "roles", tuple(self.roles))


@dataclass(frozen=True, slots=True)
class Citizen:
    """A citizen who hands something in and is not known yet."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A citizen who holds the tracking code of a request: its requester, for the library."""

    code: str = field(repr=False)
    """A secret: it is not printed."""


Who: TypeAlias = str | Agent | Citizen | Holder
"""Who acts; a `str` is the id of an agent."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who is to hold a request: a service, or a team (and so its service), or an agent, or an agent within one of both."""

    service: str | None = None
    team: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person of a request.

    >>> Party(given="Anne", family="Le Gall", phone="06 39 98 12 34", answer_by="sms").role
    'requester'
    """

    role: str = "requester"
    """`requester`, `beneficiary`, `representative`, `follower`."""
    given: str | None = None
    """Given names."""
    family: str | None = None
    """The family name."""
    email: str | None = None
    phone: str | None = None
    address: tuple[str, str, str] | None = None
    """Street, postcode, town."""
    answer_by: str | None = None
    """The channel chosen for answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is: an address, a position, a zone of the organisation, or several of them."""

    address: tuple[str, str, str] | None = None
    """Street, postcode, town."""
    position: tuple[float, float] | tuple[Decimal, Decimal] | None = None
    """Latitude and longitude in degrees (WGS 84)."""
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A request as it is handed in. `Session.submit` takes the same parts by name."""

    type: str
    """The request type."""
    channel: str
    """The channel by which it came in."""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """The answers to the form. What was not answered is left out."""
    parties: Sequence[Party] = ()
    place: Place | None = None
    files: Sequence[StoredFile] = ()
    """Files that `store_file` stored."""
    service: str | None = None
    """The service concerned, instead of the type's own."""
    entity: str | None = None
    """The member of the authority concerned."""
    target: datetime | None = None
    """When its closure is promised, instead of what the type promises."""
    occurred_at: datetime | None = None
    """When it came in, if that was earlier than now."""
    source_key: str | None = None
    """Its key in the system it comes from."""
    code: str | None = field(default=None, repr=False)
    """The tracking code; the engine makes one."""
    quiet: bool = False
    """A replay of what is past: no message is queued and no timer started."""
    key: str | None = None
    """The same intake again under this key gives the first result. Keys are the actor's own, for 30 days."""
