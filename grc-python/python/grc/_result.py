"""What all answers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, NoReturn, TypeAlias, TypeVar

from grc.errors import Problem

Label: TypeAlias = str | Mapping[str, str]
"""A name: a text, or one by language."""


K = TypeVar("K")
V = TypeVar("V")


class Frozen(dict[K, V]):
    """A mapping that cannot be changed: part of an answer. It is written as JSON and compared as any `dict`."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this is part of an answer, which cannot be changed: make a dict of it first")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> Frozen[K, V]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Frozen, (dict(self),)


def fixed(value: Any) -> Any:
    """Plain data that cannot be changed."""
    if isinstance(value, dict):
        return Frozen({key: fixed(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(fixed(item) for item in value)
    return value


def _plain(value: object) -> Any:
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, Problem):
        return {"code": value.code, "path": value.path, "message": value.message, "hint": value.hint}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    return value


class Result:
    """What all answers have in common."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Its parts by name, and theirs: dicts and lists, with `datetime`, `Decimal` and `UUID` as they are."""
        return {
            part.name: _plain(getattr(self, part.name))
            for part in fields(self)  # type: ignore[arg-type]
            if not part.name.startswith("_")
        }
