"""What may be asked of an intervention: work that is planned and done on site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from grc._checks import several
from grc._grc import StoredFile

__all__ = [
    "Acknowledge",
    "Buy",
    "Cancel",
    "Done",
    "EraseOnSite",
    "Impossible",
    "Photo",
    "Planning",
    "SiteWork",
    "Spend",
    "Start",
    "Strike",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What is planned: for which requests, when, by whom, and what it is thought to take. Given again it plans anew."""

    serves: Sequence[UUID] | Mapping[UUID, int]
    """The requests; in a mapping, each with the weight with which it bears the costs."""
    begins: datetime
    ends: datetime
    service: str | None = None
    team: str | None = None
    supplier: str | None = None
    agents: Sequence[str] = ()
    minutes: int | None = None
    """What it is thought to take."""
    amount: Decimal | None = None
    """What it is thought to cost, VAT included."""
    quote: str | None = None
    """The number of the supplier's quote."""
    instructions: Mapping[UUID, str] = field(default_factory=dict)
    """What who does it must know about a request; kept with it."""
    occurred_at: datetime | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        several("serves", self.serves)
        several("agents", self.agents)


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Says that one has seen it."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begins."""


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""

    report: Mapping[UUID, str] = field(default_factory=dict)
    """What was done, by request; kept with each."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """It could not be done."""

    reason: str | None = None
    """From the organisation's list."""
    report: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cancel:
    """It will not take place."""

    report: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spend:
    """Time spent."""

    minutes: int
    agent: str | None = None
    """By whom; else by who says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buy:
    """Something bought."""

    net: Decimal
    """Without VAT; negative for a credit note."""
    vat_rate: Decimal | None = None
    """In per cent: `Decimal("5.5")`."""
    vat: Decimal | None = None
    """As the invoice has it, where it is not what the rate gives."""
    supplier: str | None = None
    item: str | None = None
    quote: str | None = None
    invoice: str | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """Strikes out an entry that was wrong."""

    entry: int


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture, kept with a request."""

    file: StoredFile
    occasion: Literal["before", "after"]
    request: UUID | None = None
    """May be left out where only one is served."""


@dataclass(frozen=True, slots=True)
class EraseOnSite:
    """Erases values before their time, by their slots."""

    slots: Sequence[int]
    reason: str


SiteWork: TypeAlias = (
    Planning | Acknowledge | Start | Done | Impossible | Cancel | Spend | Buy | Strike | Photo | EraseOnSite
)
"""Anything that may be asked of an intervention."""
