"""The pure way in: decisions and folds on plain values, with no store."""

from __future__ import annotations

import json
from datetime import timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from towns import ANNE, DAY, HOLE, MANAGER, RECEPTION, SOMEWHERE, START, WORKER, Town, definition

import grc

ID = UUID("01900000-0000-7000-8000-000000000001")
CODE = "UMB4-MMVE-P4AD"
VOIRIE = definition()


def intake(**parts: Any) -> grc.Intake:
    """A pothole."""
    usual: dict[str, Any] = {"type": "nid-de-poule", "channel": "telephone", "fields": HOLE, "code": CODE}
    return grc.Intake(**{**usual, **parts})


def decided(**parts: Any) -> grc.Decision:
    """What handing it in comes to."""
    return grc.decide_intake(VOIRIE, intake(**parts), actor=RECEPTION, now=START)


@pytest.fixture
def request_() -> grc.Request:
    """A request, of its events."""
    return grc.Request.fold(ID, decided(parties=[ANNE], place=SOMEWHERE).events)


def test_an_intake_is_an_event_and_slots() -> None:
    decision = decided(parties=[ANNE])
    kinds = [event["kind"] for event in decision.events]
    assert kinds[0] == "submitted" and [event["seq"] for event in decision.events] == list(range(1, len(kinds) + 1))
    slots = {slot.path: slot.value for slot in decision.slots}
    assert slots["code"] == CODE and HOLE["description"] in slots.values() and "Le Gall" in slots.values()
    # What a person typed is in the slots, not in the events.
    events = json.dumps(decision.events)
    for typed in (CODE, "un trou", "Le Gall", "anne@example.org"):
        assert typed not in events
    assert {plan["plan"] for plan in decision.plans} >= {"deliver"}


def test_events_make_the_request(request_: grc.Request) -> None:
    assert (request_.id, request_.type, request_.state, request_.phase) == (ID, "nid-de-poule", "recue", "received")
    assert request_.version == 2 and "nid-de-poule" in repr(request_)
    plain = request_.to_dict()
    assert plain["id"] == str(ID) and plain["version"] == 2
    json.dumps(plain)


def test_dicts_and_bytes_are_the_same() -> None:
    events = decided(parties=[ANNE]).events
    texts = [json.dumps(event, sort_keys=True, separators=(",", ":")).encode() for event in events]
    assert grc.Request.fold(ID, texts) == grc.Request.fold(ID, events) == grc.Request.fold(str(ID), list(events))
    first = grc.Request.fold(ID, texts[:1])
    assert first.apply(*events[1:]) == first.apply(*texts[1:]) == grc.Request.fold(ID, events)
    assert first.apply() == first and first.version == 1, "what is applied to stays as it is"


def test_a_whole_life(request_: grc.Request) -> None:
    def act(request: grc.Request, command: grc.Command, actor: grc.Who) -> grc.Request:
        return request.apply(*grc.decide(VOIRIE, request, command, actor=actor, now=START + DAY).events)

    request = act(request_, grc.Fire("affecter", to=grc.Assignee(team="chaussee")), RECEPTION)
    request = act(request, grc.Work(30, Decimal("12.50")), RECEPTION)
    request = act(request, grc.Fire("traiter"), WORKER)
    request = act(request, grc.Fire("cloturer", outcome="repare"), MANAGER)
    assert (request.state, request.phase) == ("cloturee", "closed")
    request = act(request, grc.Confirm(False, "non"), grc.Holder(CODE))
    request = act(request, grc.Fire("rouvrir", message="toujours là"), grc.Holder(CODE))
    assert request.phase == "received" and request_.version == 2


def test_the_same_inputs_come_to_the_same() -> None:
    assert decided(parties=[ANNE]) == decided(parties=[ANNE])
    in_paris = START.astimezone(timezone(2 * DAY / 24))
    assert grc.decide_intake(VOIRIE, intake(), actor=RECEPTION, now=in_paris) == decided()


def test_the_engine_writes_such_events(memory_town: Town) -> None:
    reported = memory_town.hole(requester=ANNE)
    history = memory_town.session().history(reported.id)
    decision = decided(parties=[ANNE], place=SOMEWHERE)
    assert [entry.kind for entry in history] == [event["kind"] for event in decision.events]
    assert [entry.actor.to_dict() for entry in history][:1] == [decision.events[0]["actor"]]


def test_values_that_conditions_look_at(request_: grc.Request) -> None:
    urbanisme = definition("urbanisme")
    decision = grc.decide_intake(
        urbanisme,
        grc.Intake(
            type="declaration-prealable",
            channel="teleservice",
            fields={"travaux": ["piscine"], "surface": 40},
            parties=[grc.Party(family="Le Gall")],
            entity="bourg-neuf",
            code=CODE,
        ),
        actor="u-01",
        now=START,
    )
    request = grc.Request.fold(ID, decision.events)
    start = grc.decide(
        urbanisme, request, grc.Fire("instruire", to=grc.Assignee(team="instruction")), actor="u-01", now=START
    )
    request = request.apply(*start.events)
    values: dict[int, Any] = {slot.slot: slot.value for slot in decision.slots}
    with pytest.raises(grc.Refused) as refused:
        grc.decide(
            urbanisme,
            request,
            grc.Fire("decider", outcome="opposition", message="non"),
            actor="u-03",
            now=START,
            values=values,
        )
    assert refused.value.problems


