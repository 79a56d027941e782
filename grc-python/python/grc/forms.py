"""Forms: what can be handed in, and what of it is asked.

>>> import grc
>>> with grc.open("memory:") as store:
...     town = store.authority("rennes")
...     published = town.host("set-up").publish(TOWN)
...     [form.type for form in town.session("a-17").forms()]
['water-leak']
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from grc._result import Label, Result

__all__ = ["FieldKind", "Form", "FormField"]


class FieldKind(str, Enum):
    """What a field holds."""

    TEXT = "text"
    """A line of text."""
    LONG_TEXT = "long-text"
    INTEGER = "integer"
    AMOUNT = "amount"
    """An amount of money: a `Decimal`."""
    BOOLEAN = "boolean"
    DATE = "date"
    CHOICE = "choice"
    """One of its options."""
    CHOICES = "choices"
    EMAIL = "email"
    PHONE = "phone"
    FILE = "file"

    def __str__(self) -> str:
        return str(self.value)


# Its parts by position are those that the compiled module makes.
@dataclass(frozen=True, slots=True)
class FormField(Result):
    """A field of a form, as an actor may fill or read it."""

    id: str
    """How intakes, corrections and refusals (`fields.` and the id) name it."""
    label: Label
    kind: FieldKind
    """What it holds."""
    required: bool
    """Whether it must be filled when the request is handed in."""
    writable: bool
    """Whether the actor may fill it: at intake, or by a correction of the request that was opened, or by attaching."""
    personal: str
    """What it says of persons: `no`, `yes`, `free-text`."""
    options: tuple[tuple[str, Label], ...]
    """The options of a choice, with their names."""
    min: int | Decimal | None
    """The least number or amount, or the fewest characters."""
    max: int | Decimal | None
    """The greatest number or amount, the most characters, or the most bytes of a file."""
    accept: tuple[str, ...]
    """The media types of a file; empty: all."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FieldKind(self.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Result):
    """The form of a request type that an actor may hand in: all that a page needs to ask for it."""

    type: str
    label: Label
    family: tuple[str, Label] | None
    """The id and the name of its family."""
    channels: tuple[tuple[str, Label], ...]
    """The channels by which it may come in."""
    answers: tuple[tuple[str, Label], ...]
    """The channels by which its requester may be answered."""
    requester: bool
    """Whether a requester must be given."""
    place: str
    """What its place is: `none`, `public`, `private`."""
    zones: tuple[tuple[str, Label], ...]
    """The zones that a place may be in; none where it has no place."""
    fields: tuple[FormField, ...]
    """The fields that the actor may fill, in the order of the definition."""

    def field(self, id: str) -> FormField | None:
        """A field by its id."""
        return next((field for field in self.fields if field.id == id), None)
