"""asyncio: many tasks, cancellation, loops one after the other."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from towns import ANNE, HOLE, START, AsyncTown, Post, definition

import grc
from grc import aio


async def test_two_hundred_tasks_lose_nothing(async_lasting_town: AsyncTown) -> None:
    town = async_lasting_town
    reported = await town.hole(fields={**HOLE, "profondeur": 0})
    conflicts = 0

    async def increment() -> None:
        nonlocal conflicts
        session = town.session()
        while True:
            seen = await session.open(reported.id)
            depth = seen.fields["profondeur"]
            assert isinstance(depth, int)
            try:
                await session.act(seen, grc.Correct({"profondeur": depth + 1}))
            except grc.Conflict:
                conflicts += 1
                await asyncio.sleep(0)
            else:
                return

    async def other() -> None:
        await town.hole()
        assert [one async for one in town.session().requests(limit=10)]

    await asyncio.wait_for(asyncio.gather(*[increment() for _ in range(30)], *[other() for _ in range(170)]), 100)
    seen = await town.session().open(reported.id)
    assert seen.fields["profondeur"] == 30 and conflicts > 0
    assert len([one async for one in town.session().requests(limit=100)]) == 171
    assert (await town.host.verify(reported.id)).sound


class Slow(Post):
    """A plain transport that takes its time."""

    def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        import time

        time.sleep(0.3)
        return super().deliver(message)


async def test_the_loop_never_waits(async_memory_town: AsyncTown) -> None:
    await async_memory_town.hole(requester=ANNE)
    working = asyncio.ensure_future(async_memory_town.host.work(Slow()))
    turns = 0
    while not working.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert (await working).sent == 1 and turns > 15


class Slack:
    """A clock that takes its time until it is told."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def now(self) -> datetime:
        self.asked += 1
        assert self.go.wait(60)
        return START


async def test_however_many_of_the_callers_own_take_their_time_the_rest_goes_on(async_memory_town: AsyncTown) -> None:
    clock = Slack()
    clock.go.set()
    store = await aio.open("memory:", clock=clock)
    await store.authority("rennes").host("tests").publish(definition())
    clock.go.clear()
    before = clock.asked
    slow = store.authority("rennes").session("a-09")
    waiting = [asyncio.ensure_future(slow.submit("nid-de-poule", channel="web", fields=HOLE)) for _ in range(12)]
    while clock.asked < before + 12:
        await asyncio.sleep(0.005)
    try:
        assert (await asyncio.wait_for(async_memory_town.hole(), 20)).version
    finally:
        clock.go.set()
    assert len({submitted.id for submitted in await asyncio.gather(*waiting)}) == 12


