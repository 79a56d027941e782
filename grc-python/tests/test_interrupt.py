"""Ctrl-C: who waits is interrupted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from scripts import locked, run
from towns import Town

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")


def test_a_commit_that_waits(file_town: Town, file: str, tmp_path: Path) -> None:
    with locked(tmp_path / "town.db"):
        ran = run(
            """
            with grc.open(sys.argv[1]) as store:
                town = Town(store, None)
                print("waiting", flush=True)
                try:
                    town.hole()
                except KeyboardInterrupt:
                    print("interrupted", flush=True)
                    os._exit(0)
            """,
            file,
            interrupted=True,
        )
    ran.quiet()
    assert "interrupted" in ran.out and ran.seconds < 2


def test_and_the_program_ends(file_town: Town, file: str, tmp_path: Path) -> None:
    # Left to itself, as most programs do: the traceback is Python's, and the exit too.
    with locked(tmp_path / "town.db"):
        ran = run(
            """
            store = grc.open(sys.argv[1])
            print("waiting", flush=True)
            Town(store, None).hole()
            """,
            file,
            interrupted=True,
        )
    assert ran.code in (130, -2) and "KeyboardInterrupt" in ran.err and "panic" not in ran.err
    assert ran.seconds < 30, "it ends"


def test_a_store_goes_on_after_it(file_town: Town, file: str, tmp_path: Path) -> None:
    ran = run(
        """
        from scripts import locked
        from pathlib import Path
        store = grc.open(sys.argv[1])
        town = Town(store, None)
        with locked(Path(sys.argv[2])):
            print("waiting", flush=True)
            try:
                town.hole(key="form-1")
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError
        told = town.hole(key="form-1")
        assert [one.id for one in town.session().list()] == [told.id]
        store.close()
        """,
        file,
        tmp_path / "town.db",
        interrupted=True,
    )
    ran.quiet()


TRANSPORT = """
class Sleeping(Post):
    def deliver(self, message):
        print("waiting", flush=True)
        time.sleep(30)
        return grc.Sent()

with grc.open("memory:") as store:
    town = Town(store, None)
    town.host.publish(definition())
    town.hole(requester=ANNE)
    try:
        town.host.work(Sleeping())
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_a_transport_that_waits() -> None:
    ran = run(TRANSPORT, interrupted=True).quiet()
    assert "interrupted" in ran.out and ran.seconds < 2


def test_a_file_object_that_waits() -> None:
    ran = run(
        """
        class Sleeping:
            def read(self, size):
                print("waiting", flush=True)
                time.sleep(30)

        with grc.open("memory:") as store:
            town = Town(store, None)
            town.host.publish(definition())
            try:
                town.session().store_file("a.txt", Sleeping())
            except KeyboardInterrupt:
                print("interrupted")
        """,
        interrupted=True,
    ).quiet()
    assert "interrupted" in ran.out and ran.seconds < 2


def test_asyncio(file_town: Town, file: str, tmp_path: Path) -> None:
    with locked(tmp_path / "town.db"):
        ran = run(
            """
            async def main():
                store = await aio.open(sys.argv[1])
                print("waiting", flush=True)
                await AsyncTown(store, None).hole()

            try:
                asyncio.run(main())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
                os._exit(0)
            """,
            file,
            interrupted=True,
        )
    ran.quiet()
    assert "interrupted" in ran.out and ran.seconds < 2


def test_a_call_that_is_busy_all_the_time(file: str) -> None:
    # It never waits for long, so nothing wakes it up late.
    ran = run(
        """
        import io, signal
        seen = []
        with grc.open(sys.argv[1]) as store:
            town = Town(store, None)
            town.host.publish(definition())
            signal.signal(signal.SIGALRM, lambda *_: seen.append(time.monotonic()))
            signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
            began = time.monotonic()
            town.session().store_file("grand.txt", b"a" * 15_000_000)
            took = time.monotonic() - began
            signal.setitimer(signal.ITIMER_REAL, 0)
        looked = [one for one in seen if one < began + took]
        # At least every tenth of a second, with room for a slow machine.
        assert took < 0.2 or len(looked) > took / 0.2, (took, len(looked))
        """,
        file,
    )
    ran.quiet()
