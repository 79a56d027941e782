"""Forks: a store belongs to the process that opened it."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from scripts import run
from towns import HOLE, definition

import grc

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

# What all of them begin with: a store that was used, so that its threads are there.
OPENED = """
def used(url):
    store = grc.open(url)
    store.authority("rennes").host("tests").publish(definition())
    town = Town(store, None)
    town.hole()
    return town

def child(work):
    # Python may warn that threads do not come along: that is the point here.
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    pid = os.fork()
    if not pid:
        # As a program does: the child comes to its end by itself, and everything is dropped.
        work()
        sys.exit(0)
    return pid

def ended(pid):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, 9)
    return "hangs"
"""


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, file: str) -> str:
    """In memory and in a file."""
    return "memory:" if request.param == "memory" else file


def test_the_child_is_told_and_the_parent_goes_on(url: str) -> None:
    run(
        OPENED
        + """
town = used(sys.argv[1])
session = town.session()

def work():
    for attempt in (town.hole, session.list, town.store.now, lambda: town.authority):
        try:
            attempt()
        except grc.ForkedError as error:
            assert "open the store in the process that uses it" in str(error)
        else:
            raise AssertionError(attempt)
    # It is not this process's to close.
    assert town.store.closed and "closed" in repr(town.store)
    town.store.close()

assert ended(child(work)) == 0
town.hole()
assert len(session.list()) == 2
town.store.close()
""",
        url,
    ).quiet()


def test_the_child_opens_its_own(file: str) -> None:
    run(
        OPENED
        + """
town = used(sys.argv[1])

def work():
    with grc.open(sys.argv[1]) as store:
        own = Town(store, None)
        own.hole()
        assert len(own.session().list()) == 2

assert ended(child(work)) == 0
town.hole()
assert len(town.session().list()) == 3
assert all(town.host.verify(one.id).sound for one in town.session().list())
""",
        file,
    ).quiet()


def test_the_child_may_use_asyncio(file: str) -> None:
    # The parent's loop and its threads were used before.
    run(
        OPENED
        + """
async def count():
    async with aio.open(sys.argv[1]) as store:
        return len(await store.authority("rennes").session("a-09").list())

town = used(sys.argv[1])
assert asyncio.run(count()) == 1

def work():
    assert asyncio.run(count()) == 1

assert ended(child(work)) == 0
assert asyncio.run(count()) == 1
""",
        file,
    ).quiet()


def test_while_other_threads_work(file: str) -> None:
    # A lock that another thread holds at the fork is held for ever in the child, so that none of ours may be needed there.
    # (SQLite's own are: a child of a process whose threads write to a file at that moment cannot open that file.)
    run(
        OPENED
        + """
town = used(sys.argv[1])
stop = threading.Event()

def busy():
    while not stop.is_set():
        town.hole()
        town.session().list()

threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads:
    thread.start()

def work():
    try:
        town.session().list()
    except grc.ForkedError:
        pass
    except BaseException as error:
        raise AssertionError(error)
    else:
        raise AssertionError("it was not told")
    with grc.open("memory:") as store:
        Town(store, None).host.publish(definition())

codes = [ended(child(work)) for _ in range(5)]
stop.set()
for thread in threads:
    thread.join()
assert codes == [0] * 5, codes
""",
        file,
        timeout=100,
    ).quiet()


def test_a_child_with_a_store_that_is_dropped(url: str) -> None:
    run(
        OPENED
        + """
town = used(sys.argv[1])

def work():
    global town
    import gc
    town = None
    gc.collect()

assert ended(child(work)) == 0
assert len(town.session().list()) == 1
""",
        url,
    ).quiet()


def submit(url: str, number: int) -> str:
    """In a process of its own."""
    with grc.open(url) as store:
        session = store.authority("rennes").session("a-09")
        return str(session.submit("nid-de-poule", channel="telephone", fields=HOLE, key=f"form-{number}").id)


def refuse(url: str) -> None:
    """Raises one of the package's exceptions, which has to come back whole."""
    with grc.open(url) as store:
        store.authority("rennes").session("a-09").submit("nid-de-poule", channel="telephone")


def test_processes_that_are_spawned(tmp_path: Path, file: str) -> None:
    with grc.open(file) as store:
        store.authority("rennes").host("tests").publish(definition())
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            ids = pool.starmap(submit, [(file, number % 4) for number in range(8)])
            with pytest.raises(grc.Refused) as refused:
                pool.apply(refuse, (file,))
        assert refused.value.codes == {"field.required"}
        listed = {str(one.id) for one in store.authority("rennes").session("a-09").list()}
        assert set(ids) == listed and len(listed) == 4


def test_a_child_of_a_fork_while_a_thread_is_inside_of_python_ends_at_once() -> None:
    ran = run(
        OPENED
        + """
import threading
entered, go_on = threading.Event(), threading.Event()

class Waiting(Post):
    def deliver(self, message):
        entered.set()
        go_on.wait()
        return grc.Sent()

town = used("memory:")
town.hole(requester=ANNE)
worker = threading.Thread(target=town.host.work, args=(Waiting(),))
worker.start()
entered.wait()
began = time.monotonic()
pid = os.fork()
if pid == 0:
    # As a child of multiprocessing ends: with what was registered for the end.
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert time.monotonic() - began < 1.5
go_on.set()
worker.join()
"""
    )
    ran.quiet()
