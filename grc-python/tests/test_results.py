"""Answers: frozen, equal by what they hold, printed, taken apart, written as JSON."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from towns import ANNE, HOLE, START, Post, Town, definition

import grc
from grc import results
from grc.results import Person, Result, Seen


def memory_file(town: Town) -> grc.results.Submitted:
    """A request with a file."""
    return town.hole(files=[town.session().store_file("a.txt", b"a")])


def decision() -> grc.Decision:
    """What an intake comes to, with no store."""
    intake = grc.Intake(type="nid-de-poule", channel="telephone", fields=HOLE, parties=[ANNE], code="UMB4-MMVE-P4AD")
    return grc.decide_intake(definition(), intake, actor="a-09", now=START)


def answers(town: Town) -> list[Result]:
    """One of many kinds."""
    session, host = town.session(), town.host
    reported = town.hole(requester=ANNE)
    work = host.work(Post([grc.Rejected("no-such-box")]))
    seen = session.open(reported.id)
    return [
        reported,
        seen,
        session.open(memory_file(town).id),
        *seen.parties,
        *seen.messages,
        *seen.choices,
        session.act(seen, grc.Note("x")),
        *session.history(reported.id),
        session.list(),
        *session.list(),
        host.verify(reported.id),
        host.changes(),
        host.figures(),
        host.scrub(),
        work,
        host.behind(grc.Question("total"), "total"),
        host.measure("total", by="type"),
        *host.measure("total", by="type").rows,
        *host.dead_letters(),
        decision(),
    ]


def test_they_are_frozen(memory_town: Town) -> None:
    for answer in answers(memory_town):
        name = dataclasses.fields(answer)[0].name  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(answer, name, None)
        with pytest.raises((AttributeError, TypeError)):
            answer.other = 1  # type: ignore[attr-defined]


def test_every_class_is_a_frozen_result() -> None:
    kinds = [kind for _, kind in inspect.getmembers(results, inspect.isclass) if kind.__module__ == results.__name__]
    for kind in kinds:
        if kind not in (Result, results.Phase):
            assert issubclass(kind, Result) and kind.__doc__ and kind.__name__ in results.__all__
            assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_they_are_equal_by_what_they_hold(memory_town: Town) -> None:
    session = memory_town.session()
    reported, other = memory_town.hole(requester=ANNE), memory_town.hole(requester=ANNE)
    first, again = session.open(reported.id), session.open(reported.id)
    assert first == again and first is not again
    assert first != session.open(other.id)
    assert hash(reported) == hash(copy.copy(reported)) and reported != other
    assert memory_town.host.measure("total") == memory_town.host.measure("total")


def test_files_are_equal_by_what_they_hold(memory_town: Town) -> None:
    session = memory_town.session()
    reported = memory_town.hole(files=[session.store_file("a.txt", b"a")])
    assert session.open(reported.id).files == session.open(reported.id).files


def test_what_they_hold_cannot_be_changed(memory_town: Town) -> None:
    session = memory_town.session()
    seen = session.open(memory_town.hole(requester=ANNE).id)
    held: Any
    for held in (
        seen.fields,
        seen.parties[0].details,
        session.history(seen.id)[0].values,
        memory_town.host.figures().by_type,
        decision().events[0],
        decision().plans[0],
    ):
        changes: list[Callable[[], object]] = [
            lambda held=held: held.update(a=1),  # type: ignore[misc]
            lambda held=held: held.__setitem__("a", 1),  # type: ignore[misc]
            lambda held=held: held.pop("description", None),  # type: ignore[misc]
            lambda held=held: held.clear(),  # type: ignore[misc]
        ]
        for change in changes:
            with pytest.raises(TypeError, match="cannot be changed"):
                change()
        assert hash(held) == hash(copy.deepcopy(held)) and dict(held) == held
    assert hash(seen) == hash(session.open(seen.id))


def test_no_secret_is_printed(memory_town: Town) -> None:
    hole = memory_town.hole(requester=ANNE)
    seen = memory_town.session().open(hole.id)
    post = Post()
    memory_town.host.work(post)
    code = hole.tracking_code
    for shown in (hole, grc.Holder(code), grc.Intake(type="x", channel="y", code=code), seen, post.got[0]):
        assert code not in repr(shown)
    assert "UMB4" not in repr(decision()) and "Le Gall" not in repr(decision())
    assert "anne@example.org" not in repr(post.got[0])


def test_a_form_is_taken_apart_with_its_request(memory_town: Town) -> None:
    seen = memory_town.session().open(memory_town.hole().id)
    form = seen.to_dict()["form"]
    assert [field["id"] for field in form] == [field.id for field in seen.form] and form[0]["label"]


def test_they_are_pickled_and_copied(memory_town: Town) -> None:
    for answer in answers(memory_town):
        for again in (pickle.loads(pickle.dumps(answer)), copy.copy(answer), copy.deepcopy(answer)):
            assert again == answer and type(again) is type(answer)


def test_they_print_and_take_apart(memory_town: Town) -> None:
    for answer in answers(memory_town):
        assert repr(answer).startswith(type(answer).__name__ + "(")
        plain = answer.to_dict()
        parts = {part.name for part in dataclasses.fields(answer) if part.name[0] != "_"}  # type: ignore[arg-type]
        assert set(plain) == parts | ({"form"} if isinstance(answer, Seen) else set())
        assert json.loads(json.dumps(plain, default=str))


def test_what_is_taken_apart_is_plain(memory_town: Town) -> None:
    session = memory_town.session()
    reported = memory_town.hole(requester=ANNE, files=[session.store_file("a.txt", b"a")])
    plain = session.open(reported.id).to_dict()
    assert plain["id"] == reported.id and isinstance(plain["opened_at"], datetime)
    assert plain["fields"] == HOLE and plain["parties"][0]["details"]["name"] == "Le Gall"
    (file,) = plain["files"]
    assert isinstance(file.pop("id"), UUID)
    assert file == {"name": "a.txt", "media": "text/plain", "bytes": 1, "field": None, "moment": None}
    assert plain["may"] == sorted(plain["may"])
    assert plain["choices"][0]["blocked"] == []
    table = memory_town.host.measure("total", by="type").to_dict()
    assert table["rows"] == [{"keys": [{"id": "nid-de-poule", "label": "Nid-de-poule"}], "cells": [1]}]


def test_pattern_matching(memory_town: Town) -> None:
    match memory_town.session().open(memory_town.hole(requester=ANNE).id):
        case Seen(phase="received", id=UUID(), parties=(Person(role="requester", details={"name": name}),)):
            assert name == "Le Gall"
        case other:
            raise AssertionError(other)


def test_phases_are_words(memory_town: Town) -> None:
    seen = memory_town.session().open(memory_town.hole().id)
    assert seen.phase == "received"
    assert seen.phase is grc.Phase.RECEIVED
    assert f"{seen.phase} {seen.form[0].kind}" == "received long-text" and json.dumps(seen.phase) == '"received"'
    assert seen.to_dict()["phase"] == "received" and type(seen.to_dict()["phase"]) is str
    assert memory_town.session().list().items[0].phase is grc.Phase.RECEIVED
    assert [phase.value for phase in grc.Phase] == ["received", "in-progress", "waiting", "closed"]


def test_texts_are_those_of_the_town(memory_town: Town) -> None:
    seen = memory_town.session().open(memory_town.hole().id)
    assert seen.label == "Nid-de-poule"
    assert seen.stage == {"fr": "Votre signalement est enregistré", "en": "Your report is registered"}


def test_what_is_asked_is_frozen_too() -> None:
    asked = [grc.Note("x"), grc.Party(family="Le Gall"), grc.Filter(), grc.Question("total"), grc.Agent("a-17")]
    for one in asked:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, dataclasses.fields(one)[0].name, "y")  # type: ignore[arg-type]
        assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)
    match asked[0]:
        case grc.Note(text):
            assert text == "x"
        case _:
            raise AssertionError(asked[0])


def test_one_text_is_not_several() -> None:
    for make in (lambda: grc.Agent("a-17", "reception"), lambda: grc.Erase("description", "mistake")):
        with pytest.raises(TypeError, match="several are wanted"):
            make()
