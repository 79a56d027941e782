"""The program itself, on an errand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from os import PathLike
from uuid import UUID

from grc import _checks, _grc
from grc._grc import Definition
from grc.aio._figures import _Figures, _run
from grc.commands import Command
from grc.results import Acted, Changes, DeadLetter, Page, Published, ScrubReport, Verdict, WorkReport
from grc.transports import AsyncTransport, Report


class Host(_Figures):
    """The program itself, on an errand: what is due, definitions, checks, figures over all requests."""

    _inner: _grc.Host

    def __init__(self, inner: _grc.Host) -> None:
        self._inner = inner

    async def publish(self, definition: Definition | str | PathLike[str]) -> Published:
        """Publishes a definition, or that of a folder. What did not change keeps its version.

        Raises:
            DefinitionError: with everything that cannot work; nothing was published.

        >>> published = await host.publish(TOWN)
        >>> published.organisation, published.procedures
        (1, {})
        """
        if not isinstance(definition, Definition):
            definition = Definition.from_dir(definition)
        return await _run(self._inner.publish(definition))

    async def definition(self) -> Definition:
        """The newest definition.

        Raises:
            NoDefinition: nothing is published yet.

        >>> (await host.definition()).types
        ('water-leak',)
        """
        return await _run(self._inner.definition())

    async def act(self, id: UUID | str, command: Command) -> Acted:
        """Gives a command for the authority itself: a hold, an erasure.

        Raises:
            Refused, NotFound: nothing was written.

        >>> held = await host.act(leak.id, grc.Hold("un recours est en cours"))
        >>> (await marc.open(leak.id)).holds
        (1,)
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

        >>> class Printer:
        ...     def carries(self, channel: str) -> bool:
        ...         return channel == "sms"
        ...     def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        ...         print(message.to, "-", message.text)
        ...         return grc.Sent()
        >>> told = await claire.act_on(leak.id, grc.Tell("Un agent passe demain."))
        >>> report = await host.work(Printer())
        06 39 98 12 34 - Un agent passe demain.
        >>> report.sent
        1
        """
        return await _run(self._inner.work(transport, tasks, minutes))

    async def sweep(self) -> int:
        """Drops files that were stored and never given to a request. Answers how many.

        >>> await host.sweep()
        0
        """
        return await _run(self._inner.sweep())

    async def changes(self, *, after: bytes | None = None, limit: int = 100) -> Changes:
        """A page of the feed: what was written since, in order for each request.

        Raises:
            Refused: `feed.cursor`: this is no cursor of this store, or what was read up to it was lost: read everything again.

        >>> page = await host.changes()
        >>> {touched.id for change in page for touched in change.touched if touched.kind == "request"} == {leak.id}
        True
        """
        return await _run(self._inner.changes(after, limit))

    async def all_changes(self, *, after: bytes | None = None) -> AsyncIterator[Changes]:
        """The feed, page by page up to now: keep the `next` of the last page, and go on from there later.

        Raises:
            Refused: as `changes`.

        >>> batches = [change.batch async for page in host.all_changes() for change in page]
        >>> len(batches) == len(set(batches)) > 3
        True
        """
        while True:
            page = await _run(self._inner.changes(after, 1000))
            if not page.items:
                return
            yield page
            after = page.next

    async def verify(self, id: UUID | str) -> Verdict:
        """Checks a request: that its events follow from one another, make its state, and its values are those committed to.

        Raises:
            NotFound: there is none.

        >>> (await host.verify(leak.id)).sound
        True
        """
        return await _run(self._inner.verify(id))

    async def verify_intervention(self, id: UUID | str) -> Verdict:
        """Checks an intervention.

        Raises:
            NotFound: there is none.

        >>> tomorrow = store.now() + timedelta(days=1)
        >>> planned = await marc.plan(
        ...     grc.Planning(serves=[leak.id], begins=tomorrow, ends=tomorrow + timedelta(hours=2), team="plumbers")
        ... )
        >>> (await host.verify_intervention(planned.id)).events
        1
        """
        return await _run(self._inner.verify_intervention(id))

    async def scrub(self) -> ScrubReport:
        """Makes what was dropped physically gone, as far as the store can; says what it could not.

        >>> report = await host.scrub()
        """
        return await _run(self._inner.scrub())

    async def dead_letters(self, *, after: bytes | None = None, limit: int = 100) -> Page[DeadLetter]:
        """A page of the messages that were given up.

        Raises:
            Refused: the page is none of this list.

        >>> (await host.dead_letters()).items
        ()
        """
        return await _run(self._inner.dead_letters(after, limit))

    async def all_dead_letters(self) -> AsyncIterator[DeadLetter]:
        """All messages that were given up, read page by page as they are asked for.

        >>> [letter.code async for letter in host.all_dead_letters()]
        []
        """
        after: bytes | None = None
        while True:
            page = await _run(self._inner.dead_letters(after, 100))
            for letter in page.items:
                yield letter
            if page.next is None:
                return
            after = page.next

    async def resend(self, letters: Iterable[DeadLetter]) -> int:
        """Sends messages that were given up once more. Answers how many.

        >>> await host.resend((await host.dead_letters()).items)
        0
        """
        checked = [_checks.of(DeadLetter, "letters", letter) for letter in letters]
        return await _run(self._inner.resend(checked))

    async def report(self, key: str, report: Report) -> None:
        """Takes in what a provider reports of a message, by its key. What is reported late or twice changes nothing, and
        neither does a key that names nothing: the provider is told nothing of what there is.

        >>> await host.report("a-key-that-names-nothing", grc.Arrived())
        """
        await _run(self._inner.report(key, report))

    async def name_agent(self, agent: str, name: str) -> None:
        """Says the name of an agent, apart from everything that names them.

        >>> await host.name_agent("a-03", "Marc Le Bihan")
        """
        await _run(self._inner.name_agent(agent, name))

    async def forget_agent(self, agent: str) -> None:
        """Forgets the name of an agent who left.

        >>> await host.forget_agent("a-03")
        """
        await _run(self._inner.forget_agent(agent))
