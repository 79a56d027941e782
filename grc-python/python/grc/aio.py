"""The library for asyncio: the same names as in `grc`, to be awaited.

>>> import asyncio
>>> from grc import aio
>>> async def main() -> str:
...     async with aio.open("memory:") as store:
...         return store.authority("rennes").name
>>> asyncio.run(main())
'rennes'

What is awaited runs on threads of its own, so the event loop never waits. A call that is cancelled is given up; whether it
was done is known by giving it again with the same `key`.
"""

# The twin of this module for callers that wait is made from it: see tools/twins.py.

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import IO, Any, Literal, TypeVar, overload
from uuid import UUID

from grc import _checks, _grc
from grc._grc import Definition, ManualClock, StoredFile
from grc._support import filter_of, intake_of, question_of
from grc.commands import Command, Fire
from grc.figures import FactValue, Question
from grc.forms import Form
from grc.given import Agent, Assignee, Citizen, FieldValue, Holder, Intake, Party, Place, Who
from grc.lists import Filter
from grc.protocols import Clock, Keyring
from grc.results import (
    Acted,
    Behind,
    Changes,
    DeadLetter,
    Figures,
    File,
    HistoryEntry,
    Intervened,
    InterventionSeen,
    InterventionSummary,
    Page,
    Published,
    ScrubReport,
    Seen,
    Submitted,
    Summary,
    Table,
    Verdict,
    WorkOrder,
    WorkReport,
)
from grc.site import Planning, SiteWork
from grc.transports import AsyncTransport, Report

__all__ = ["Authority", "Host", "Session", "Store", "open"]

T = TypeVar("T")


async def _run(operation: _grc.Operation[T]) -> T:
    return await operation


# asyncio only
class _Opening:
    """A store that is being opened: awaited, or entered."""

    def __init__(self, operation: _grc.Operation[_grc.Store]) -> None:
        self._operation = operation
        self._store: Store | None = None

    async def _open(self) -> Store:
        return Store(await _run(self._operation))

    def __await__(self) -> Any:
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
) -> _Opening:
    """Opens a store: `await open(…)`, or `async with open(…) as store: …`.

    Args:
        url: `sqlite:///town.db` (relative), `sqlite:////srv/town.db` (absolute), `mysql://user:password@host/database`,
            `memory:` (gone with the process, and slow beyond some hundreds of requests: for tests). A file is not to be opened
            with Python's `sqlite3` in the same process: two copies of SQLite do not see each other's locks.
        keyring: where the keys are; of a file they are in another file beside it unless this says otherwise. The address of
            another database, or an object of your own (`grc.Keyring`).
        clock: instead of the system's.
        seed: a seeded source of randomness, for a store that is made with `test`.
        create: whether it is made if it is not there.
        test: whether it is made as a test store, which accepts a seed.
        relaxed: whether commits are acknowledged before they are safe from a power failure.
        connections: how many to a server at once.

    Raises:
        StorageError: it cannot be opened.
        KeyringError: the keyring is not the one of this store, or older.
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
    return _Opening(operation)


class Store:
    """A store that is open. Any number of threads and tasks may use it at once."""

    def __init__(self, inner: _grc.Store) -> None:
        self._inner = inner

    def authority(self, name: str) -> Authority:
        """An authority by its name: a word such as `rennes`. Nothing is read yet.

        Raises:
            Unsuitable: this is no name.
        """
        return Authority(self._inner.authority(name))

    def now(self) -> datetime:
        """Now, by the clock of the store."""
        return self._inner.now()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._inner.closed

    async def close(self) -> None:
        """Closes it. Again does nothing."""
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
        library authorises, at each call."""
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
        """The program itself, on an errand that the history names."""
        return Host(self._inner.host(errand))

    def __repr__(self) -> str:
        return f"<grc.Authority {self.name}>"


