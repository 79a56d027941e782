"""An agent's list and page, what they do there, and who may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grc
import pytest
from desk.store import host, town
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.desk import PICTURE, handed_in, logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_town")]


def page_of(client: Client, submitted: grc.results.Submitted) -> Any:
    return client.get(f"/agent/demande/{submitted.id}/")


def act(client: Client, page: Any, action: str, **given: Any) -> Any:
    """Presses a button of a page."""
    seen = page.context["seen"]
    return client.post(f"/agent/demande/{seen.id}/agir/", {"version": seen.version, "action": action, **given})


def test_only_agents_come_in(client: Client) -> None:
    assert client.get("/agent/").headers["Location"].startswith("/connexion/")
    client.force_login(User.objects.create_user("nobody"))
    assert client.get("/agent/").status_code == 403
    # Known to Django, but not to the organisation.
    assert logged_in("a-99").get("/agent/").status_code == 403


def test_the_list_is_filtered_and_paged(clock: grc.ManualClock) -> None:
    client = logged_in("a-03")
    submitted = [handed_in() for _ in range(30)]
    town().session("a-03").act_on(
        submitted[0].id, grc.Fire("confier", to=grc.Assignee(team="fontainiers", agent="a-08"))
    )
    field = logged_in("a-08")

    def listed(browser: Client, **given: str) -> list[Any]:
        return [row["summary"].id for row in browser.get("/agent/", given).context["rows"]]

    first = client.get("/agent/")
    second = client.get(f"/agent/{first.context['further']}")
    ids = [row["summary"].id for page in (first, second) for row in page.context["rows"]]
    assert len(first.context["rows"]) == 25
    assert second.context["further"] is None
    assert set(ids) == {one.id for one in submitted}
    assert "Le Gall" in first.content.decode()
    assert listed(field, mine="1") == listed(field, my_teams="1") == [submitted[0].id]
    assert listed(client, phase="in-progress", service="eau", type="fuite-eau") == [submitted[0].id]
    assert submitted[0].id not in listed(client, unassigned="1", oldest_first="1")
    assert not listed(client, overdue="1")
    clock.set(clock.now() + timedelta(days=3))
    assert len(listed(client, overdue="1")) == 25
    assert "en retard</td>" in client.get("/agent/").content.decode()
    # A cursor that is none, or of another list, begins anew; a fact that is none shows nothing.
    assert len(listed(client, after="!")) == len(listed(client, after="AAAA")) == 25
    assert listed(client, phase="nothing") == []


def test_a_request_goes_all_the_way() -> None:
    client, submitted = logged_in("a-03"), handed_in()
    page = page_of(client, submitted)
    text = page.content.decode()
    for shown in ("De l&#x27;eau coule.", "Écoulement", "anne@example.org", "12 rue des Lilas", "Demande déposée"):
        assert shown in text
    # What cannot be done yet says why.
    blocked = {button.label: button.reasons for button in page.context["buttons"]}
    assert blocked == {"Confier": (), "Rejeter": ("Une condition n'est pas remplie (la recevabilité).",)}
    refused = act(client, page, "fire:confier")
    assert refused.status_code == 422
    assert refused.context["buttons"][0].inputs[0].problem == "Choisissez à qui la confier."
    done = act(client, page, "fire:confier", assignee="agent:fontainiers:a-08")
    assert done.status_code == 302
    page = page_of(client, submitted)
    assert "C&#x27;est enregistré." in page.content.decode()
    assert "Nom de a-03" in page.content.decode()
    act(client, page, "fire:traiter")
    page = page_of(client, submitted)
    refused = act(client, page, "fire:cloturer", message="C'est réparé depuis midi.")
    (close,) = [button for button in refused.context["buttons"] if button.label == "Clôturer"]
    assert [(input.name, input.typed, bool(input.problem)) for input in close.inputs] == [
        ("outcome", "", True),
        ("message", "C'est réparé depuis midi.", False),
    ]
    act(client, page, "fire:cloturer", outcome="repare", message="C'est réparé depuis midi.")
    assert town().session("a-03").open(submitted.id).phase == grc.Phase.CLOSED


def test_notes_messages_files_and_assignment() -> None:
    client, submitted = logged_in("a-03"), handed_in()
    assert act(client, page_of(client, submitted), "note", note="Vanne difficile").status_code == 302
    assert act(client, page_of(client, submitted), "tell", message="Nous venons demain.").status_code == 302
    assert act(client, page_of(client, submitted), "assign", assignee="team:fontainiers").status_code == 302
    assert act(client, page_of(client, submitted), "assess", acceptability="traitable").status_code == 302
    file = SimpleUploadedFile("vanne.png", PICTURE)
    assert act(client, page_of(client, submitted), "attach", file=file).status_code == 302
    page = page_of(client, submitted)
    for shown in ("Vanne difficile", "Nous venons demain.", "Fontainiers", "Traitable", "vanne.png"):
        assert shown in page.content.decode() or shown.lower() in page.content.decode()
    (kept,) = town().session("a-03").open(submitted.id).files
    sent = client.get(f"/agent/demande/{submitted.id}/fichier/{kept.id}/")
    assert (sent.content, sent.headers["Content-Type"]) == (PICTURE, "image/png")
    assert client.get(f"/agent/demande/{submitted.id}/fichier/{submitted.id}/").status_code == 404
    empty = SimpleUploadedFile("rien.png", b"")
    assert act(client, page, "attach", file=empty).status_code == 422
    unreachable = act(client, page, "tell", message="Bonjour", channel="courrier")
    assert unreachable.status_code == 422
    assert "On ne sait pas joindre le demandeur par ce canal" in unreachable.content.decode()
    assert ">Bonjour</textarea>" in unreachable.content.decode()
    for nothing in ("", "attach", "assign", "what"):
        assert act(client, page, nothing).status_code == 400


def test_fields_that_a_transition_wants_are_asked_for() -> None:
    definition = host("test").definition().to_dict()
    for transition in definition["procedure"]["fuite-eau"]["transition"]:
        if transition["id"] == "confier":
            transition["requires"] = ["materiau"]
    host("test").publish(grc.Definition.from_dict(definition))
    client, submitted = logged_in("a-03"), handed_in()
    page = page_of(client, submitted)
    assert "Matériau de la conduite (obligatoire)" in page.content.decode()
    assert '<option value="fonte">Fonte</option>' in page.content.decode()
    missing = act(client, page, "fire:confier", assignee="team:fontainiers")
    assert missing.status_code == 422
    assert "Il manque cette réponse." in missing.content.decode()
    done = act(client, missing, "fire:confier", **{"assignee": "team:fontainiers", "fields.materiau": "fonte"})
    assert done.status_code == 302
    assert "<dt>Matériau de la conduite</dt><dd>Fonte</dd>" in page_of(client, submitted).content.decode()


def test_a_conflict_says_what_changed_and_writes_nothing() -> None:
    client, submitted = logged_in("a-03"), handed_in()
    before = page_of(client, submitted)
    town().session("a-02").act_on(submitted.id, grc.Fire("confier", to=grc.Assignee(team="fontainiers")))
    answer = act(client, before, "fire:confier", assignee="agent:fontainiers:a-09")
    assert answer.status_code == 409
    assert "modifiée entre-temps (l&#x27;affectation, l&#x27;étape)" in answer.content.decode()
    seen = town().session("a-03").open(submitted.id)
    assert (seen.team, seen.agent) == ("fontainiers", None)
    # What was chosen is kept, for the version that is shown now.
    assert '<option value="agent:fontainiers:a-09" selected>' in answer.content.decode()
    assert act(client, answer, "fire:confier", assignee="agent:fontainiers:a-09").status_code == 302


def test_rights_are_those_of_the_organisation() -> None:
    submitted = handed_in(files=[town().session(grc.Citizen()).store_file("vanne.png", PICTURE)])
    (file,) = town().session("a-03").open(submitted.id).files
    other = logged_in("a-21")
    assert page_of(other, submitted).status_code == 404
    assert other.get(f"/agent/demande/{submitted.id}/fichier/{file.id}/").status_code == 404
    # Given to another service, it is out of sight: the list is shown instead.
    client = logged_in("a-03")
    away = act(client, page_of(client, submitted), "assign", assignee="service:voirie")
    assert away.headers["Location"] == "/agent/"
    assert act(other, page_of(logged_in("a-02"), submitted), "note", note="x").status_code == 404
