"""What sessions and hosts have in common: running calls, and figures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, overload
from uuid import UUID

from grc import _checks, _grc
from grc._support import question_of
from grc.figures import FactValue, Question
from grc.results import Behind, Figures, Table

T = TypeVar("T")


async def _run(operation: _grc.Operation[T]) -> T:
    return await operation


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
        facts: Mapping[str, FactValue] = ...,
        where: Mapping[str, Any] | None = None,
        **more: FactValue,
    ) -> Table: ...

    async def measure(self, question: Question | Sequence[str] | str, /, **parts: Any) -> Table:
        """The answer to a question: a row for each combination of what it is counted by.

        `measure(["opened", "closure-median"], by=["month", "channel"], service="roads")`; the parts are those of
        `Question`, any other name is a fact.

        Raises:
            NotPermitted: the actor may not see figures, or not these.
            Refused: the question cannot be answered.

        >>> table = await claire.measure(["opened", "open"], by="type", phase="received")
        >>> table.to_dicts()
        [{'type': 'water-leak', 'type_label': "Fuite d'eau sur la voie publique", 'opened': 1, 'open': 1}]
        """
        return await _run(self._inner.measure(question_of(question, parts)))

    async def measure_all(self, questions: Iterable[Question]) -> tuple[Table, ...]:
        """The answers to several questions, at most 100: everything is read once.

        Raises:
            NotPermitted, Refused: as `measure`.

        >>> questions = [grc.Question("opened", by=["channel"]), grc.Question("closed")]
        >>> [len(table) for table in await claire.measure_all(questions)]
        [1, 1]
        """
        return await _run(self._inner.measure_all([question_of(question, {}) for question in questions]))

    async def figures(self, question: Question | None = None, /, **facts: FactValue) -> Figures:
        """The figures that one looks at first. Of a question only which requests and of which time counts.

        Raises:
            NotPermitted, Refused: as `measure`.

        >>> (await claire.figures(type="water-leak")).open
        1
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

        >>> question = grc.Question("opened", by=["type"])
        >>> table = await claire.measure(question)
        >>> (await claire.behind(question, "opened", table.rows[0].ids)).items == (leak.id,)
        True
        """
        question = _checks.of(Question, "question", question)
        return await _run(self._inner.behind(question, figure, list(keys), after, limit))

    async def all_behind(self, question: Question, figure: str, keys: Sequence[str | None] = ()) -> AsyncIterator[UUID]:
        """All requests behind a cell, read page by page as they are asked for.

        Raises:
            NotPermitted, Refused: as `measure`.

        >>> [id async for id in claire.all_behind(grc.Question("opened"), "opened")] == [leak.id]
        True
        """
        question = _checks.of(Question, "question", question)
        after: UUID | None = None
        while True:
            page = await _run(self._inner.behind(question, figure, list(keys), after, 1000))
            for id in page.items:
                yield id
            if page.next is None:
                return
            after = page.next