class _Figures:
    """What sessions and hosts have in common."""

    _inner: _grc.Session | _grc.Host

    @overload
    async def measure(self, question: Question, /) -> Table: ...

    @overload
    async def measure(
        self,
        figures: Sequence[str] | str,
        /,
        *,
        by: Sequence[str] | str = (),
        between: tuple[datetime, datetime] | None = None,
        at: datetime | None = None,
        by_closing: bool = False,
        where: Mapping[str, Any] | None = None,
        **facts: FactValue,
    ) -> Table: ...

    async def measure(self, question: Question | Sequence[str] | str, /, **parts: Any) -> Table:
        """The answer to a question: a row for each combination of what it is counted by.

        `measure(["opened", "closure-median"], by=["month", "channel"], service="roads")`; the parts are those of
        `Question`, any other name is a fact.

        Raises:
            NotPermitted: the actor may not see figures, or not these.
            Refused: the question cannot be answered.
        """
        return await _run(self._inner.measure(question_of(question, parts)))

    async def measure_all(self, questions: Iterable[Question]) -> tuple[Table, ...]:
        """The answers to several questions: everything is read once.

        Raises:
            NotPermitted, Refused: as `measure`.
        """
        return await _run(self._inner.measure_all([question_of(question, {}) for question in questions]))

    async def figures(self, question: Question | None = None, /, **facts: FactValue) -> Figures:
        """The figures that one looks at first. Of a question only which requests and of which time counts.

        Raises:
            NotPermitted, Refused: as `measure`.
        """
        if question is None:
            question = Question(facts=facts)
        elif facts:
            raise TypeError(f"{', '.join(facts)}: put them into the question")
        return await _run(self._inner.figures(_checks.of(Question, "question", question)))

    async def behind(
        self,
        question: Question,
        figure: str,
        keys: Sequence[str | None] = (),
        *,
        after: UUID | str | None = None,
        limit: int = 1000,
    ) -> Behind:
        """The requests behind a cell: of a figure, in the row of these keys (`Row.ids`).

        Raises:
            NotPermitted, Refused: as `measure`.
        """
        question = _checks.of(Question, "question", question)
        return await _run(self._inner.behind(question, figure, list(keys), after, limit))


