# What must pass, from the folder of the package (grc-python), with the package installed:
#
#   python -m pytest                                      the suite
#   python -m pytest -m slow                              memory: some minutes
#   python -m pytest --doctest-modules python/grc         the examples in the docstrings
#   python -m mypy && python -m mypy conftest.py          types, strictly (see pyproject.toml)
#   python -m mypy.stubtest grc --allowlist tools/stubtest.allow
#                                                         the stubs are those of the compiled module
#   python tools/twins.py --check                         the twin for callers that wait is up to date
#   ruff format --check python tests tools conftest.py    the code is formatted
#
# It needs pytest, pytest-asyncio, pytest-timeout, hypothesis, psutil, pandas, polars, pyarrow and duckdb.

"""Fixtures: towns in memory, in a file, and on a server."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypedDict

import pytest
from towns import START, AsyncTown, Town, definition

import grc
from grc import aio


@pytest.fixture
def clock() -> grc.ManualClock:
    """A clock that stands still."""
    return grc.ManualClock(START)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The address of a store in a file, which is not there yet."""
    return f"sqlite:///{tmp_path / 'town.db'}"


SERVER = "GRC_TEST_SERVER"
"""Names a server with the empty databases `t1`, `k1`, `t2`, `k2`…: `cargo xtask python` starts one of its own."""

NUMBERS = itertools.count(1)


class Place(TypedDict, total=False):
    """Where a store is."""

    url: str
    keyring: str


@pytest.fixture
def server() -> Place:
    """A store on a server, which is not there yet."""
    address = os.environ.get(SERVER)
    if not address:
        pytest.fail(f"the variable {SERVER} names no server: run `cargo xtask python`, which starts one")
    number = next(NUMBERS)
    return {"url": f"{address}/t{number}", "keyring": f"{address}/k{number}"}


@pytest.fixture(params=["file", "server"])
def lasting(request: pytest.FixtureRequest, file: str) -> Place:
    """Where a store lasts, one after the other."""
    if request.param == "file":
        return {"url": file}
    place: Place = request.getfixturevalue("server")
    return place


@pytest.fixture(params=["memory", "file", "server"])
def anywhere(request: pytest.FixtureRequest, file: str) -> Place:
    """Wherever a store can be, one after the other."""
    if request.param == "memory":
        return {"url": "memory:"}
    if request.param == "file":
        return {"url": file}
    place: Place = request.getfixturevalue("server")
    return place


@pytest.fixture
def memory_town(clock: grc.ManualClock) -> Iterator[Town]:
    """A town in memory."""
    with grc.open("memory:", clock=clock, seed=7) as store:
        town = Town(store, clock)
        town.host.publish(definition())
        yield town


@pytest.fixture
def file_town(clock: grc.ManualClock, file: str) -> Iterator[Town]:
    """A town in a file."""
    with grc.open(file, clock=clock, seed=7, test=True) as store:
        town = Town(store, clock)
        town.host.publish(definition())
        yield town


@pytest.fixture
def town(clock: grc.ManualClock, anywhere: Place) -> Iterator[Town]:
    """A town wherever it can be."""
    with grc.open(**anywhere, clock=clock, seed=7, test=True) as store:
        town = Town(store, clock)
        town.host.publish(definition())
        yield town


@pytest.fixture
def lasting_town(clock: grc.ManualClock, lasting: Place) -> Iterator[Town]:
    """A town that lasts."""
    with grc.open(**lasting, clock=clock, seed=7, test=True) as store:
        town = Town(store, clock)
        town.host.publish(definition())
        yield town


@pytest.fixture
async def async_memory_town(clock: grc.ManualClock) -> AsyncIterator[AsyncTown]:
    """A town in memory, for asyncio."""
    async with aio.open("memory:", clock=clock, seed=7) as store:
        town = AsyncTown(store, clock)
        await town.host.publish(definition())
        yield town


@pytest.fixture
async def async_lasting_town(clock: grc.ManualClock, lasting: Place) -> AsyncIterator[AsyncTown]:
    """A town that lasts, for asyncio."""
    async with aio.open(**lasting, clock=clock, seed=7, test=True) as store:
        town = AsyncTown(store, clock)
        await town.host.publish(definition())
        yield town


@pytest.fixture
def open_town(clock: grc.ManualClock) -> Iterator[Town]:
    """A town in memory in which everything can be typed: fields of every kind."""
    with grc.open("memory:", clock=clock, seed=7) as store:
        town = Town(store, clock)
        town.host.publish(definition("hostile.toml"))
        yield town
