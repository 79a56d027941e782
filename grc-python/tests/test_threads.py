"""Threads: one store for all, nothing lost, and who waits does not hold the interpreter."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from scripts import locked
from towns import ANNE, DAY, HOLE, Post, Town

import grc

THREADS = 8


def test_no_increment_is_lost(lasting_town: Town) -> None:
    reported = lasting_town.hole(fields={**HOLE, "profondeur": 0})
    conflicts = [0] * THREADS
    start = threading.Barrier(THREADS)

    def increment(thread: int) -> None:
        session = lasting_town.authority.session("a-09")
        start.wait(30)
        for _ in range(10):
            while True:
                seen = session.open(reported.id)
                depth = seen.fields["profondeur"]
                assert isinstance(depth, int)
                try:
                    session.act(seen, grc.Correct({"profondeur": depth + 1}))
                except grc.Conflict:
                    conflicts[thread] += 1
                else:
                    break

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(increment, thread) for thread in range(THREADS)]:
            done.result(timeout=90)
    seen = lasting_town.session().open(reported.id)
    assert seen.fields["profondeur"] == THREADS * 10
    corrections = [entry for entry in lasting_town.session().history(reported.id) if entry.kind == "corrected"]
    assert len(corrections) == THREADS * 10 and sum(conflicts) > 0
    assert lasting_town.host.verify(reported.id).sound


def test_everything_at_once(lasting_town: Town) -> None:
    # Writers, readers, workers, figures and files, each for itself: no deadlock, and all of it is there.
    session = lasting_town.session()
    post = Post()
    jobs: list[Any] = [
        lambda: lasting_town.hole(requester=ANNE),
        lambda: list(session.requests(limit=7)),
        lambda: lasting_town.host.work(post),
        lambda: session.measure(["opened", "closure-median"], by="month"),
        lambda: lasting_town.hole(files=[session.store_file("a.txt", b"a" * 5000)]),
        lambda: lasting_town.host.changes(),
        lambda: lasting_town.host.publish(lasting_town.host.definition()),
        lambda: session.list(where={"==": [{"var": "form.danger"}, True]}),
    ]

    def repeat(job: Any) -> None:
        for _ in range(12):
            job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(repeat, job) for job in jobs]:
            done.result(timeout=90)
    lasting_town.later(DAY)
    lasting_town.host.work(post)
    assert len(list(session.requests())) == 24
    assert len(post.got) == len({message.key for message in post.got}) == 12


class Slow(Post):
    """A transport that takes its time, in the interpreter's sleep."""

    def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        time.sleep(0.5)
        return super().deliver(message)


def test_who_waits_does_not_hold_the_interpreter(memory_town: Town) -> None:
    memory_town.hole(requester=ANNE)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(memory_town.host.work, Slow())
        done = 0
        while not working.done():
            memory_town.hole()
            done += 1
        assert working.result(timeout=30).sent == 1
    assert done > 10, "others go on meanwhile"


def test_a_commit_that_waits_does_not_hold_the_interpreter(file_town: Town, tmp_path: Path) -> None:
    # Somebody else holds the file: the commit waits for them, and this thread counts.
    with ThreadPoolExecutor(1) as pool:
        with locked(tmp_path / "town.db"):
            waiting = pool.submit(file_town.hole)
            count = 0
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                count += 1
            assert not waiting.done() and count > 1000
        assert waiting.result(timeout=30).id


def test_keys_make_once_of_many(lasting_town: Town) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(lambda _: lasting_town.hole(key="form-1"), range(THREADS * 3), timeout=60))
    assert len({one.id for one in told}) == 1 and len(lasting_town.session().list()) == 1


def test_closing_while_others_work(lasting_town: Town) -> None:
    def until_closed() -> type[Exception]:
        while True:
            try:
                lasting_town.hole()
            except grc.GrcError as error:
                return type(error)

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(until_closed) for _ in range(4)]
        time.sleep(0.2)
        lasting_town.store.close()
        kinds = {one.result(timeout=30) for one in working}
    # What was under way may have lost its connection in the middle.
    assert all(issubclass(kind, (grc.ClosedError, grc.StorageError, grc.KeyringError)) for kind in kinds), kinds


def test_an_exception_of_one_is_not_of_another(memory_town: Town) -> None:
    def one(thread: int) -> None:
        for n in range(30):
            with pytest.raises(ValueError, match="lone surrogate" if thread % 2 else "no fact"):
                if thread % 2:
                    memory_town.hole(fields={"description": "\udc80"})
                else:
                    memory_town.session().list(colour=f"{n}")

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(one, thread) for thread in range(THREADS)]:
            done.result(timeout=60)
