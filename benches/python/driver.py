"""What both programs have in common: they are told what to do on standard input, a line each, and answer a line of JSON.

`intake CALLERS COUNT` and `transition CALLERS COUNT` answer how many seconds it took, `check` what there is in the end.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

Id = TypeVar("Id")

MANY = 16
"""How many hand in what is then dealt with."""


class Caller(Protocol[Id]):
    """Somebody at work, in one thread."""

    def receive(self, n: int) -> Id:
        """Hands in the nth request."""

    def assign(self, id: Id) -> None:
        """Has an agent deal with it."""


class Town(Protocol[Id]):
    """What is measured."""

    def caller(self) -> AbstractContextManager[Caller[Id]]:
        """Called in the thread that it is for, before anything is timed."""

    def check(self) -> dict[str, int]:
        """Counts what there is."""


class Driver(Generic[Id]):
    """Has a town do what is asked for."""

    def __init__(self, town: Town[Id]) -> None:
        self._town = town
        self._numbers = itertools.count()

    def serve(self, lines: Iterable[str]) -> None:
        self._say("ready")
        for line in lines:
            match line.split():
                case ["intake", callers, count]:
                    self._say(self._receive(int(callers), int(count))[1])
                case ["transition", callers, count]:
                    ids, _ = self._receive(MANY, int(count))
                    self._say(self._assign(int(callers), ids))
                case ["check"]:
                    self._say(self._town.check())
                case _:
                    raise ValueError(f"what is {line!r}?")

    def _receive(self, callers: int, count: int) -> tuple[list[Id], float]:
        ids: list[Id] = []
        numbers = list(itertools.islice(self._numbers, count))
        seconds = self._timed(callers, count, lambda caller, n: ids.append(caller.receive(numbers[n])))
        return ids, seconds

    def _assign(self, callers: int, ids: list[Id]) -> float:
        return self._timed(callers, len(ids), lambda caller, n: caller.assign(ids[n]))

    def _timed(self, callers: int, count: int, work: Callable[[Caller[Id], int], None]) -> float:
        """Does so many things by so many callers, each a thread of its own: how long it took from the moment at which all
        were ready. As `timed` of benches/src/timing.rs."""
        ready, done, failures = threading.Barrier(callers + 1), threading.Barrier(callers + 1), list[BaseException]()
        # Asking a count for its next is one step of the interpreter.
        turns = itertools.count()

        def run() -> None:
            try:
                with self._town.caller() as caller:
                    ready.wait()
                    while (n := next(turns)) < count:
                        work(caller, n)
                    done.wait()
            except BaseException as error:
                failures.append(error)
                ready.abort()
                done.abort()

        threads = [threading.Thread(target=run) for _ in range(callers)]
        for thread in threads:
            thread.start()
        seconds = 0.0
        try:
            ready.wait()
            begun = time.perf_counter()
            done.wait()
            seconds = time.perf_counter() - begun
        except threading.BrokenBarrierError:
            pass
        for thread in threads:
            thread.join()
        for failure in failures:
            if not isinstance(failure, threading.BrokenBarrierError):
                raise failure
        return seconds

    def _say(self, answer: object) -> None:
        print(json.dumps(answer), flush=True)


def main(town: Town[Id]) -> None:
    Driver(town).serve(sys.stdin)
