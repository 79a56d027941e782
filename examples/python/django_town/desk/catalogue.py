"""The published definition as pages need it: the names of everything. What forms ask is told by grc."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grc

from desk.store import host

PHASES = {"received": "Reçue", "in-progress": "En cours", "waiting": "En attente", "closed": "Close"}


@dataclass(frozen=True)
class Named:
    """Something with an id and a name."""

    id: str
    label: str


def text(label: str | Mapping[str, str]) -> str:
    """A label in French: labels are a text, or one by language."""
    if isinstance(label, str):
        return label
    return label.get("fr") or next(iter(label.values()), "")


def named(all: Iterable[tuple[str, str | Mapping[str, str]]]) -> list[tuple[str, str]]:
    """Ids with their names in French, as a choice takes them."""
    return [(id, text(label)) for id, label in all]


class Catalogue:
    """What is published now.

    A request keeps the version of its type that was published when it came in. Only the newest can be asked for, so what an
    older version called something else, or had and this one has not, goes by its id.
    """

    def __init__(self, definition: grc.Definition) -> None:
        tree = definition.to_dict()
        self._organisation: dict[str, Any] = tree["organisation"]
        self._procedures: dict[str, dict[str, Any]] = tree["procedure"]
        self._workflows: dict[str, dict[str, Any]] = tree.get("workflow", {})

    @classmethod
    def published(cls) -> Catalogue:
        """The published one. It is read for each page, so that a new one shows at once: some milliseconds."""
        return cls(host("pages").definition())

    @property
    def town(self) -> str:
        return text(self._organisation["label"])

    def all(self, what: str) -> tuple[Named, ...]:
        """All of a kind: `service`, `team`, `channel`, `outcome`…"""
        return tuple(Named(one["id"], text(one.get("label", one["id"]))) for one in self._organisation.get(what, ()))

    def types(self) -> tuple[Named, ...]:
        """All request types."""
        return tuple(Named(id, text(procedure["label"])) for id, procedure in self._procedures.items())

    def name(self, what: str, id: str | None) -> str:
        """The name of something; its id if it has none (any more)."""
        return next((one.label for one in self.all(what) if one.id == id), id or "")

    def type_name(self, type: str) -> str:
        return text(self._procedures[type]["label"]) if type in self._procedures else type

    def state_name(self, type: str, state: str) -> str:
        """The name of a state, which is the procedure's own or its workflow's."""
        procedure = self._procedures.get(type, {})
        workflow = self._workflows.get(procedure.get("workflow", ""), procedure)
        return next((text(one["label"]) for one in workflow.get("state", ()) if one["id"] == state), state)

    def answering(self, contact: str | None = None) -> tuple[Named, ...]:
        """The channels by which answers can go out, or those that need this contact: `email`, `mobile`, `address`."""
        return tuple(
            Named(one["id"], text(one["label"]))
            for one in self._organisation.get("channel", ())
            if (one.get("answer") == contact if contact else "answer" in one)
        )

    def acceptabilities(self) -> tuple[Named, ...]:
        """What can be said of whether a request can be dealt with: with each reason, where reasons are listed."""
        out: list[Named] = []
        for one in self._organisation.get("acceptability", ()):
            label = text(one["label"])
            out.append(Named(one["id"], label))
            for reason in one.get("reasons", ()):
                out.append(Named(f"{one['id']}:{reason['id']}", f"{label} : {text(reason['label'])}"))
        return tuple(out)

    def teams(self) -> Sequence[dict[str, Any]]:
        teams: list[dict[str, Any]] = self._organisation.get("team", [])
        return teams

    def agents_of(self, team: str) -> list[str]:
        """The ids of a team's agents."""
        return [one["id"] for one in self._organisation.get("agent", ()) if team in one.get("teams", ())]
