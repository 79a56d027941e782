"""A store that is open, and the authorities in it."""

# Made by tools/twins.py from the module of the same name in grc/aio: change that one, not this one.

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType

from grc import _grc
from grc._grc import ManualClock
from grc._sync._figures import _run
from grc._sync._host import Host
from grc._sync._session import Session
from grc.given import Agent, Citizen, Holder, Who
from grc.protocols import Clock, Keyring


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
) -> Store:
    """Opens a store: `open(…)`, or `with open(…) as store: …`.

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

    >>> with open("memory:") as store:
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
    return Store(_run(operation))


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

    def close(self) -> None:
        """Closes it. Again does nothing.

        >>> store.close()
        >>> store.closed
        True
        """
        _run(self._inner.close())

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

        >>> [form.type for form in town.session("a-17").forms()]
        ['water-leak']
        >>> [form.type for form in town.session(grc.Citizen()).forms()]
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

        >>> (town.host("nightly").work()).anonymised
        0
        """
        return Host(self._inner.host(errand))

    def __repr__(self) -> str:
        return f"<grc.Authority {self.name}>"
