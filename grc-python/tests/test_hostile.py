"""Hostile input through the bindings: it is answered, or refused with an exception of the package's, in a bounded time; and
what comes next is as before."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_wrong_types import PLACES
from towns import HOLE, Town, definition

import grc

DEFINITION = definition()

DATA = Path(__file__).parents[2] / "grc-core" / "tests" / "data"

TEXTS: list[str] = [
    text for name in ("blns.json", "more.json") for text in json.loads((DATA / name).read_text(encoding="utf-8"))
]
"""What the Rust tests are given too."""


def _nested(wrap: Callable[[Any], Any], inner: Any, depth: int) -> Any:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


def _itself() -> list[Any]:
    itself: list[Any] = []
    itself.append(itself)
    return itself


def _mapping_of_itself() -> dict[str, Any]:
    itself: dict[str, Any] = {}
    itself["!"] = itself
    return itself


GIANTS: dict[str, Any] = {
    "a text of 10 MB": "x" * 10_000_000,
    "as many bytes": b"\xff" * 10_000_000,
    "surrogates": "\ud800" * 1_000_000,
    "a list of many": ["x"] * 200_000,
    "a mapping of many": {str(n): n for n in range(200_000)},
    "a number of many digits": 10**4_000,
    "a deep list": _nested(lambda inner: [inner], True, 100_000),
    "a deep mapping": _nested(lambda inner: {"!": inner}, True, 100_000),
    "a list of itself": _itself(),
    "a mapping of itself": _mapping_of_itself(),
    # Of 2 ** 50 parts, as soon as somebody writes it out.
    "each twice": _nested(lambda inner: [inner, inner], True, 50),
    "each twice, named": _nested(lambda inner: {"and": [inner, inner]}, True, 50),
}

ODD: list[Any] = [
    "",
    b"",
    "\ud800",
    "\udfffx",
    "a\ud800" * 50,
    b"\xff",
    bytearray(b"x"),
    memoryview(b"x"),
    float("nan"),
]

MORE: dict[str, Callable[[Town, Any], object]] = {
    "where": lambda town, given: town.session().list(where=given),
    "where.named": lambda town, given: town.session().list(where={given: given}),
    "where.scalar": lambda town, given: town.session().list(where={"==": [{"var": "opened"}, given]}),
    "where.one-of": lambda town, given: town.session().list(where={"in": [{"var": "state"}, [given]]}),
    "where.sites": lambda town, given: town.session().interventions(where=given),
    "where.figures": lambda town, given: town.host.measure(grc.Question("opened", where=given)),
    "facts.name": lambda town, given: town.session().list(facts={given: "x"}),
    "facts.value": lambda town, given: town.session().list(facts={"state": given}),
    "facts.moment": lambda town, given: town.session().list(facts={"opened": given}),
    "by": lambda town, given: town.host.measure(grc.Question("opened", by=given)),
    "figure": lambda town, given: town.host.measure(grc.Question(given)),
    "behind.keys": lambda town, given: town.host.behind(grc.Question(by=["month"]), "opened", [given]),
    "list.after": lambda town, given: town.session().list(after=given),
    "fields.value": lambda town, given: town.hole(fields={**HOLE, "description": given}),
    "fields.name.wrong": lambda town, given: town.hole(fields={given: object()}),
    "decide.type": lambda town, given: grc.decide_intake(
        DEFINITION, grc.Intake(type=given, channel="web"), actor="a-09", now=town.clock.now()
    ),
    "decide.channel": lambda town, given: grc.decide_intake(
        DEFINITION, grc.Intake(type="avaloir", channel=given), actor=given, now=town.clock.now()
    ),
    "fields.name": lambda town, given: town.hole(fields={given: "x"}),
    "party": lambda town, given: town.hole(requester=grc.Party(given=given, family=given, email=given, phone=given)),
    "place": lambda town, given: town.hole(place=grc.Place(address=(given, given, given))),
    "position": lambda town, given: town.hole(place=grc.Place(position=(given, given))),
    "key": lambda town, given: town.hole(key=given),
    "tell": lambda town, given: town.session().act_on(town.hole().id, grc.Tell(given)),
    "correct": lambda town, given: town.session().act_on(town.hole().id, grc.Correct({"description": given})),
    "agent_name": lambda town, given: town.session().agent_name(given),
    "forget_agent": lambda town, given: town.host.forget_agent(given),
    "report.key": lambda town, given: town.host.report(given, grc.Failed("x")),
    "contact": lambda town, given: town.session().by_contact("espace-public", "email", given),
    "from_dict.value": lambda town, given: grc.Definition.from_dict({"organisation": given}),
    "from_dict.name": lambda town, given: grc.Definition.from_dict({given: {}}),
    "from_files.text": lambda town, given: grc.Definition.from_files({"a.toml": given}),
    "from_files.name": lambda town, given: grc.Definition.from_files({given: "{"}),
    "from_dir": lambda town, given: grc.Definition.from_dir(given),
}

ALL = PLACES | MORE

BOUND = 20.0
"""Seconds for a call: many times what any takes while the machine is busy."""


def _repeats(said: str, given: object) -> bool:
    """Whether it repeats what somebody typed. Names may be named: they say where."""
    if not isinstance(given, str) or re.fullmatch(r"[a-z0-9._-]{1,64}", given):
        return False
    typed = given.strip()[:200]
    return len(typed) >= 12 and typed in said


def _given(town: Town, place: str, name: str, given: Any, *, answer: list[str]) -> None:
    """Hands it in. What goes wrong is told by its name: itself it could not be shown."""
    begun = time.monotonic()
    try:
        ALL[place](town, given)
    except (TypeError, ValueError, grc.GrcError) as error:
        # Of a definition all that is wrong is told, a thousand times at most, as it is written.
        if len(str(error)) > (1_000_000 if isinstance(error, grc.DefinitionError) else 3_000):
            answer.append(f"{name}: {len(str(error))} characters are said")
        repeats = not isinstance(error, grc.DefinitionError) and _repeats(str(error), given)
        if "should not" in str(error) or repeats:
            answer.append(f"{name}: {str(error)[:200]}")
    except Exception as error:
        answer.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
    took = time.monotonic() - begun
    if took > BOUND:
        answer.append(f"{name}: {took:.0f} seconds")


@pytest.mark.parametrize("place", ALL)
def test_hostile_input_is_answered_or_refused(memory_town: Town, place: str) -> None:
    bad: list[str] = []
    # Each text comes to some places, and each place is given some dozens.
    first = list(ALL).index(place) % 8
    for text in TEXTS[first::8]:
        _given(memory_town, place, ascii(text)[:80], text, answer=bad)
    for odd in ODD:
        _given(memory_town, place, ascii(odd)[:80], odd, answer=bad)
    for name, giant in GIANTS.items():
        _given(memory_town, place, name, giant, answer=bad)
    assert not bad
    # The next is as before.
    assert memory_town.session().open(memory_town.hole().id).fields["description"] == HOLE["description"]
    assert json.dumps(_nested(lambda inner: [inner], True, 50)).count("[") == 50


def test_what_is_written_out_is_measured_first() -> None:
    for name in ("a deep mapping", "a mapping of itself", "each twice, named"):
        with pytest.raises(grc.Unsuitable, match="too deep|too large"):
            grc.Definition.from_dict(GIANTS[name])
    with pytest.raises(grc.Unsuitable, match="too large"):
        grc.Definition.from_dict({"organisation": ["x" * 10_000_000] * 2})
    # Not among the others: where a tuple is a key, the interpreter itself goes that deep.
    with pytest.raises(grc.Unsuitable, match="too deep"):
        grc.Definition.from_dict({"organisation": _nested(lambda inner: (inner,), True, 100_000)})
    with pytest.raises(grc.Unsuitable, match="surrogate"):
        grc.Definition.from_dict({"organisation": "\ud800"})
