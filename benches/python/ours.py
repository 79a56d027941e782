"""The library through its Python bindings, in a file with its keys beside it: `python ours.py FILE DEFINITION`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import driver
import grc
from given import AGENT, DESK, HEAD, given


class Caller:
    """The sessions of one thread."""

    def __init__(self, authority: grc.Authority, versions: dict[UUID, int]) -> None:
        self._versions = versions
        self._desk = authority.session(DESK, roles=["reprise"])
        self._head = authority.session(HEAD, roles=["reprise"])

    def receive(self, n: int) -> UUID:
        said = given(n)
        submitted = self._desk.submit(
            "fuite-eau",
            channel=said.channel,
            fields={"description": said.description, "gravite": said.severity},
            requester=grc.Party(given=said.given, family=said.family, phone=said.phone, answer_by="sms"),
            place=grc.Place(address=(said.street, said.postcode, said.town)),
            key=said.key,
        )
        self._versions[submitted.id] = submitted.version
        return submitted.id

    def assign(self, id: UUID) -> None:
        acted = self._head.act_on(id, grc.Fire("confier", to=grc.Assignee(agent=AGENT)), key=f"confier-{id}")
        self._versions[id] = acted.version


class Town:
    """A store of the definition."""

    def __init__(self, file: str, definition: str) -> None:
        self._versions: dict[UUID, int] = {}
        self._authority = grc.open(f"sqlite:///{file}").authority("town")
        self._authority.host("bench").publish(definition)

    @contextmanager
    def caller(self) -> Iterator[Caller]:
        yield Caller(self._authority, self._versions)

    def check(self) -> dict[str, int]:
        counted = self._authority.host("bench").measure("opened")
        (requests,) = counted.rows[0].cells
        # A version is how many events there are.
        return {"requests": int(requests or 0), "events": sum(self._versions.values())}


if __name__ == "__main__":
    driver.main(Town(sys.argv[1], sys.argv[2]))
