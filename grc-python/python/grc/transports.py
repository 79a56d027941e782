"""How messages leave: what the host writes, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

__all__ = [
    "Arrived",
    "AsyncTransport",
    "Bounced",
    "Delivery",
    "Failed",
    "Later",
    "Outgoing",
    "Read",
    "Rejected",
    "Report",
    "Sent",
    "Transport",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way out. What is personal in it is not printed: a transport that writes logs may print it."""

    authority: str
    channel: str
    contact: Literal["email", "phone", "mobile", "address"]
    """What the channel needs to reach somebody."""
    to: str = field(repr=False)
    """The e-mail address, telephone number or postal address."""
    recipient: str | None = field(repr=False)
    """Who they are, where that is known."""
    sender: str
    """The authority's name."""
    subject: str | None = field(repr=False)
    text: str = field(repr=False)
    template: str | None
    automatic: bool
    """Whether no person wrote it."""
    key: str
    """The same for each attempt at the same message: a transport that remembers it sends once."""


@dataclass(frozen=True, slots=True)
class Sent:
    """It left."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; again later, or after so many seconds. The code says why: a word, not a text."""

    code: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never by this channel: it goes on by the next one, or is given up."""

    code: str


Delivery: TypeAlias = Sent | Later | Rejected
"""What a transport says of a message."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not leave after all. The code says why: a word."""

    code: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """It was delivered."""


@dataclass(frozen=True, slots=True)
class Bounced:
    """It came back. The code says why: a word."""

    code: str


@dataclass(frozen=True, slots=True)
class Read:
    """It was read."""


Report: TypeAlias = Sent | Failed | Arrived | Bounced | Read
"""What became of a message, as a provider reports it later."""


@runtime_checkable
class Transport(Protocol):
    """Takes messages out. Each is given at least once; one whose acknowledgement was lost is given again with the same
    key. An exception counts as `Later("raised")`, and is told to `sys.unraisablehook`.

    >>> class Printer:
    ...     def carries(self, channel: str) -> bool:
    ...         return channel == "letter"
    ...     def deliver(self, message: Outgoing) -> Delivery:
    ...         print(message.to, message.text)
    ...         return Sent()
    >>> isinstance(Printer(), Transport)
    True
    """

    def carries(self, channel: str) -> bool:
        """Whether it takes messages of a channel."""
        ...

    def deliver(self, message: Outgoing) -> Delivery:
        """Takes one out."""
        ...


@runtime_checkable
class AsyncTransport(Protocol):
    """The same for `grc.aio`, where `deliver` may be a coroutine."""

    def carries(self, channel: str) -> bool:
        """Whether it takes messages of a channel."""
        ...

    def deliver(self, message: Outgoing) -> Delivery | Awaitable[Delivery]:
        """Takes one out."""
        ...