def test_what_is_refused(request_: grc.Request) -> None:
    with pytest.raises(grc.Refused) as refused:
        decided(fields={"profondeur": 999})
    assert refused.value.codes == {"field.required", "field.range"}
    with pytest.raises(grc.Refused) as refused:
        decided(code=None)
    assert refused.value.codes == {"code.missing"}
    with pytest.raises(grc.NotPermitted):
        grc.decide_intake(VOIRIE, intake(), actor=WORKER, now=START)
    with pytest.raises(grc.Refused):
        grc.decide(VOIRIE, request_, grc.Fire("cloturer"), actor=RECEPTION, now=START)
    with pytest.raises((grc.NotPermitted, grc.NotFound)):
        grc.decide(VOIRIE, request_, grc.Note("x"), actor=grc.Citizen(), now=START)


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ({"now": START.replace(tzinfo=None)}, ValueError, "now: the datetime is naive"),
        ({"actor": 5}, TypeError, "actor: the id of an agent.*not int"),
        ({"organisation_version": -1}, ValueError, "organisation_version: from 0"),
        ({"procedure_version": "1"}, TypeError, "procedure_version: an int is wanted"),
        ({"intake": intake(type="no-such-type")}, ValueError, "type: there is no type"),
        ({"intake": intake(occurred_at="now")}, TypeError, "occurred_at: a datetime is wanted"),
        ({"definition": {}}, TypeError, "Definition"),
    ],
)
def test_wrong_parts(parts: dict[str, Any], error: type[Exception], says: str) -> None:
    usual: dict[str, Any] = {"definition": VOIRIE, "intake": intake(), "actor": RECEPTION, "now": START}
    given = {**usual, **parts}
    with pytest.raises(error, match=says):
        grc.decide_intake(given.pop("definition"), given.pop("intake"), **given)


@pytest.mark.parametrize("values", [5, [1], {"1": "x"}, {-1: "x"}, {1: None}, {1: 1.5}])
def test_wrong_values(request_: grc.Request, values: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        grc.decide(VOIRIE, request_, grc.Note("x"), actor=RECEPTION, now=START, values=values)


def test_wrong_events(request_: grc.Request) -> None:
    (first, *_) = decided().events
    for events, error in (
        ([], ValueError),
        ([{}], grc.Corrupt),
        ([b"{"], grc.Corrupt),
        ([b""], grc.Corrupt),
        (["text"], grc.Corrupt),
        ([{**first, "kind": "no such kind"}], grc.Corrupt),
        ([{**first, "v": 10**9}], grc.NewerVersion),
        ([first, first], grc.Corrupt),
        ([{1: object()}], TypeError),
        (5, TypeError),
    ):
        with pytest.raises(error):
            grc.Request.fold(ID, events)  # type: ignore[arg-type]
    with pytest.raises(grc.Corrupt, match="follows"):
        request_.apply(first)
    assert request_.version == 2


def test_definitions_are_plain_data_too() -> None:
    plain = VOIRIE.to_dict()
    json.dumps(plain)
    again = grc.Definition.from_dict(plain)
    assert again == VOIRIE and again.types == VOIRIE.types
    again.check()
    del plain["procedure"]["lampadaire"]
    assert grc.Definition.from_dict(plain) != VOIRIE
    assert len(grc.Definition.from_dict(plain).types) == 3


def test_amounts_are_amounts_here_too() -> None:
    changed = definition("hostile.toml").to_dict()
    changed["procedure"]["tout"]["transition"][0] |= {"when": {">": [{"var": "form.montant"}, 5000]}, "by": ["bureau"]}
    town = grc.Definition.from_dict(changed)
    handed_in = grc.Intake(type="tout", channel="web", fields={"montant": Decimal("84.50")}, code=CODE)
    decision = grc.decide_intake(town, handed_in, actor="a-1", now=START)
    held = {slot.slot: slot.value for slot in decision.slots}
    assert Decimal("84.50") in held.values()
    request = grc.Request.fold(ID, decision.events)
    transition = changed["procedure"]["tout"]["transition"][0]["id"]

    def reasons(values: dict[int, Any]) -> set[str]:
        try:
            grc.decide(town, request, grc.Fire(transition), actor="a-1", now=START, values=values)
        except grc.Refused as refused:
            return set(refused.codes)
        return set()

    assert "transition.guard" not in reasons(held)
    assert "transition.guard" in reasons(
        {slot: Decimal("49.99") if isinstance(value, Decimal) else value for slot, value in held.items()}
    )
