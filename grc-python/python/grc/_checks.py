"""What is checked before the compiled part sees it: mistakes that would otherwise pass for something else."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def of(kind: type[T], name: str, given: object) -> T:
    """What must be of a class of the package. The value itself is not said."""
    if not isinstance(given, kind):
        raise TypeError(f"{name}: a {kind.__module__}.{kind.__qualname__} is wanted, not {type(given).__qualname__}")
    return given


def several(name: str, given: object) -> None:
    """Refuses a text where several are wanted: it would be taken letter by letter."""
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{name}: several are wanted, such as a list, not one {type(given).__qualname__}")
