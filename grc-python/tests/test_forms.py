"""Forms: what may be handed in, and the form by which a request was."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest
from towns import RECEPTION, WORKER, AsyncTown, Town, definition

import grc


def test_a_form_has_all_that_a_page_asks(memory_town: Town) -> None:
    forms = {form.type: form for form in memory_town.session(RECEPTION).forms()}
    assert set(forms) == set(definition().types)
    leak = forms["fuite-eau"]
    assert leak.label == {"en": "Water leak on the highway", "fr": "Fuite d'eau sur la voie publique"}
    assert leak.family and leak.family[0] == "espace-public" and leak.place == "public" and not leak.requester
    assert ("telephone", "Téléphone") in leak.channels and leak.answers
    graveness = leak.field("gravite")
    assert graveness is not None and graveness.required and graveness.writable
    assert graveness.kind == grc.FieldKind.CHOICE and graveness.personal == "no"
    assert [id for id, _ in graveness.options] == ["suintement", "ecoulement", "jaillissement"]
    assert (graveness.min, graveness.max) == (None, None)
    photo = leak.field("photo")
    assert photo is not None and photo.max == 10_485_760 and "image/png" in photo.accept
    assert leak.field("nothing") is None
    assert leak == pickle.loads(pickle.dumps(leak)) and repr(leak).startswith("Form(")
    assert leak.to_dict()["fields"][0]["kind"] == "long-text"


def test_every_kind_of_field_is_known(open_town: Town) -> None:
    (form,) = open_town.session("a-1").forms()
    assert {field.kind for field in form.fields} == {kind.value for kind in grc.FieldKind}


def test_what_a_form_asks_for_can_be_handed_in(open_town: Town) -> None:
    session = open_town.session("a-1")
    (form,) = session.forms()
    answers: dict[str, Any] = {
        "text": "x",
        "long-text": "x",
        "integer": 3,
        "amount": Decimal("84.50"),
        "boolean": False,
        "email": "anne@example.org",
        "phone": "06 39 98 12 34",
        "date": "2026-02-28",
    }
    fields: dict[str, Any] = {}
    for field in form.fields:
        if field.kind in (grc.FieldKind.CHOICE, grc.FieldKind.CHOICES):
            fields[field.id] = field.options[0][0] if field.kind == grc.FieldKind.CHOICE else [field.options[0][0]]
        elif field.kind != grc.FieldKind.FILE:
            fields[field.id] = answers[field.kind]
    seen = session.open(session.submit(form.type, channel=form.channels[0][0], fields=fields).id)
    assert set(seen.fields) == set(fields)
    assert [field.id for field in seen.form] == [field.id for field in form.fields]


def test_bounds_of_amounts_are_amounts(memory_town: Town) -> None:
    # Of the water service.
    session = memory_town.session("a-02")
    reported = memory_town.session().submit(
        "fuite-eau", channel="telephone", fields={"description": "x", "gravite": "ecoulement"}
    )
    cost = {field.id: field for field in session.open(reported.id).form}["cout-estime"]
    assert cost.kind == grc.FieldKind.AMOUNT and cost.min == Decimal(0) and isinstance(cost.min, Decimal)
    session.act_on(reported.id, grc.Correct({"cout-estime": Decimal("84.50")}))
    assert session.open(reported.id).fields["cout-estime"] == Decimal("84.50")
    corrected = [entry for entry in session.history(reported.id) if entry.kind == "corrected"]
    assert corrected[0].values == {"cout-estime": Decimal("84.50")}


def test_an_int_is_no_amount(open_town: Town) -> None:
    with pytest.raises(grc.Refused, match="this is not an amount") as raised:
        open_town.session("a-1").submit("tout", channel="web", fields={"montant": 84})
    assert raised.value.codes == {"field.kind"} and raised.value.problems[0].path == "fields.montant"


async def test_the_twin(async_memory_town: AsyncTown) -> None:
    forms = await async_memory_town.session(RECEPTION).forms()
    assert all(isinstance(form, grc.Form) for form in forms) and forms


def test_who_may_hand_nothing_in_has_no_form(memory_town: Town) -> None:
    with pytest.raises(grc.Refused):
        memory_town.session("nobody").forms()
    assert memory_town.session(WORKER).forms() == ()
    assert memory_town.session(grc.Citizen()).forms(), "citizens do"
