"""What the host may write in Python: clocks and keyrings. Transports are in `grc.transports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, runtime_checkable
from uuid import UUID

__all__ = ["Clock", "KeyState", "Keyring", "Unavailable"]


@runtime_checkable
class Clock(Protocol):
    """Tells the time. What it raises is raised by the call that asked, and nothing is written."""

    def now(self) -> datetime:
        """Now: an aware datetime."""
        ...


KeyState: TypeAlias = bytes | Mapping[int, bytes] | Literal[False] | None
"""What a keyring holds under an id: the key, the keys of the slots that outlived an erasure, `False` if it was destroyed,
`None` if it was never there."""


class Unavailable(Exception):
    """For a keyring to raise: the same may be asked again later."""


@runtime_checkable
class Keyring(Protocol):
    """Keeps the data keys, outside the store. Each call is durable when it returns, all or nothing, and may be repeated; a
    destroyed key never comes back, and an id that was never there can be destroyed. Any thread calls it.

    The contract is that of the Rust trait (`K-1` to `K-6`).
    """

    erasure: str
    """What destroying a key means here, in a sentence that a certificate can quote."""

    def epoch(self) -> tuple[UUID, int]:
        """Its own id, made with it, and its epoch, which grows with each call that changed something."""
        ...

    def issue(self, keys: Sequence[tuple[UUID, bytes]]) -> int:
        """Takes new keys of 32 bytes. Answers the epoch after it."""
        ...

    def open(self, ids: Sequence[UUID]) -> Sequence[KeyState]:
        """What is held under each id, in the order asked."""
        ...

    def keep(self, id: UUID, slots: Mapping[int, bytes]) -> int:
        """Replaces a key by the keys of some of its slots; of a key that was replaced before, only slots that are in both
        stay. Answers the epoch after it."""
        ...

    def destroy(self, ids: Sequence[UUID]) -> int:
        """Destroys keys. Answers the epoch after it."""
        ...