class Session(_Figures):
    """Somebody with an authority: the way to read and to write with rights."""

    _inner: _grc.Session

    def __init__(self, inner: _grc.Session) -> None:
        self._inner = inner

    async def forms(self) -> tuple[Form, ...]:
        """The forms of what the actor may hand in, under the newest definition, by type: all that a page needs to ask for it.

        Raises:
            Refused: the actor is not known.
            NoDefinition: nothing is published yet.
        """
        return await _run(self._inner.forms())

    @overload
    async def submit(self, intake: Intake, /) -> Submitted: ...

    @overload
    async def submit(
        self,
        type: str,
        /,
        *,
        channel: str,
        fields: Mapping[str, FieldValue] = ...,
        requester: Party | None = None,
        parties: Sequence[Party] = (),
        place: Place | None = None,
        files: Sequence[StoredFile] = (),
        service: str | None = None,
        entity: str | None = None,
        target: datetime | None = None,
        occurred_at: datetime | None = None,
        source_key: str | None = None,
        code: str | None = None,
        quiet: bool = False,
        key: str | None = None,
    ) -> Submitted: ...

    async def submit(self, intake: Intake | str, /, **parts: Any) -> Submitted:
        """Hands a request in.

        `submit("leak", channel="phone", fields={"description": "…"}, requester=Party(…), place=Place(…))`; the parts are
        those of `Intake`, and `requester` for the first of its parties.

        Raises:
            Refused: with every reason; nothing was written.
            NotPermitted: the actor may not hand in such a request.
            NoDefinition: nothing is published yet.
        """
        return await _run(self._inner.submit(intake_of(intake, parts)))

    async def open(self, id: UUID | str) -> Seen:
        """Opens a request, as far as the actor may see it. Readings of sensitive fields are noted.

        Raises:
            NotFound: there is none, or the actor may not know of it.
        """
        return await _run(self._inner.open(id))

    async def follow(self) -> Seen:
        """Opens the request whose tracking code the actor holds.

        Raises:
            NotFound: the code leads nowhere (any more), or the actor holds none.
        """
        return await _run(self._inner.follow())

    async def act(
        self,
        seen: Seen,
        command: Command,
        *,
        key: str | None = None,
        occurred_at: datetime | None = None,
        quiet: bool = False,
    ) -> Acted:
        """Gives a command to a request that was opened.

        Args:
            seen: the request as it was when the actor decided.
            command: one of `grc.commands`.
            key: the same command again under this key is done once. Keys are the actor's own, for 30 days.
            occurred_at: when it happened, if that was earlier than now.
            quiet: a replay of what is past: nobody is told, and no timer is started.

        Raises:
            Refused, NotPermitted, NotFound: nothing was written.
            Conflict: somebody changed what it touches since.
        """
        seen = _checks.of(Seen, "seen", seen)
        return await self.act_on(seen.id, command, seen=seen.version, key=key, occurred_at=occurred_at, quiet=quiet)

    async def act_on(
        self,
        id: UUID | str,
        command: Command,
        *,
        seen: int | None = None,
        key: str | None = None,
        occurred_at: datetime | None = None,
        quiet: bool = False,
    ) -> Acted:
        """Gives a command to a request by its id, whatever its version, or the version that was `seen` elsewhere.

        Raises:
            Refused, NotPermitted, NotFound, Conflict: as `act`.
        """
        return await _run(self._inner.act_on(id, seen, command, key=key, occurred_at=occurred_at, quiet=quiet))

    async def fire(
        self,
        seen: Seen,
        transition: str,
        *,
        fields: Mapping[str, FieldValue] | None = None,
        to: Assignee | None = None,
        outcome: str | None = None,
        message: str | None = None,
        note: str | None = None,
        key: str | None = None,
        occurred_at: datetime | None = None,
        quiet: bool = False,
    ) -> Acted:
        """Fires a transition.

        Raises:
            Refused, NotPermitted, NotFound, Conflict: as `act`.
        """
        fire = Fire(
            transition,
            fields={} if fields is None else fields,
            to=to,
            outcome=outcome,
            message=message,
            note=note,
        )
        return await self.act(seen, fire, key=key, occurred_at=occurred_at, quiet=quiet)

    async def history(self, id: UUID | str) -> tuple[HistoryEntry, ...]:
        """What happened to a request, as far as the actor may see it.

        Raises:
            NotFound: there is none, or the actor may not know of it.
        """
        return await _run(self._inner.history(id))

    async def list(self, filter: Filter | None = None, /, **parts: Any) -> Page[Summary]:
        """A page of the requests that the actor may see: `list(phase="in-progress", mine=True)`. The parts are those of
        `Filter`, any other name is a fact.

        Raises:
            Refused: a list cannot be made by this, or the page is none of this list.
        """
        return await _run(self._inner.list(filter_of(filter, parts)))

    async def requests(self, filter: Filter | None = None, /, **parts: Any) -> AsyncIterator[Summary]:
        """All requests of a list, read page by page as they are asked for.

        Raises:
            Refused: a list cannot be made by this.
        """
        filter = filter_of(filter, parts)
        while True:
            page = await _run(self._inner.list(filter))
            for request in page.items:
                yield request
            if page.next is None:
                return
            filter = filter_of(filter, {"after": page.next})

    async def by_contact(
        self, sector: str, kind: Literal["email", "phone", "mobile", "address"], contact: str
    ) -> tuple[UUID, ...]:
        """The requests in which somebody with this contact is named, within a sector, as far as the actor may see them: the
        newest first, at most 100.

        Raises:
            Refused: this is no such contact.
        """
        return await _run(self._inner.by_contact(sector, kind, contact))

    async def store_file(
        self, name: str, data: bytes | bytearray | memoryview | IO[bytes], *, field: str | None = None
    ) -> StoredFile:
        """Stores the bytes of a file, sealed, to be given to `submit` or to `Attach`. A file object is read piece by piece.
        What is never given to either is swept away later.

        Raises:
            Refused: a file in disguise, empty, or too large.
        """
        if isinstance(data, (bytearray, memoryview)):
            data = bytes(data)
        return await _run(self._inner.store_file(name, data, field))

    async def read_file(self, id: UUID | str, file: File) -> bytes:
        """Reads a file of a request.

        Raises:
            NotFound: there is no such request or file for the actor.
        """
        return await _run(self._inner.read_file(id, _checks.of(File, "file", file)._handle))

    async def agent_name(self, agent: str) -> str | None:
        """The name of an agent, if the actor may know it."""
        return await _run(self._inner.agent_name(agent))

    async def plan(self, planning: Planning) -> Intervened:
        """Plans an intervention.

        Raises:
            Refused, NotPermitted, NotFound: nothing was written.
        """
        return await _run(self._inner.plan(_checks.of(Planning, "planning", planning)))

    async def work_on(
        self,
        id: UUID | str,
        work: SiteWork,
        *,
        seen: int | None = None,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Intervened:
        """Works on an intervention: one of `grc.site`.

        Raises:
            Refused, NotPermitted, NotFound, Conflict: nothing was written.
        """
        return await _run(self._inner.work_on(id, seen, work, key=key, occurred_at=occurred_at))

    async def intervention(self, id: UUID | str) -> InterventionSeen:
        """Opens an intervention.

        Raises:
            NotFound: there is none, or the actor may not know of it.
        """
        return await _run(self._inner.intervention(id))

    async def interventions(self, filter: Filter | None = None, /, **parts: Any) -> Page[InterventionSummary]:
        """A page of the interventions that the actor may see, by when they are planned.

        Raises:
            Refused: a list cannot be made by this.
        """
        return await _run(self._inner.interventions(filter_of(filter, parts)))

    async def work_order(self, id: UUID | str) -> WorkOrder:
        """What who does the work takes along.

        Raises:
            NotFound: there is none, or the actor may not know of it.
        """
        return await _run(self._inner.work_order(id))


class Host(_Figures):
    """The program itself, on an errand: what is due, definitions, checks, figures over all requests."""

    _inner: _grc.Host

    def __init__(self, inner: _grc.Host) -> None:
        self._inner = inner

    async def publish(self, definition: Definition | str | PathLike[str]) -> Published:
        """Publishes a definition, or that of a folder. What did not change keeps its version.

        Raises:
            DefinitionError: with everything that cannot work; nothing was published.
        """
        if not isinstance(definition, Definition):
            definition = Definition.from_dir(definition)
        return await _run(self._inner.publish(definition))

    async def definition(self) -> Definition:
        """The newest definition.

        Raises:
            NoDefinition: nothing is published yet.
        """
        return await _run(self._inner.definition())

    async def act(self, id: UUID | str, command: Command) -> Acted:
        """Gives a command for the authority itself: a hold, an erasure.

        Raises:
            Refused, NotFound: nothing was written.
        """
        return await _run(self._inner.act(id, command))

    async def work(
        self,
        transport: AsyncTransport | Mapping[str, AsyncTransport] | None = None,
        *,
        tasks: int | None = None,
        minutes: int | None = None,
    ) -> WorkReport:
        """Does what is due: messages, timers, deadlines, retention. Any number of workers may do so at once.

        Args:
            transport: takes messages out; or one a channel.
            tasks: at most so many.
            minutes: for at most so long.
        """
        return await _run(self._inner.work(transport, tasks, minutes))

    async def sweep(self) -> int:
        """Drops files that were stored and never given to a request. Answers how many."""
        return await _run(self._inner.sweep())

    async def changes(self, *, after: bytes | None = None, limit: int = 100) -> Changes:
        """A page of the feed: what was written since, in order for each request."""
        return await _run(self._inner.changes(after, limit))

    async def verify(self, id: UUID | str) -> Verdict:
        """Checks a request: that its events follow from one another, make its state, and its values are those committed to.

        Raises:
            NotFound: there is none.
        """
        return await _run(self._inner.verify(id))

    async def verify_intervention(self, id: UUID | str) -> Verdict:
        """Checks an intervention.

        Raises:
            NotFound: there is none.
        """
        return await _run(self._inner.verify_intervention(id))

    async def scrub(self) -> ScrubReport:
        """Makes what was dropped physically gone, as far as the store can; says what it could not."""
        return await _run(self._inner.scrub())

    async def dead_letters(self, *, after: bytes | None = None, limit: int = 100) -> Page[DeadLetter]:
        """Messages that were given up."""
        return await _run(self._inner.dead_letters(after, limit))

    async def resend(self, letters: Iterable[DeadLetter]) -> int:
        """Sends messages that were given up once more. Answers how many."""
        handles = [_checks.of(DeadLetter, "letters", letter)._handle for letter in letters]
        return await _run(self._inner.resend(handles))

    async def report(self, key: str, report: Report) -> None:
        """Takes in what a provider reports of a message, by its key. What is reported late or twice changes nothing, and
        neither does a key that names nothing: the provider is told nothing of what there is."""
        await _run(self._inner.report(key, report))

    async def name_agent(self, agent: str, name: str) -> None:
        """Says the name of an agent, apart from everything that names them."""
        await _run(self._inner.name_agent(agent, name))

    async def forget_agent(self, agent: str) -> None:
        """Forgets the name of an agent who left."""
        await _run(self._inner.forget_agent(agent))
