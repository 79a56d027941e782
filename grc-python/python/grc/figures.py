"""What is counted, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

__all__ = ["FactValue", "Question"]

FactValue: TypeAlias = str | int | datetime | None | Sequence[str | int | datetime]
"""What a fact must be: a value, one of several, or `None` for absent."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures, by what, and of which time.

    >>> Question(["opened", "closure-median"], by=["month", "service"], facts={"family": "roads"}).by
    ['month', 'service']
    """

    figures: Sequence[str] = ()
    """A column each: `opened`, `closed`, `open`, `reopened`, `total`, `minutes`, `cents`, `messages-in`, `closure-median`…"""
    by: Sequence[str] = field(default=(), kw_only=True)
    """At most three of: `month`, `week`, `day`, `weekday`, `hour`, `type`, `family`, `service`, `team`, `channel`…"""
    between: tuple[datetime, datetime] | None = field(default=None, kw_only=True)
    """Only what is dated from one moment until before another."""
    at: datetime | None = field(default=None, kw_only=True)
    """The moment of which what is open is counted."""
    by_closing: bool = field(default=False, kw_only=True)
    """Dates delays and promises by the closure instead of the opening."""
    facts: Mapping[str, FactValue] = field(default_factory=dict, kw_only=True)
    """Only requests of which facts are so."""
    where: Mapping[str, Any] | None = field(default=None, kw_only=True)
    """Only requests that meet a condition (JsonLogic over facts); it may compare with a `datetime`."""
