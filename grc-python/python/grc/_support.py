"""How parts that are given by name become one object."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from grc import _checks
from grc.figures import Question
from grc.given import Intake
from grc.lists import Filter

T = TypeVar("T")

_FILTER = frozenset(part.name for part in fields(Filter))
_QUESTION = frozenset(part.name for part in fields(Question))
_INTAKE = frozenset(part.name for part in fields(Intake)) - {"type"}


def intake_of(given: Intake | str, parts: dict[str, Any]) -> Intake:
    """An intake, of its type and parts."""
    if isinstance(given, Intake):
        if parts:
            raise TypeError(f"{', '.join(parts)}: put them into the intake")
        return given
    requester = parts.pop("requester", None)
    if requester is not None:
        parts["parties"] = (requester, *parts.get("parties", ()))
    unknown = parts.keys() - _INTAKE
    if unknown:
        raise TypeError(
            f"submit() has no part {', '.join(sorted(map(repr, unknown)))}: answers to the form go into `fields`"
        )
    if "channel" not in parts:
        raise TypeError("submit() wants `channel`: by which channel it came in")
    return Intake(type=given, **parts)


def filter_of(given: Filter | None, parts: dict[str, Any]) -> Filter:
    """A filter, with its parts; any other name is a fact."""
    given = Filter() if given is None else _checks.of(Filter, "filter", given)
    if not parts:
        return given
    own, facts = _apart(parts, _FILTER)
    return replace(given, **own, facts={**_of_mapping(given.facts), **facts})


def _apart(parts: dict[str, Any], names: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parts that have these names, and facts: those in `facts`, and all others."""
    own = {name: part for name, part in parts.items() if name in names and name != "facts"}
    others = {name: part for name, part in parts.items() if name not in names}
    return own, {**_of_mapping(parts.get("facts", {})), **others}


def _of_mapping(facts: object) -> Mapping[str, Any]:
    if not isinstance(facts, Mapping):
        raise TypeError(f"facts: a mapping is wanted, not {type(facts).__qualname__}")
    return facts


async def coroutine(awaitable: Awaitable[T]) -> T:
    """What can be awaited, as a coroutine."""
    return await awaitable


def question_of(given: Question | Sequence[str] | str, parts: dict[str, Any]) -> Question:
    """A question, with its parts; any other name is a fact."""
    if isinstance(given, Question):
        if parts:
            raise TypeError(f"{', '.join(parts)}: put them into the question")
        return given
    if not isinstance(given, Iterable):
        raise TypeError(f"figures: names of figures or a grc.Question are wanted, not {type(given).__qualname__}")
    own, facts = _apart(parts, _QUESTION)
    return Question(given, facts=facts, **own)
