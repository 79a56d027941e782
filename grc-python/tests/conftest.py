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

"""Fixtures: towns in memory and in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

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


@pytest.fixture(params=["memory", "file"])
def town(request: pytest.FixtureRequest) -> Town:
    """Both, one after the other."""
    town: Town = request.getfixturevalue(f"{request.param}_town")
    return town


@pytest.fixture
async def async_memory_town(clock: grc.ManualClock) -> AsyncIterator[AsyncTown]:
    """A town in memory, for asyncio."""
    async with aio.open("memory:", clock=clock, seed=7) as store:
        town = AsyncTown(store, clock)
        await town.host.publish(definition())
        yield town


@pytest.fixture
async def async_file_town(clock: grc.ManualClock, file: str) -> AsyncIterator[AsyncTown]:
    """A town in a file, for asyncio."""
    async with aio.open(file, clock=clock, seed=7, test=True) as store:
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
