"""What the examples in the package's docstrings run with: `pytest --doctest-modules python/grc`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import grc

LIB = Path(__file__).parent.parent / "grc-core" / "tests" / "definitions" / "lib.toml"


@pytest.fixture(autouse=True)
def town_of_the_examples(doctest_namespace: dict[str, object]) -> Iterator[None]:
    """`TOWN`, the small definition that the examples of the Rust crate use too, and a town with a leak: Claire takes calls, Marc
    heads the water service."""
    definition = grc.Definition.from_files({LIB.name: LIB.read_text(encoding="utf-8")})
    with grc.open("memory:") as store:
        town = store.authority("rennes")
        town.host("set-up").publish(definition)
        leak = town.session("a-17").submit(
            "water-leak",
            channel="phone",
            fields={"description": "eau qui coule devant le 12"},
            requester=grc.Party(given="Anne", family="Le Gall", phone="06 39 98 12 34", answer_by="sms"),
        )
        doctest_namespace |= {
            "TOWN": definition,
            "claire": town.session("a-17"),
            "datetime": datetime,
            "grc": grc,
            "host": town.host("examples"),
            "leak": leak,
            "marc": town.session("a-03"),
            "store": store,
            "timedelta": timedelta,
            "timezone": timezone,
            "town": town,
        }
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The examples in `grc.aio` are those of its twin, with `await`, which has to stand in a coroutine."""
    awaited = [item for item in items if item.name.startswith("grc.aio._")]
    if awaited:
        config.hook.pytest_deselected(items=awaited)
        items[:] = [item for item in items if item not in awaited]
