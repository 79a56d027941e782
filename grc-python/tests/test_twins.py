"""The twins: what is in `grc` is in `grc.aio`, with the same parameters and the same words."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from towns import definition

import grc
from grc import _sync, aio

TOOL = Path(__file__).parent.parent / "tools" / "twins.py"
CLASSES = ["Authority", "Host", "Session", "Store"]


def public(kind: type) -> set[str]:
    """Its methods and properties."""
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


@pytest.mark.parametrize("name", CLASSES)
def test_the_same_methods(name: str) -> None:
    one, other = getattr(_sync, name), getattr(aio, name)
    assert getattr(grc, name) is one
    assert public(one) == public(other) and len(public(one)) >= 3
    for method in public(one):
        here, there = getattr(one, method), getattr(other, method)
        # The examples of the one are those of the other, awaited.
        words = re.sub(r"\b(await|async) ", "", inspect.getdoc(there) or "")
        assert inspect.getdoc(here) and inspect.getdoc(here) == words
        if not callable(here):
            continue
        parameters, others = inspect.signature(here).parameters, inspect.signature(there).parameters
        assert list(parameters) == list(others)
        for parameter in parameters:
            first, second = parameters[parameter], others[parameter]
            assert (first.kind, first.default) == (second.kind, second.default)
            if parameter != "transport":
                assert first.annotation == second.annotation
        assert not inspect.iscoroutinefunction(here)


def test_what_is_awaited() -> None:
    # What reads or writes is awaited; what only names something is not.
    plain = {"authority", "now", "closed", "session", "host", "name"}
    for name in CLASSES:
        for method in public(getattr(aio, name)) - plain:
            function = getattr(getattr(aio, name), method)
            awaited = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
            assert awaited, f"{name}.{method}"


def test_opening() -> None:
    assert inspect.signature(grc.open).parameters == inspect.signature(aio.open).parameters
    assert inspect.signature(grc.open).return_annotation == "Store"


def test_the_twin_is_up_to_date() -> None:
    subprocess.run([sys.executable, str(TOOL), "--check"], check=True)


COMPILED = [grc.Definition, grc.Request, grc.ManualClock]
"""What has no module of its own in which examples are looked for."""


def test_everything_has_words_and_what_is_called_an_example() -> None:
    for name in grc.__all__:
        thing = getattr(grc, name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert inspect.getdoc(thing), name
    called = [("", grc.open), ("", grc.decide), ("", grc.decide_intake)]
    for kind in [getattr(grc, name) for name in CLASSES] + COMPILED:
        called += [(kind.__name__, getattr(kind, method)) for method in public(kind)]
    assert len(called) > 60
    for kind_name, one in called:
        assert inspect.getdoc(one), (kind_name, one)
        if callable(one):
            assert ">>>" in str(inspect.getdoc(one)), (kind_name, one)


def test_the_examples_of_what_is_compiled_run() -> None:
    with grc.open("memory:") as store:
        town = store.authority("rennes")
        town.host("set-up").publish(definition("lib.toml"))
        leak = town.session("a-17").submit("water-leak", channel="phone", fields={"description": "une fuite"})
        known = {"grc": grc, "TOWN": definition("lib.toml"), "leak": leak}
        known |= {"datetime": datetime, "timedelta": timedelta, "timezone": timezone}
        runner, count = doctest.DocTestRunner(), 0
        for kind in COMPILED:
            for method in public(kind):
                words = inspect.getdoc(getattr(kind, method)) or ""
                examples = doctest.DocTestParser().get_doctest(words, dict(known), method, None, None)
                count += len(examples.examples)
                assert runner.run(examples).failed == 0, (kind, method)
        assert count > 15


def test_all_that_is_public_is_there() -> None:
    assert set(grc.__all__) <= set(dir(grc)) and len(grc.__all__) == len(set(grc.__all__))
    for module in (aio, _sync):
        assert set(module.__all__) <= set(dir(module))
    for module_name in (
        "commands",
        "errors",
        "figures",
        "given",
        "lists",
        "protocols",
        "results",
        "site",
        "transports",
    ):
        module = getattr(grc, module_name)
        assert set(module.__all__) <= set(dir(module)), module_name
    # Everything that is asked or answered for is where one looks first.
    for module_name in ("commands", "errors", "site", "given", "transports"):
        assert set(getattr(grc, module_name).__all__) <= set(grc.__all__), module_name
