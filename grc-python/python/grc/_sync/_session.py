"""Somebody with an authority."""

# Made by tools/twins.py from the module of the same name in grc/aio: change that one, not this one.

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, Literal, TypeVar, overload
from uuid import UUID

from grc import _checks, _grc
from grc._grc import StoredFile
from grc._support import filter_of, intake_of
from grc._sync._figures import _Figures, _run
from grc.commands import Command, Fire
from grc.forms import Form
from grc.given import Assignee, FieldValue, Intake, Party, Place
from grc.lists import Filter
from grc.results import (
    Acted,
    File,
    HistoryEntry,
    Intervened,
    InterventionSeen,
    InterventionSummary,
    Page,
    Seen,
    Submitted,
    Summary,
    WorkOrder,
)
from grc.site import Planning, SiteWork

T = TypeVar("T")


def _each(
    pages: Callable[[Filter], _grc.Operation[Page[T]]],
    filter: Filter,
) -> Iterator[T]:
    """All of a list, read page by page as they are asked for."""
    while True:
        page = _run(pages(filter))
        for one in page.items:
            yield one
        if page.next is None:
            return
        filter = filter_of(filter, {"after": page.next})


class Session(_Figures):
    """Somebody with an authority: the way to read and to write with rights."""

    _inner: _grc.Session

    def __init__(self, inner: _grc.Session) -> None:
        self._inner = inner

    def forms(self) -> tuple[Form, ...]:
        """The forms of what the actor may hand in, under the newest definition, by type: all that a page needs to ask for it.

        Raises:
            Refused: the actor is not known.
            NoDefinition: nothing is published yet.

        >>> (form,) = claire.forms()
        >>> [(field.id, field.kind.value, field.required) for field in form.fields]
        [('description', 'long-text', True)]
        """
        return _run(self._inner.forms())

    @overload
    def submit(self, intake: Intake, /) -> Submitted: ...

    @overload
    def submit(
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

    def submit(self, intake: Intake | str, /, **parts: Any) -> Submitted:
        """Hands a request in.

        `submit("leak", channel="phone", fields={"description": "…"}, requester=Party(…), place=Place(…))`; the parts are
        those of `Intake`, and `requester` for the first of its parties.

        Raises:
            Refused: with every reason; nothing was written.
            NotPermitted: the actor may not hand in such a request.
            NoDefinition: nothing is published yet.

        >>> submitted = claire.submit(
        ...     "water-leak",
        ...     channel="phone",
        ...     fields={"description": "de l'eau devant le 12"},
        ...     requester=grc.Party(family="Le Gall", phone="06 39 98 12 34", answer_by="sms"),
        ...     place=grc.Place(address=("12 rue des Lilas", "35000", "Rennes")),
        ...     key="call-8417",
        ... )
        >>> submitted.version
        1
        """
        return _run(self._inner.submit(intake_of(intake, parts)))

    def open(self, id: UUID | str) -> Seen:
        """Opens a request, as far as the actor may see it. Readings of sensitive fields are noted.

        Raises:
            NotFound: there is none, or the actor may not know of it.

        >>> seen = marc.open(leak.id)
        >>> seen.fields["description"], seen.state, [choice.transition for choice in seen.choices]
        ('eau qui coule devant le 12', 'new', ['assign'])
        """
        return _run(self._inner.open(id))

    def follow(self) -> Seen:
        """Opens the request whose tracking code the actor holds.

        Raises:
            NotFound: the code leads nowhere (any more), or the actor holds none.

        >>> seen = town.session(grc.Holder(leak.tracking_code)).follow()
        >>> seen.stage
        {'fr': 'Reçue'}
        """
        return _run(self._inner.follow())

    def act(
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

        >>> seen = claire.open(leak.id)
        >>> acted = claire.act(seen, grc.Tell("Un agent passe demain."))
        >>> acted.version > seen.version
        True
        """
        seen = _checks.of(Seen, "seen", seen)
        return self.act_on(seen.id, command, seen=seen.version, key=key, occurred_at=occurred_at, quiet=quiet)

    def act_on(
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

        >>> acted = claire.act_on(leak.id, grc.Tell("Un agent passe demain."), key="tell-8417")
        >>> acted == claire.act_on(leak.id, grc.Tell("Un agent passe demain."), key="tell-8417")
        True
        """
        return _run(self._inner.act_on(id, seen, command, key=key, occurred_at=occurred_at, quiet=quiet))

    def fire(
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

        >>> seen = marc.open(leak.id)
        >>> assigned = marc.fire(seen, "assign", to=grc.Assignee(team="plumbers"))
        >>> (marc.open(leak.id)).team
        'plumbers'
        """
        fire = Fire(
            transition,
            fields={} if fields is None else fields,
            to=to,
            outcome=outcome,
            message=message,
            note=note,
        )
        return self.act(seen, fire, key=key, occurred_at=occurred_at, quiet=quiet)

    def history(self, id: UUID | str) -> tuple[HistoryEntry, ...]:
        """What happened to a request, as far as the actor may see it.

        Raises:
            NotFound: there is none, or the actor may not know of it.

        >>> [(entry.kind, entry.actor.id) for entry in marc.history(leak.id)]
        [('submitted', 'a-17')]
        """
        return _run(self._inner.history(id))

    def list(self, filter: Filter | None = None, /, **parts: Any) -> Page[Summary]:
        """A page of the requests that the actor may see: `list(phase="in-progress", mine=True)`. The parts are those of
        `Filter`, any other name is a fact.

        Raises:
            Refused: a list cannot be made by this, or the page is none of this list.

        >>> page = marc.list(phase="received", where={">": [{"var": "opened"}, datetime(2026, 1, 1, tzinfo=timezone.utc)]})
        >>> [request.requester for request in page], page.next
        (['Anne Le Gall'], None)
        """
        return _run(self._inner.list(filter_of(filter, parts)))

    def requests(self, filter: Filter | None = None, /, **parts: Any) -> Iterator[Summary]:
        """All requests of a list, read page by page as they are asked for.

        Raises:
            Refused: a list cannot be made by this; `list.cursor` where the definition was changed meanwhile: begin again.

        >>> [request.state for request in marc.requests(oldest_first=True)]
        ['new']
        """
        for request in _each(self._inner.list, filter_of(filter, parts)):
            yield request

    def by_contact(
        self, sector: str, kind: Literal["email", "phone", "mobile", "address"], contact: str
    ) -> tuple[UUID, ...]:
        """The requests in which somebody with this contact is named, within a sector, as far as the actor may see them: the
        newest first, at most 100.

        Raises:
            Refused: this is no such contact.

        >>> claire.by_contact("roads", "phone", "+33 6 39 98 12 34") == (leak.id,)
        True
        """
        return _run(self._inner.by_contact(sector, kind, contact))

    def store_file(
        self, name: str, data: bytes | bytearray | memoryview | IO[bytes], *, field: str | None = None
    ) -> StoredFile:
        """Stores the bytes of a file, sealed, to be given to `submit` or to `Attach`. A file object is read piece by piece.
        What is never given to either is swept away later.

        Raises:
            Refused: a file in disguise, empty, or too large.

        >>> note = claire.store_file("plan.txt", b"la vanne est dans la cour")
        >>> submitted = claire.submit(
        ...     "water-leak", channel="phone", fields={"description": "une fuite"}, files=[note]
        ... )
        """
        if isinstance(data, (bytearray, memoryview)):
            data = bytes(data)
        return _run(self._inner.store_file(name, data, field))

    def read_file(self, id: UUID | str, file: File | UUID | str) -> bytes:
        """Reads a file of a request, or the one of this id.

        Raises:
            NotFound: there is no such request or file for the actor.

        >>> note = claire.store_file("plan.txt", b"la vanne est dans la cour")
        >>> id = (
        ...     claire.submit("water-leak", channel="phone", fields={"description": "une fuite"}, files=[note])
        ... ).id
        >>> (file,) = (claire.open(id)).files
        >>> file.name, claire.read_file(id, file)
        ('plan.txt', b'la vanne est dans la cour')
        """
        return _run(self._inner.read_file(id, file.id if isinstance(file, File) else file))

    def read_file_to(self, id: UUID | str, file: File | UUID | str, out: IO[bytes]) -> int:
        """Reads a file of a request into a file object that is open for writing in binary mode, piece by piece: it is never
        in memory whole. Answers how many bytes it has. If it raises, what was written until then is a part of the file, and
        not to be used.

        Raises:
            NotFound: there is no such request or file for the actor.

        >>> from io import BytesIO
        >>> note = claire.store_file("plan.txt", b"la vanne est dans la cour")
        >>> id = (
        ...     claire.submit("water-leak", channel="phone", fields={"description": "une fuite"}, files=[note])
        ... ).id
        >>> (file,) = (claire.open(id)).files
        >>> out = BytesIO()
        >>> claire.read_file_to(id, file, out), out.getvalue()
        (25, b'la vanne est dans la cour')
        """
        return _run(self._inner.read_file_to(id, file.id if isinstance(file, File) else file, out))

    def agent_name(self, agent: str) -> str | None:
        """The name of an agent, if the actor may know it.

        >>> host.name_agent("a-03", "Marc Le Bihan")
        >>> claire.agent_name("a-03")
        'Marc Le Bihan'
        """
        return _run(self._inner.agent_name(agent))

    def plan(self, planning: Planning) -> Intervened:
        """Plans an intervention.

        Raises:
            Refused, NotPermitted, NotFound: nothing was written.

        >>> tomorrow = store.now() + timedelta(days=1)
        >>> planned = marc.plan(
        ...     grc.Planning(serves=[leak.id], begins=tomorrow, ends=tomorrow + timedelta(hours=2), team="plumbers")
        ... )
        >>> (marc.intervention(planned.id)).stage
        'planned'
        """
        return _run(self._inner.plan(_checks.of(Planning, "planning", planning)))

    def work_on(
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

        >>> tomorrow = store.now() + timedelta(days=1)
        >>> planned = marc.plan(
        ...     grc.Planning(serves=[leak.id], begins=tomorrow, ends=tomorrow + timedelta(hours=2), team="plumbers")
        ... )
        >>> cancelled = marc.work_on(planned.id, grc.Cancel())
        >>> (marc.intervention(planned.id)).stage
        'cancelled'
        """
        return _run(self._inner.work_on(id, seen, work, key=key, occurred_at=occurred_at))

    def intervention(self, id: UUID | str) -> InterventionSeen:
        """Opens an intervention.

        Raises:
            NotFound: there is none, or the actor may not know of it.

        >>> tomorrow = store.now() + timedelta(days=1)
        >>> planned = marc.plan(
        ...     grc.Planning(serves=[leak.id], begins=tomorrow, ends=tomorrow + timedelta(hours=2), team="plumbers")
        ... )
        >>> [choice.work for choice in (marc.intervention(planned.id)).choices][:3]
        ['plan', 'acknowledge', 'start']
        """
        return _run(self._inner.intervention(id))

    def interventions(self, filter: Filter | None = None, /, **parts: Any) -> Page[InterventionSummary]:
        """A page of the interventions that the actor may see, by when they are planned.

        Raises:
            Refused: a list cannot be made by this.

        >>> (marc.interventions(team="plumbers")).items
        ()
        """
        return _run(self._inner.interventions(filter_of(filter, parts)))

    def all_interventions(
        self,
        filter: Filter | None = None,
        /,
        **parts: Any,
    ) -> Iterator[InterventionSummary]:
        """All interventions of a list, read page by page as they are asked for.

        Raises:
            Refused: as `interventions`.

        >>> [intervention.stage for intervention in marc.all_interventions(team="plumbers")]
        []
        """
        for intervention in _each(self._inner.interventions, filter_of(filter, parts)):
            yield intervention

    def work_order(self, id: UUID | str) -> WorkOrder:
        """What who does the work takes along.

        Raises:
            NotFound: there is none, or the actor may not know of it.

        >>> tomorrow = store.now() + timedelta(days=1)
        >>> planned = marc.plan(
        ...     grc.Planning(serves=[leak.id], begins=tomorrow, ends=tomorrow + timedelta(hours=2), team="plumbers")
        ... )
        >>> (marc.work_order(planned.id)).team
        'Fontainiers'
        """
        return _run(self._inner.work_order(id))
