"""Exceptions: one tree, with what a program needs to know, and no word of what was typed."""

from __future__ import annotations

import copy
import inspect
import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from towns import ANNE, DEFINITIONS, HOLE, START, WORKER, Town, definition

import grc
from grc import errors


def classes() -> list[type[grc.GrcError]]:
    """All of them."""
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, grc.GrcError)]
    return [kind for kind in found if not kind.__name__.startswith("_")]


def test_one_tree() -> None:
    assert len(classes()) > 15
    for kind in classes():
        assert issubclass(kind, grc.GrcError) and issubclass(kind, Exception)
        assert kind.__name__ in errors.__all__ and getattr(grc, kind.__name__) is kind
        assert kind.__doc__
    assert issubclass(grc.NotFound, LookupError) and issubclass(grc.Unsuitable, ValueError)
    assert issubclass(grc.KeyLost, grc.KeyringError)
    for kind in (grc.StorageUnavailable, grc.OutcomeUnknown, grc.StorageUnusable):
        assert issubclass(kind, grc.StorageError)


EXAMPLES: list[grc.GrcError] = [
    grc.GrcError("x"),
    grc.Refused("x", problems=[grc.Problem("code", "path", "message", "hint")]),
    grc.NotPermitted("x", problems=[grc.Problem("code", "path", "message")]),
    grc.NotFound("x"),
    grc.Conflict("x", seen=1, version=2, changed=["state"]),
    grc.DefinitionError("x", findings=[grc.Finding("code", "a.toml", "path", 3, "message", "hint")]),
    grc.NoDefinition("x", authority="rennes"),
    grc.StorageError("x", kind="conflict", retry="after-reload", conflict_on="stream", cause="c"),
    grc.StorageUnavailable("x", kind="unavailable", retry="same"),
    grc.OutcomeUnknown("x"),
    grc.StorageUnusable("x"),
    grc.KeyringError("x", unavailable=True, cause="c"),
    grc.KeyLost("x", request=UUID(int=5)),
    grc.Corrupt("x"),
    grc.NewerVersion("x"),
    grc.Busy("x"),
    grc.Unsuitable("x"),
    grc.ClosedError("x"),
    grc.ForkedError("x"),
]


def test_there_is_an_example_of_each() -> None:
    assert {type(example) for example in EXAMPLES} == set(classes())


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_they_are_copied_and_pickled_whole(error: grc.GrcError) -> None:
    # Pools of processes and task queues hand exceptions on in this way.
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is type(error) and str(again) == str(error) == "x"
        assert again.__dict__ == error.__dict__ and again.args == error.args
    for other in (copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error) and other.__dict__ == error.__dict__


def test_refused(memory_town: Town) -> None:
    with pytest.raises(grc.Refused) as raised:
        memory_town.hole(fields={"profondeur": 999}, requester=grc.Party(phone="12 not-a-phone"))
    error = raised.value
    assert error.codes == {"field.required", "field.range", "field.phone"}, "all reasons at once"
    paths = {problem.path for problem in error.problems}
    assert paths == {"fields.danger", "fields.profondeur", "requester.phone"}
    assert all(problem.hint for problem in error.problems if problem.code != "field.required")
    assert "not-a-phone" not in str(error) and "999" not in str(error)
    assert str(error) == error.message
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_not_permitted(memory_town: Town) -> None:
    with pytest.raises(grc.NotPermitted) as raised:
        memory_town.session(WORKER).submit("nid-de-poule", channel="telephone", fields=HOLE)
    assert raised.value.codes == {"permission.denied"}


def test_not_found(memory_town: Town) -> None:
    reported = memory_town.hole()
    session = memory_town.session(WORKER)
    for attempt in (session.open, session.history, lambda id: session.act_on(id, grc.Note("x"))):
        with pytest.raises(grc.NotFound) as hidden:
            attempt(reported.id)
        with pytest.raises(grc.NotFound) as missing:
            attempt(UUID(int=1))
        assert str(hidden.value) == str(missing.value), "who may not see it learns nothing"
    with pytest.raises(LookupError):
        memory_town.session(grc.Citizen()).follow()


def test_conflict(memory_town: Town) -> None:
    session = memory_town.session()
    seen = session.open(memory_town.hole().id)
    session.fire(seen, "affecter", to=grc.Assignee(team="chaussee"))
    with pytest.raises(grc.Conflict) as raised:
        session.fire(seen, "affecter", to=grc.Assignee(team="eclairage"))
    error = raised.value
    assert (error.seen, error.version) == (seen.version, session.open(seen.id).version)
    assert set(error.changed) == {"assignment", "state"}
    session.act(seen, grc.Note("a note touches nothing that was changed"))


def test_definition_error(memory_town: Town) -> None:
    text = (DEFINITIONS / "lib.toml").read_text(encoding="utf-8")
    broken = text.replace('to = "done"', 'to = "nope"').replace('family = "roads"', 'family = "rods"')
    with pytest.raises(grc.DefinitionError) as raised:
        grc.Definition.from_files({"lib.toml": broken})
    findings = raised.value.findings
    assert len(findings) == 2, "everything at once"
    target = next(finding for finding in findings if finding.code == "dangling-target")
    assert (target.file, target.hint) == ("lib.toml", "did you mean `done`?")
    assert target.line is not None and "nope" in broken.splitlines()[target.line - 1]
    assert target.path.startswith("procedure.water-leak.transition")
    for finding in findings:
        assert finding.message in str(raised.value)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda path: grc.Definition.from_dir(path / "nowhere"),
        lambda path: grc.Definition.from_files({"a.toml": "[x"}),
        lambda path: grc.Definition.from_files({"a.json": "{"}),
        lambda path: grc.Definition.from_files({}),
        lambda path: grc.Definition.from_dict({"organization": {}}),
    ],
)
def test_what_is_no_definition(tmp_path: Path, attempt: Any) -> None:
    with pytest.raises(grc.DefinitionError) as raised:
        attempt(tmp_path).check()
    assert raised.value.findings and all(finding.code for finding in raised.value.findings)