class Never:
    """A transport that never answers, and says when it was given up."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.given_up = asyncio.Event()

    def carries(self, channel: str) -> bool:
        return True

    async def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        raise AssertionError


async def test_what_is_cancelled_is_given_up(async_memory_town: AsyncTown) -> None:
    town = async_memory_town
    await town.hole(requester=ANNE)
    never = Never()
    working = asyncio.ensure_future(town.host.work(never))
    await asyncio.wait_for(never.asked.wait(), 20)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    # What the caller's own coroutine does is given up with it.
    await asyncio.wait_for(never.given_up.wait(), 20)
    assert (await town.session().list()).items, "the store goes on"


async def test_a_timeout(async_memory_town: AsyncTown) -> None:
    await async_memory_town.hole(requester=ANNE)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(async_memory_town.host.work(Never()), 0.2)


async def test_cancelled_at_any_moment_it_is_whole_or_not_at_all(async_lasting_town: AsyncTown) -> None:
    town = async_lasting_town
    done = 0
    for n in range(60):
        task = asyncio.ensure_future(town.hole(key=f"form-{n}"))
        await asyncio.sleep(n * 0.0002)
        task.cancel()
        try:
            await task
            done += 1
        except asyncio.CancelledError:
            pass
    await asyncio.sleep(0.2)
    listed = [one async for one in town.session().requests()]
    assert done <= len(listed) <= 60
    for one in listed:
        assert (await town.host.verify(one.id)).sound
    # Whether it was done is known by giving it again under the same key.
    again = await asyncio.gather(*[town.hole(key=f"form-{n}") for n in range(60)])
    assert {one.id for one in listed} <= {one.id for one in again}
    assert len([one async for one in town.session().requests()]) == 60


def test_loops_one_after_the_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"

    async def begin() -> tuple[aio.Store, grc.results.Submitted]:
        store = await aio.open(url)
        await store.authority("rennes").host("tests").publish(definition())
        session = store.authority("rennes").session("a-09")
        return store, await session.submit("nid-de-poule", channel="telephone", fields=HOLE)

    async def go_on(store: aio.Store, reported: grc.results.Submitted) -> grc.results.Seen:
        seen = await store.authority("rennes").session("a-09").open(reported.id)
        await store.close()
        return seen

    store, reported = asyncio.run(begin())
    assert asyncio.run(go_on(store, reported)).id == reported.id


def test_both_twins_on_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    with grc.open(url) as store:
        store.authority("rennes").host("tests").publish(definition())

        async def count() -> int:
            async with aio.open(url) as other:
                await other.authority("rennes").session("a-09").submit("nid-de-poule", channel="telephone", fields=HOLE)
                return len(await other.authority("rennes").session("a-09").list())

        assert asyncio.run(count()) == len(store.authority("rennes").session("a-09").list()) == 1


async def test_who_waits_may_do_so_inside_a_loop(memory_town: Any) -> None:
    # It blocks the loop, as any call that waits; it must not fail.
    assert memory_town.hole().id


async def test_an_opening_is_awaited_once() -> None:
    opening = aio.open("memory:")
    store = await opening
    with pytest.raises(RuntimeError, match="make the call again"):
        await opening
    await store.close()


async def test_an_operation_is_awaited_once(async_memory_town: AsyncTown) -> None:
    operation = async_memory_town.session()._inner.list(grc.Filter())
    assert (await operation).items == ()
    with pytest.raises(RuntimeError, match="make the call again"):
        await operation
    with pytest.raises(RuntimeError, match="make the call again"):
        operation.wait()
    call = async_memory_town.session().list()
    await call
    with pytest.raises(RuntimeError, match="already awaited"):
        await call


def test_without_a_loop_that_runs() -> None:
    opening = aio.open("memory:")
    with pytest.raises(RuntimeError, match="no running event loop"):
        opening.__await__().send(None)
    # It was not begun, and can be.
    assert isinstance(asyncio.run(_opened(opening)), aio.Store)


async def _opened(opening: Any) -> aio.Store:
    store: aio.Store = await opening
    await store.close()
    return store


def test_an_operation_belongs_to_no_loop_until_it_is_awaited() -> None:
    async def begin() -> Any:
        return aio.open("memory:")

    opening = asyncio.run(begin())
    assert asyncio.run(_opened(opening)).closed


def test_a_loop_that_ends_before_the_answer() -> None:
    # Nobody waits any more: nothing is printed, and nothing hangs.
    async def leave() -> None:
        store = await aio.open("memory:")
        await store.authority("rennes").host("tests").publish(definition())
        session = store.authority("rennes").session("a-09")
        for _ in range(50):
            asyncio.ensure_future(session.submit("nid-de-poule", channel="telephone", fields=HOLE))
        await asyncio.sleep(0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            asyncio.run(leave())
        gc.collect()


async def test_what_is_never_awaited_is_not_done(async_memory_town: AsyncTown) -> None:
    for _ in range(3):
        async_memory_town.session()._inner.list(grc.Filter())
    gc.collect()
    with pytest.warns(RuntimeWarning, match="never awaited"):
        unawaited = async_memory_town.hole()
        del unawaited
        gc.collect()
    assert not (await async_memory_town.session().list()).items
