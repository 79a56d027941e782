"""Why something failed: one tree of exceptions under `GrcError`.

>>> import grc
>>> with grc.open("memory:") as store:
...     store.authority("rennes").session("a-17").submit("leak", channel="phone")
Traceback (most recent call last):
    ...
grc.errors.NoDefinition: authority `rennes` has no definition: publish one first

No message repeats what a person typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

__all__ = [
    "Busy",
    "ClosedError",
    "Conflict",
    "Corrupt",
    "DefinitionError",
    "Finding",
    "ForkedError",
    "GrcError",
    "KeyLost",
    "KeyringError",
    "NewerVersion",
    "NoDefinition",
    "NotFound",
    "NotPermitted",
    "OutcomeUnknown",
    "Problem",
    "Refused",
    "StorageError",
    "StorageUnavailable",
    "StorageUnusable",
    "Unsuitable",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason of a refusal: what, where, and what to do."""

    code: str
    """A stable code, such as `field.required`."""
    path: str
    """Where, such as `fields.description` or `requester.phone`."""
    message: str
    """What is wrong."""
    hint: str | None = None
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that cannot work in a definition."""

    code: str
    """A stable code."""
    file: str | None
    """The file, if the definition was read from files."""
    path: str
    """Where in it, such as `procedure.leak.state.done`."""
    line: int | None
    """The line, if it is known."""
    message: str
    """What is wrong."""
    hint: str | None = None
    """What to do about it."""


def _again(kind: type[GrcError], args: tuple[Any, ...], attributes: dict[str, Any]) -> GrcError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class GrcError(Exception):
    """The library could not do it. All of its exceptions are of this class."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        """What happened, and what to do."""

    # Pickled and copied with its attributes, which an exception's own way would not give back to `__init__`: processes of
    # a pool and task queues hand exceptions on.
    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self.__dict__)


class _WithProblems(GrcError):
    def __init__(self, message: str, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems: tuple[Problem, ...] = tuple(problems)
        """All reasons."""

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all reasons."""
        return frozenset(problem.code for problem in self.problems)


class Refused(_WithProblems):
    """The command is not acceptable, for these reasons; nothing was written."""


class NotPermitted(_WithProblems):
    """The actor may not do this; nothing was written."""


class NotFound(GrcError, LookupError):
    """There is no such request, or the actor may not know of it."""


class Conflict(GrcError):
    """Somebody else changed it first; nothing was written. Open it again, and decide again."""

    def __init__(self, message: str, *, seen: int, version: int, changed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.seen = seen
        """The version that was seen."""
        self.version = version
        """The version that is there now."""
        self.changed: tuple[str, ...] = tuple(changed)
        """What was changed since that the command touches, as far as the actor may see it."""


class DefinitionError(GrcError):
    """The definition cannot work: everything that is wrong with it at once."""

    def __init__(self, message: str, *, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings: tuple[Finding, ...] = tuple(findings)
        """All that is wrong."""


class NoDefinition(GrcError):
    """Nothing is published for this authority yet."""

    def __init__(self, message: str, *, authority: str) -> None:
        super().__init__(message)
        self.authority = authority
        """The authority."""


class StorageError(GrcError):
    """The store failed."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "other",
        retry: str = "never",
        conflict_on: str | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        """What kind of failure: `conflict`, `unsupported`, `limit`, `unavailable`, `outcome-unknown`, `corrupt`,
        `unusable`, `other`."""
        self.retry = retry
        """What may be done: `never`, `after-reload` (read again and decide again), `same` (the same call again)."""
        self.conflict_on = conflict_on
        """What was disagreed on, if it is a conflict."""
        self.cause = cause
        """What the driver said."""


class StorageUnavailable(StorageError):
    """The store cannot be used just now (locked, full, not reachable); nothing was written. The same may be tried again."""


class OutcomeUnknown(StorageError):
    """It may or may not have been written. Give the same call again, with a `key`, to find out."""


class StorageUnusable(StorageError):
    """The store cannot be opened or written as it is: wrong file, wrong version, no rights."""


class KeyringError(GrcError):
    """The keyring failed, or is not the one of this store."""

    def __init__(self, message: str, *, unavailable: bool = False, cause: str | None = None) -> None:
        super().__init__(message)
        self.unavailable = unavailable
        """Whether trying again later may help."""
        self.cause = cause
        """What it said."""


class KeyLost(KeyringError):
    """A key that a living request needs is not in the keyring, and was not destroyed."""

    def __init__(self, message: str, *, request: UUID) -> None:
        super().__init__(message)
        self.request = request
        """The request."""


class Corrupt(GrcError):
    """What is stored is not what was written."""


class NewerVersion(GrcError):
    """It was written by a newer version of the library: upgrade it."""


class Busy(GrcError):
    """Others kept changing the same thing; nothing was written. Try again."""


class Unsuitable(GrcError, ValueError):
    """What was given cannot be used: it is not what the call takes, and so was never asked of the engine."""

    code = "unsuitable"
    """As of a `Problem`."""

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        """What it is about, such as `fields.size`; `None` where that is no part."""


class ClosedError(GrcError):
    """The store was closed."""


class ForkedError(GrcError):
    """The process was forked after the store was opened: open it in the process that uses it."""
