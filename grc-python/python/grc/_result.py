"""What all answers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from grc.errors import Problem

Label: TypeAlias = str | Mapping[str, str]
"""A name: a text, or one by language."""


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
