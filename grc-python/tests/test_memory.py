"""Memory stays flat: many calls, and what they took is given back. Slow: run by `pytest -m slow`."""

from __future__ import annotations

import pytest
from scripts import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

# Two halves after a warm-up: what grows with the number of calls grows in the second half too.
MEASURE = """
import gc, psutil

def rss():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20

def measured(call, times):
    for _ in range(times // 10):
        call()
    figures = [rss()]
    for _ in range(2):
        for _ in range(times // 2):
            call()
        figures.append(rss())
    return figures

def told(what, figures, times):
    growth = figures[2] - figures[1]
    print(f"{what}: {', '.join(f'{figure:.1f}' for figure in figures)} MiB after {times} calls")
    assert growth < 4, f"{what} grew by {growth:.1f} MiB in its second half"
"""


def measured(capsys: pytest.CaptureFixture[str], script: str) -> None:
    ran = run(MEASURE + script, timeout=1000)
    with capsys.disabled():
        print("\n" + ran.out, end="")
    assert ran.code == 0, ran.err


def test_reads(capsys: pytest.CaptureFixture[str]) -> None:
    measured(
        capsys,
        """
with grc.open("memory:") as store:
    town = Town(store, None)
    town.host.publish(definition())
    session = town.session()
    ids = [town.hole(requester=ANNE).id for _ in range(20)]
    told("open", measured(lambda: session.open(ids[3]), 100_000), 100_000)
    told("list", measured(lambda: session.list(limit=5), 20_000), 20_000)
    told("history", measured(lambda: session.history(ids[3]), 20_000), 20_000)
    told("measure", measured(lambda: session.measure(["opened", "cents"], by="type"), 10_000), 10_000)
""",
    )


def test_writes(capsys: pytest.CaptureFixture[str]) -> None:
    measured(
        capsys,
        """
import tempfile
with tempfile.TemporaryDirectory() as folder, grc.open(f"sqlite:///{folder}/town.db", relaxed=True) as store:
    town = Town(store, None)
    town.host.publish(definition())
    session, hole = town.session(), town.hole().id
    told("submit", measured(lambda: town.hole(requester=ANNE), 20_000), 20_000)
    told("act_on", measured(lambda: session.act_on(hole, grc.Correct({"profondeur": 1})), 2_000), 2_000)
""",
    )


def test_conversions(capsys: pytest.CaptureFixture[str]) -> None:
    measured(
        capsys,
        """
town_definition = definition()
intake = grc.Intake(type="nid-de-poule", channel="telephone", fields=HOLE, parties=[ANNE], place=SOMEWHERE,
                    code="UMB4-MMVE-P4AD")

def refused():
    try:
        grc.decide_intake(town_definition, grc.Intake(type="nid-de-poule", channel="telephone"), actor="a-09", now=START)
    except grc.Refused:
        pass

def wrong():
    try:
        grc.ManualClock("now")
    except TypeError:
        pass

told("moments", measured(lambda: grc.ManualClock(START).now(), 100_000), 100_000)
told("wrong types", measured(wrong, 100_000), 100_000)
told("intakes", measured(lambda: grc.decide_intake(town_definition, intake, actor="a-09", now=START), 20_000), 20_000)
told("refusals", measured(refused, 20_000), 20_000)
""",
    )


def test_asyncio(capsys: pytest.CaptureFixture[str]) -> None:
    measured(
        capsys,
        """
async def main():
    async with aio.open("memory:") as store:
        town = AsyncTown(store, None)
        await town.host.publish(definition())
        id = (await town.hole(requester=ANNE)).id
        session = town.session()

        async def halves(call, times):
            for _ in range(times // 10):
                await call()
            figures = [rss()]
            for _ in range(2):
                for _ in range(times // 2):
                    await call()
                figures.append(rss())
            return figures

        async def cancelled():
            task = asyncio.ensure_future(session.open(id))
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        told("awaited", await halves(lambda: session.open(id), 30_000), 30_000)
        told("cancelled", await halves(cancelled, 30_000), 30_000)

asyncio.run(main())
""",
    )


def test_files_and_stores(capsys: pytest.CaptureFixture[str]) -> None:
    measured(
        capsys,
        """
import tempfile
folder = tempfile.mkdtemp()

def opened():
    with grc.open(f"sqlite:///{folder}/town.db") as store:
        store.authority("rennes")

told("openings", measured(opened, 1_000), 1_000)

with grc.open("memory:") as store:
    town = Town(store, None)
    town.host.publish(definition())
    session = town.session()
    data = b"x" * 100_000
    file = session.store_file("a.txt", data)
    reported = town.hole(files=[file])
    (seen,) = session.open(reported.id).files
    told("files", measured(lambda: session.read_file(reported.id, seen), 5_000), 5_000)

import shutil
shutil.rmtree(folder)
""",
    )
