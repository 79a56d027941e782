"""The published definition as pages need it: types, fields, options, and the names of everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Field:
    """A field of a form."""

    id: str
    label: str
    kind: str
    required: bool
    options: tuple[Named, ...]
    min: int | None
    max: int | None
    accept: tuple[str, ...]
    for_citizens: bool
    """Whether a citizen may fill it."""


def text(label: str | Mapping[str, str]) -> str:
    """A label in French: labels are a text, or one by language."""
    if isinstance(label, str):
        return label
    return label.get("fr") or next(iter(label.values()), "")


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

    def __contains__(self, type: str) -> bool:
        return type in self._procedures

    def all(self, what: str) -> tuple[Named, ...]:
        """All of a kind: `service`, `team`, `channel`, `outcome`…"""
        return tuple(Named(one["id"], text(one.get("label", one["id"]))) for one in self._organisation.get(what, ()))

    def types(self) -> tuple[Named, ...]:
        """All request types."""
        return tuple(Named(id, text(procedure["label"])) for id, procedure in self._procedures.items())

    def types_by_family(self, channel: str) -> Iterator[tuple[str, list[Named]]]:
        """What a citizen may ask by a channel, family by family, in the order in which the town names them."""
        families: dict[str, list[Named]] = {one.id: [] for one in self.all("family")}
        for id, procedure in self._procedures.items():
            if channel in procedure.get("channels", [channel]):
                families.setdefault(procedure.get("family", ""), []).append(Named(id, text(procedure["label"])))
        for family, types in families.items():
            if types:
                yield self.name("family", family) or "Autres demandes", sorted(types, key=lambda one: one.label)

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

    def has_place(self, type: str) -> bool:
        return bool(self._procedures[type].get("place", "none") != "none")

    def wants_requester(self, type: str) -> bool:
        return bool(self._procedures[type].get("requester"))

    def fields(self, type: str) -> tuple[Field, ...]:
        """The form of a type."""
        return tuple(_field(one) for one in self._procedures.get(type, {}).get("field", ()))

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


def _field(given: dict[str, Any]) -> Field:
    return Field(
        id=given["id"],
        label=text(given.get("label", given["id"])),
        kind=given["kind"],
        required=given["required"],
        options=tuple(Named(one["id"], text(one["label"])) for one in given.get("option", ())),
        min=given.get("min"),
        max=given.get("max"),
        accept=tuple(given.get("accept", ())),
        for_citizens="write" not in given or "@citizen" in given["write"],
    )
