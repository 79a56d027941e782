"""Which requests or interventions, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grc.figures import FactValue

__all__ = ["Filter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which ones, in which order, how many a page.

    >>> Filter(facts={"phase": "in-progress", "agent": None}, overdue=True).limit
    50
    """

    facts: Mapping[str, FactValue] = field(default_factory=dict)
    """What facts must be: `type`, `state`, `phase`, `service`, `team`, `agent`, `channel`, `zone`…; `None` for absent."""
    where: Mapping[str, Any] | None = None
    """A condition over facts and indexed fields (JsonLogic): `{"==": [{"var": "form.depth"}, 3]}`. It may compare with a
    `datetime`, a `date` or a `Decimal`: `{"<": [{"var": "target"}, now]}`."""
    mine: bool = False
    """Only the open ones that the actor holds."""
    my_teams: bool = False
    """Only the open ones that the actor's teams hold."""
    unassigned: bool = False
    """Only the open ones that no agent holds."""
    overdue: bool = False
    """Only the open ones whose closure was promised for earlier than now."""
    oldest_first: bool = False
    after: bytes | None = None
    """The `next` of the page before."""
    limit: int = 50
    """At most so many a page (1 to 1000)."""