def test_no_definition() -> None:
    with grc.open("memory:") as store:
        authority = store.authority("rennes")
        for attempt in (
            lambda: authority.session("a-09").submit("x", channel="y"),
            lambda: authority.host("tests").definition(),
        ):
            with pytest.raises(grc.NoDefinition) as raised:
                attempt()
            assert raised.value.authority == "rennes"


def test_storage_unusable(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Madame, Monsieur, " * 500, encoding="utf-8")
    with pytest.raises(grc.StorageError) as raised:
        grc.open(f"sqlite:///{path}")
    assert isinstance(raised.value, grc.StorageUnusable) and raised.value.kind == "unusable"
    assert raised.value.retry == "never"
    with pytest.raises(grc.StorageError):
        grc.open(f"sqlite:///{tmp_path / 'nowhere' / 'town.db'}")
    with pytest.raises(grc.StorageError):
        grc.open(f"sqlite:///{tmp_path / 'town.db'}", create=False)
    assert not (tmp_path / "town.db").exists()


def test_a_file_that_a_newer_program_or_another_wrote(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table person (name text)")
    other.close()
    with pytest.raises(grc.StorageUnusable):
        grc.open(f"sqlite:///{path}")


def test_the_wrong_keyring(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with grc.open(f"sqlite:///{tmp_path / name}.db") as store:
            town = store.authority("rennes")
            town.host("tests").publish(definition())
            town.session("a-09").submit("nid-de-poule", channel="telephone", fields=HOLE)
    with pytest.raises(grc.KeyringError) as raised:
        grc.open(f"sqlite:///{tmp_path / 'one.db'}", keyring=f"sqlite:///{tmp_path / 'two.keys'}")
    assert not raised.value.unavailable


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ({"url": "postgres://user:password-8417@host/db"}, ValueError, "an address is memory:"),
        ({"url": "sqlite://"}, ValueError, "an address is memory:"),
        ({"url": ""}, ValueError, "an address is memory:"),
        ({"url": 5}, TypeError, "url: a str is wanted"),
        ({"url": "mysql://user:password-8417@localhost:1/db"}, ValueError, "keyring: a store on a server"),
        ({"url": "memory:", "keyring": "password-8417"}, ValueError, "keyring: an address is"),
        ({"url": "memory:", "seed": 2**70}, grc.Unsuitable, "seed: the number does not fit"),
        ({"url": "memory:", "seed": "7"}, TypeError, "seed: an int is wanted"),
        ({"url": "memory:", "create": 1}, TypeError, "create: a bool is wanted"),
        ({"url": "memory:", "connections": -1}, ValueError, "connections: from 0"),
        ({"url": "memory:", "clock": "now"}, (TypeError, AttributeError), "now"),
    ],
)
def test_what_cannot_be_opened(parts: dict[str, Any], error: Any, says: str) -> None:
    with pytest.raises(error, match=says) as raised:
        grc.open(**parts)
    assert "password-8417" not in str(raised.value)


def test_what_is_unsuitable_says_what_it_is_about(memory_town: Town) -> None:
    def interrupted() -> Iterator[str]:
        yield "rouge"
        raise KeyboardInterrupt

    wrong: Any
    for wrong, error, path in [
        (2**70, grc.Unsuitable, "fields.nombre"),
        (["\ud800"], grc.Unsuitable, "fields.nombre"),
        (["not an option"], grc.Unsuitable, "fields.nombre"),
        (interrupted(), KeyboardInterrupt, None),
        ({"a": 1}, TypeError, None),
        ([1], TypeError, None),
    ]:
        with pytest.raises(error) as raised:
            memory_town.hole(fields={"nombre": wrong})
        if isinstance(raised.value, grc.Unsuitable):
            assert (raised.value.path, raised.value.code) == (path, "unsuitable")
    with pytest.raises(grc.Unsuitable) as no_name:
        memory_town.store.authority("Rennes")
    assert no_name.value.path is None


def test_a_seed_is_for_test_stores(file: str) -> None:
    with pytest.raises(grc.GrcError):
        grc.open(file, seed=7)


def test_names_that_are_none(memory_town: Town) -> None:
    for name in ("", "Rennes", "a b", "a" * 65, "-a"):
        with pytest.raises(grc.Unsuitable, match="identifier"):
            memory_town.store.authority(name)


def test_corrupt_and_newer() -> None:
    event = grc.decide_intake(
        definition(),
        grc.Intake(type="nid-de-poule", channel="telephone", fields=HOLE, code="UMB4-MMVE-P4AD"),
        actor="a-09",
        now=START,
    ).events[0]
    with pytest.raises(grc.NewerVersion):
        grc.Request.fold(UUID(int=1), [{**event, "v": 99}])
    with pytest.raises(grc.Corrupt):
        grc.Request.fold(UUID(int=1), [{**event, "seq": 7}])


def test_closed(memory_town: Town) -> None:
    memory_town.hole(requester=ANNE)
    session, host, authority = memory_town.session(), memory_town.host, memory_town.authority
    memory_town.store.close()
    for attempt in (session.list, host.sweep, lambda: authority.session("a-09"), memory_town.store.now):
        with pytest.raises(grc.ClosedError, match="open it again"):
            attempt()
