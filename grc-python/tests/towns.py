"""Towns to test with: the definitions of the Rust crate's own tests, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import grc
from grc import aio

DEFINITIONS = Path(__file__).parents[2] / "grc-core" / "tests" / "definitions"

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
"""A Monday morning."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SOMEWHERE = grc.Place(address=("12 rue des Lilas", "35000", "Rennes"))
ANNE = grc.Party(given="Anne", family="Le Gall", email="anne@example.org")
HOLE: Mapping[str, grc.FieldValue] = {"danger": True, "description": "un trou devant le 12"}

# Agents of `voirie`.
RECEPTION = "a-09"
"""At the counter, and an administrator."""
MANAGER = "a-03"
"""Responsible for the service `voirie`."""
WORKER = "a-06"
"""In the teams `chaussee` and `eclairage`."""


def definition(name: str = "voirie") -> grc.Definition:
    """One of the definitions: a folder or a file."""
    path = DEFINITIONS / name
    if path.is_dir():
        return grc.Definition.from_dir(path)
    return grc.Definition.from_files({path.name: path.read_text(encoding="utf-8")})


@dataclass
class Town:
    """A town for who waits."""

    store: grc.Store
    clock: grc.ManualClock

    @property
    def authority(self) -> grc.Authority:
        """The authority itself."""
        return self.store.authority("rennes")

    @property
    def host(self) -> grc.Host:
        """The program."""
        return self.authority.host("tests")

    def session(self, who: grc.Who = RECEPTION) -> grc.Session:
        """Somebody."""
        return self.authority.session(who)

    def hole(self, **parts: Any) -> grc.results.Submitted:
        """A pothole that was reported by telephone."""
        parts = {"channel": "telephone", "fields": HOLE, "place": SOMEWHERE, **parts}
        return self.session().submit("nid-de-poule", **parts)

    def later(self, by: timedelta) -> datetime:
        """Moves the clock on."""
        now = self.clock.now() + by
        self.clock.set(now)
        return now


@dataclass
class AsyncTown:
    """The same town for asyncio."""

    store: aio.Store
    clock: grc.ManualClock

    @property
    def authority(self) -> aio.Authority:
        """The authority itself."""
        return self.store.authority("rennes")

    @property
    def host(self) -> aio.Host:
        """The program."""
        return self.authority.host("tests")

    def session(self, who: grc.Who = RECEPTION) -> aio.Session:
        """Somebody."""
        return self.authority.session(who)

    async def hole(self, **parts: Any) -> grc.results.Submitted:
        """A pothole that was reported by telephone."""
        parts = {"channel": "telephone", "fields": HOLE, "place": SOMEWHERE, **parts}
        return await self.session().submit("nid-de-poule", **parts)


@dataclass
class Post:
    """A transport that answers what it was told to, then that it is sent, and remembers."""

    answers: list[Any] = field(default_factory=list)
    channels: Sequence[str] | None = None
    got: list[grc.Outgoing] = field(default_factory=list)

    def carries(self, channel: str) -> bool:
        """All, if nothing else is said."""
        return self.channels is None or channel in self.channels

    def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        """Remembers it. An exception among the answers is raised."""
        self.got.append(message)
        answer = self.answers.pop(0) if self.answers else grc.Sent()
        if isinstance(answer, BaseException):
            raise answer
        # Wrong answers are tried too.
        return answer
