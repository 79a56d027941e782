"""Endings: stores that are closed, dropped, or left open when the interpreter ends."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from conftest import Place
from scripts import run
from towns import HOLE, START, Post, Town, definition

import grc
from grc import aio


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, file: str) -> str:
    """In memory and in a file, for a script."""
    return "memory:" if request.param == "memory" else file


def test_closing_again_does_nothing(anywhere: Place) -> None:
    store = grc.open(**anywhere)
    assert not store.closed and repr(store) == "<grc.Store>"
    store.close()
    store.close()
    assert store.closed and repr(store) == "<grc.Store, closed>"
    with store:
        pass


def test_what_was_had_of_a_closed_store_says_so(anywhere: Place) -> None:
    store = grc.open(**anywhere)
    authority = store.authority("rennes")
    authority.host("tests").publish(definition())
    session = authority.session("a-09")
    requests = session.requests()
    session.submit("nid-de-poule", channel="telephone", fields=HOLE)
    store.close()
    assert authority.name == "rennes"
    for attempt in (lambda: next(requests), lambda: store.authority("rennes"), session.list):
        with pytest.raises(grc.ClosedError):
            attempt()


async def test_an_operation_of_before(file: str) -> None:
    store = await aio.open(file)
    await store.authority("rennes").host("tests").publish(definition())
    operation = store.authority("rennes").session("a-09")._inner.list(grc.Filter())
    await store.close()
    with pytest.raises(grc.GrcError):
        await operation


def test_the_last_that_is_dropped_closes_the_store(tmp_path: Path, file: str) -> None:
    store = grc.open(file)
    town = store.authority("rennes")
    town.host("tests").publish(definition())
    session = town.session("a-09")
    session.submit("nid-de-poule", channel="telephone", fields=HOLE)
    log = tmp_path / "town.db-wal"
    del store, town
    gc.collect()
    assert log.exists() and session.list().items, "somebody has a hold on it"
    del session
    gc.collect()
    assert not log.exists(), "the file alone is the store"


def test_a_store_that_is_dropped_lets_go_of_its_file(tmp_path: Path, file: str) -> None:
    for _ in range(20):
        store = grc.open(file)
        store.authority("rennes").host("tests").publish(definition())
        del store
        gc.collect()
    (tmp_path / "town.db").rename(tmp_path / "other.db")
    (tmp_path / "town.keys").rename(tmp_path / "other.keys")
    with grc.open(f"sqlite:///{tmp_path / 'other.db'}") as store:
        assert store.authority("rennes").host("tests").definition().types


def test_a_session_keeps_its_store(anywhere: Place) -> None:
    def session() -> grc.Session:
        store = grc.open(**anywhere)
        store.authority("rennes").host("tests").publish(definition())
        return store.authority("rennes").session("a-09")

    kept = session()
    gc.collect()
    assert kept.submit("nid-de-poule", channel="telephone", fields=HOLE).id


def test_an_exception_inside_closes_too(file: str) -> None:
    with pytest.raises(KeyError), grc.open(file) as store:
        raise KeyError("x")
    assert store.closed


def test_what_was_closed_is_there_again(file: str) -> None:
    with grc.open(file, clock=grc.ManualClock(START)) as store:
        town = Town(store, grc.ManualClock(START))
        town.host.publish(definition())
        reported = town.hole()
    with grc.open(file) as store:
        town = Town(store, grc.ManualClock(START))
        seen = town.session().open(reported.id)
        assert seen.fields == HOLE and seen.opened_at == START
        assert town.host.verify(reported.id).sound
        assert town.host.work(Post()).dead == 0


# How a program may end with a store that is open.
ENDS = {
    "left open": "",
    "in a cycle": "town.self = [town]",
    "sys.exit": "sys.exit(0)",
    "a daemon thread at work": """
def busy():
    while True:
        town.hole()
threading.Thread(target=busy, daemon=True).start()
time.sleep(0.2)
""",
    "a daemon thread in a transport": """
class Slow(Post):
    def deliver(self, message):
        time.sleep(30)
        return grc.Sent()
town.hole(requester=ANNE)
threading.Thread(target=town.host.work, args=(Slow(),), daemon=True).start()
time.sleep(0.2)
""",
    "an operation that was never run": "kept = town.session()._inner.list(grc.Filter())",
    "a generator that was begun": "kept = town.session().requests(); next(kept)",
    "objects of modules that go first": """
import builtins
builtins.kept = [town.session(), town.host, town.store, town.session().open(town.session().list().items[0].id)]
""",
    "closing at exit": "import atexit; atexit.register(town.store.close)",
    "working at exit": "import atexit; atexit.register(town.hole)",
    "a thread that is still joined": "threading.Thread(target=lambda: (time.sleep(0.2), town.hole())).start()",
}


@pytest.mark.parametrize("how", ENDS)
def test_the_interpreter_ends(url: str, how: str) -> None:
    script = """
store = grc.open(sys.argv[1])
town = Town(store, None)
town.host.publish(definition())
town.hole()
"""
    ran = run(script + ENDS[how], url).quiet()
    assert ran.out == "" and ran.seconds < 20


AIO_ENDS = {
    "left open": "",
    "pending": "kept = [asyncio.ensure_future(town.hole()) for _ in range(30)]; await asyncio.sleep(0)",
    "pending in threads": """
    class Slow(Post):
        def deliver(self, message):
            time.sleep(0.02)
            return grc.Sent()
    for _ in range(20):
        await town.hole(requester=ANNE)
    kept = asyncio.ensure_future(town.host.work(Slow()))
    await asyncio.sleep(0.1)
""",
    "pending in a coroutine": """
    class Slow:
        def carries(self, channel):
            return True
        async def deliver(self, message):
            await asyncio.sleep(30)
            return grc.Sent()
    await town.hole(requester=ANNE)
    kept = asyncio.ensure_future(town.host.work(Slow()))
    await asyncio.sleep(0.1)
""",
    "begun and not entered": "kept = aio.open('memory:')",
}


@pytest.mark.parametrize("how", AIO_ENDS)
def test_the_interpreter_ends_with_asyncio(url: str, how: str) -> None:
    script = f"""
async def main():
    global town, kept
    town = AsyncTown(await aio.open(sys.argv[1]), None)
    await town.host.publish(definition())
    await town.hole()
    {AIO_ENDS[how]}

asyncio.run(main())
"""
    ran = run(script, url).quiet()
    assert ran.out == "" and ran.seconds < 20


def test_the_interpreter_ends_well_every_time(url: str) -> None:
    # The answer that a loop waited for last may still be on its way from a thread when the interpreter ends: a matter of
    # microseconds, so it is tried often.
    script = """
async def main():
    store = await aio.open(sys.argv[1])
    town = AsyncTown(store, None)
    await town.host.publish(definition())
    await asyncio.gather(*[town.hole() for _ in range(4)])

asyncio.run(main())
"""
    ends = [run(script, url).code for _ in range(12)]
    assert ends == [0] * 12
