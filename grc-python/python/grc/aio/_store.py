"""A store that is open, and the authorities in it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from grc import _grc
from grc._grc import ManualClock
from grc.aio._figures import _run
from grc.aio._host import Host
from grc.aio._session import Session
from grc.given import Agent, Citizen, Holder, Who
from grc.protocols import Clock, Keyring


# asyncio only
class Opening:
    """A store that is being opened: awaited, or entered."""

    def __init__(self, operation: _grc.Operation[_grc.Store]) -> None:
        self._operation = operation
        self._store: Store | None = None

    async def _open(self) -> Store:
        return Store(await _run(self._operation))

    def __await__(self) -> Generator[Any, None, Store]:
        return self._open().__await__()

    async def __aenter__(self) -> Store:
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            await self._store.close()


# for both


def open(
    url: str,
    *,
    keyring: str | Keyring | None = None,
    clock: Clock | ManualClock | None = None,
    seed: int | None = None,
    create: bool = True,
    test: bool = False,
    relaxed: bool = False,
    connections: int | None = None,
) -> Opening:
    """Opens a store: `await open(…)`, or `async with open(…) as store: …`.

    Args:
        url: `sqlite:///town.db` (relative), `sqlite:////srv/town.db` (absolute), `mysql://user:password@host/database`,
            `memory:` (gone with the process, and slow beyond some hundreds of requests: for tests). A file is not to be opened
            with Python's `sqlite3` in the same process: two copies of SQLite do not see each other's locks.
        keyring: where the keys are; of a file they are in another file beside it unless this says otherwise, of a server it must
            be said. The address of another database, or an object of your own (`grc.Keyring`).
        clock: instead of the system's.
        seed: a seeded source of randomness, for a store that is made with `test`.
        create: whether it is made if it is not there.
        test: whether it is made as a test store, which accepts a seed.
        relaxed: whether commits are acknowledged before they are safe from a power failure.
        connections: how many to a server at once.

    Raises:
        StorageError: it cannot be opened.
        KeyringError: the keyring is not the one of this store, or older.

    >>> async with open("memory:") as store:
    ...     store.closed
    False
    """
    operation = _grc.open(
        url,
        keyring=keyring,
        clock=clock,
        seed=seed,
        create=create,
        test=test,
        relaxed=relaxed,
        connections=connections,
    )
    return Opening(operation)


class Store:
    """A store that is open. Any number of threads and tasks may use it at once."""

    def __init__(self, inner: _grc.Store) -> None:
        self._inner = inner

    def authority(self, name: str) -> Authority:
        """An authority by its name: a word such as `rennes`. Nothing is read yet.

        Raises:
            Unsuitable: this is no name.

        >>> store.authority("rennes").name
        'rennes'
        """
        return Authority(self._inner.authority(name))

    def now(self) -> datetime:
        """Now, by the clock of the store.

        >>> store.now().tzinfo
        datetime.timezone.utc
        """
        return self._inner.now()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._inner.closed

    async def close(self) -> None:
        """Closes it. Again does nothing.

        >>> await store.close()
        >>> store.closed
        True
        """
        await _run(self._inner.close())

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return "<grc.Store, closed>" if self.closed else "<grc.Store>"


class Authority:
    """A town, or another authority, in a store."""

    def __init__(self, inner: _grc.Authority) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """Its name."""
        return self._inner.name

    def session(self, who: Who, *, roles: Sequence[str] = ()) -> Session:
        """Somebody with this authority: the id of an agent, `Agent`, `Citizen` or `Holder`. The host authenticates, the
        library authorises, at each call.

        >>> [form.type for form in await town.session("a-17").forms()]
        ['water-leak']
        >>> [form.type for form in await town.session(grc.Citizen()).forms()]
        []
        """
        if not isinstance(who, (str, Agent, Citizen, Holder)):
            raise TypeError(
                "who: the id of an agent, a grc.Agent, a grc.Citizen or a grc.Holder is wanted, "
                f"not {type(who).__qualname__}"
            )
        if roles:
            if not isinstance(who, str):
                raise TypeError("roles: put them into the actor")
            who = Agent(who, roles=roles)
        return Session(self._inner.session(who))

    def host(self, errand: str) -> Host:
        """The program itself, on an errand that the history names.

        >>> (await town.host("nightly").work()).anonymised
        0
        """
        return Host(self._inner.host(errand))

    def __repr__(self) -> str:
        return f"<grc.Authority {self.name}>"
