"""Clocks that are written in Python: what they raise is raised, and nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import Place
from towns import HOLE, START, Town, definition

import grc
from grc import aio


class Watch:
    """A clock that can be broken."""

    def __init__(self) -> None:
        self.answer: Any = START

    def now(self) -> datetime:
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: datetime = self.answer
        return answer


@pytest.fixture
def watch() -> Watch:
    """It goes right at first."""
    return Watch()


@pytest.fixture
def memory_watched(watch: Watch) -> Iterator[Town]:
    """A town in memory that lives by it."""
    with grc.open("memory:", clock=watch) as store:
        yield Town(store, grc.ManualClock(START))
        watch.answer = START


@pytest.fixture
def watched(watch: Watch, anywhere: Place) -> Iterator[Town]:
    """A town that lives by it."""
    with grc.open(**anywhere, clock=watch) as store:
        town = Town(store, grc.ManualClock(START))
        town.host.publish(definition())
        yield town
        watch.answer = START


def test_it_tells_the_time(watched: Town, watch: Watch) -> None:
    assert isinstance(watch, grc.Clock)
    watch.answer = datetime(2026, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    reported = watched.hole()
    opened = watched.session().open(reported.id).opened_at
    assert opened == watch.answer == watched.store.now() and opened.tzinfo is timezone.utc


BROKEN: list[Any] = [
    RuntimeError("the battery is empty"),
    KeyboardInterrupt(),
    datetime(2026, 3, 2, 9, 0),
    "now",
    None,
    5,
]


@pytest.mark.parametrize("answer", BROKEN, ids=repr)
def test_what_it_raises_is_raised_and_nothing_is_written(watched: Town, watch: Watch, answer: Any) -> None:
    reported = watched.hole()
    before = watched.session().open(reported.id)
    expected: Any = type(answer) if isinstance(answer, BaseException) else (ValueError, TypeError)
    watch.answer = answer
    for attempt in (
        lambda: watched.session().submit("nid-de-poule", channel="telephone", fields=HOLE),
        lambda: watched.session().act_on(reported.id, grc.Note("x")),
        lambda: watched.host.work(),
    ):
        with pytest.raises(expected) as raised:
            attempt()
        if isinstance(answer, BaseException):
            assert raised.value is answer
        else:
            assert "now()" in str(raised.value)
    watch.answer = START
    assert watched.session().open(reported.id) == before
    assert len(watched.session().list()) == 1
    assert watched.host.verify(reported.id).sound
    watched.hole()


def test_what_it_raises_when_the_store_is_asked_for_the_time(memory_watched: Town, watch: Watch) -> None:
    for answer in BROKEN:
        watch.answer = answer
        expected: Any = type(answer) if isinstance(answer, BaseException) else (ValueError, TypeError)
        with pytest.raises(expected):
            memory_watched.store.now()
    watch.answer = START
    assert memory_watched.store.now() == START


async def test_the_same_with_asyncio(watch: Watch) -> None:
    async with aio.open("memory:", clock=watch) as store:
        authority = store.authority("rennes")
        await authority.host("tests").publish(definition())
        watch.answer = error = RuntimeError("the battery is empty")
        with pytest.raises(RuntimeError) as raised:
            await authority.session("a-09").submit("nid-de-poule", channel="telephone", fields=HOLE)
        assert raised.value is error
        watch.answer = START
        assert not (await authority.session("a-09").list()).items


async def test_the_end_of_an_iterator_is_told_to_the_loop() -> None:
    class Ended:
        """A clock that ends: `StopIteration` cannot be set on a future."""

        def now(self) -> datetime:
            raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        await asyncio.wait_for(aio.open("memory:", clock=Ended()), 20)
    assert isinstance(raised.value.__cause__, StopIteration)


def test_what_is_no_clock() -> None:
    wrong: Any
    for wrong in ("now", 5, object(), {"now": START}):
        with pytest.raises((TypeError, AttributeError)):
            with grc.open("memory:", clock=wrong) as store:
                store.now()


def test_a_clock_that_stands_still() -> None:
    clock = grc.ManualClock(START)
    assert clock.now() == START and "2026-03-02T09:00:00" in repr(clock)
    clock.set(START + timedelta(microseconds=1))
    assert clock.now() - START == timedelta(microseconds=1)
    for wrong in (None, "2026", START.replace(tzinfo=None), START.date()):
        with pytest.raises((TypeError, ValueError), match="at: "):
            clock.set(wrong)  # type: ignore[arg-type]
    assert clock.now() - START == timedelta(microseconds=1)
