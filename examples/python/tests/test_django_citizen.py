"""A citizen hands a request in, with errors first, and follows it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grc
import pytest
from desk import store
from desk.store import town
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.desk import LEAK, PICTURE, filled, handed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_town")]


def test_types_are_listed_by_family(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "Propreté et déchets" in page
    assert "/demande/nid-de-poule/" in page
    assert client.get("/demande/nothing/").status_code == 404


def test_the_form_is_made_of_the_definition(client: Client) -> None:
    page = client.get("/demande/fuite-eau/").content.decode()
    assert "Que se passe-t-il ? (obligatoire)" in page
    assert '<option value="jaillissement">Jaillissement</option>' in page
    assert 'accept="image/jpeg,image/png"' in page
    # A field that only agents write is not asked for.
    assert "Matériau" not in page


def test_what_is_wrong_stands_at_its_input_and_what_was_typed_is_kept(client: Client) -> None:
    wrong = LEAK | {
        "fields.gravite": "",
        "fields.code-portail": "1" * 30,
        "requester.email": "pas une adresse",
        "requester.phone": "12",
    }
    answer = client.post("/demande/fuite-eau/", filled(client.get("/demande/fuite-eau/"), wrong))
    assert answer.status_code == 422
    errors = {name: list(errors) for name, errors in answer.context["form"].errors.items()}
    assert errors == {
        "fields.gravite": ["Il manque cette réponse."],
        "fields.code-portail": ["C'est trop long : 20 caractères au plus."],
        "requester.email": ["Ce n'est pas une adresse électronique. Donnez-la sous la forme nom@exemple.fr."],
        "requester.phone": [
            "Ce n'est pas un numéro de téléphone. Donnez-le sous la forme 06 39 98 12 34, ou avec l'indicatif du pays."
        ],
    }
    page = answer.content.decode()
    assert "pas une adresse" in page
    assert "De l&#x27;eau coule devant le 12." in page
    assert 'aria-invalid="true"' in page
    assert not list(town().session("a-02").requests())


def test_right_input_gives_a_code_and_the_same_form_again_the_same_code(client: Client) -> None:
    sent = filled(client.get("/demande/fuite-eau/"), LEAK)
    first = client.post("/demande/fuite-eau/", sent)
    again = client.post("/demande/fuite-eau/", sent)
    assert first.status_code == again.status_code == 201
    assert first.context["code"] == again.context["code"]
    assert first.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    (request,) = town().session("a-02").requests()
    seen = town().session("a-02").open(request.id)
    assert seen.fields == {"description": "De l'eau coule devant le 12.", "gravite": "ecoulement"}
    assert seen.parties[0].details["name"] == "Le Gall"


def test_a_picture_comes_along_and_a_program_does_not(client: Client) -> None:
    def sent(name: str, data: bytes) -> Any:
        given = LEAK | {"fields.photo": SimpleUploadedFile(name, data)}
        return client.post("/demande/fuite-eau/", filled(client.get("/demande/fuite-eau/"), given))

    refused = sent("photo.exe", b"MZ\x90\x00")
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["fields.photo"]
    code = sent("photo.png", PICTURE).context["code"]
    (shown,) = store.town().session(grc.Holder(code)).follow().files
    file = client.post("/suivi/fichier/", {"code": code, "file": str(shown.id)})
    assert file.content == PICTURE
    assert file.headers["Content-Disposition"] == 'attachment; filename="photo.png"'
    assert client.post("/suivi/fichier/", {"code": code, "file": "x"}).status_code == 404


@pytest.mark.parametrize("type", ["lampadaire", "nid-de-poule"])
def test_all_kinds_of_fields(client: Client, other_town: None, type: str) -> None:
    """The other definition has choices, a day, a number and yes or no."""
    answers: dict[str, dict[str, Any]] = {
        "lampadaire": {"fields.panne": ["eteint", "mat-abime"], "fields.constate-le": "2026-11-24"},
        "nid-de-poule": {"fields.profondeur": "0", "fields.danger": "non", "requester.email": "anne@example.org"},
    }
    given = answers[type]
    page = client.get(f"/demande/{type}/")
    wrong = {"fields.constate-le": "hier"} if type == "lampadaire" else {"fields.profondeur": "profond"}
    answer = client.post(f"/demande/{type}/", filled(page, given | wrong))
    assert set(answer.context["form"].errors) == set(wrong), answer.content.decode()
    code = client.post(f"/demande/{type}/", filled(page, given)).context["code"]
    shown = client.post("/suivi/", {"code": code}).content.decode()
    for text in {"lampadaire": ["Éteint, Mât abîmé", "24/11/2026"], "nid-de-poule": ["<dd>0</dd>", "<dd>non</dd>"]}[
        type
    ]:
        assert text in shown


def test_a_code_opens_its_request(client: Client) -> None:
    code = handed_in().tracking_code
    answer = client.post("/suivi/", {"code": code.lower()})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Votre signalement est enregistré" in page
    assert "no-store" in answer.headers["Cache-Control"]
    for wrong in ("", "what", "YSFQ-H7NU-FF9F"):
        assert client.post("/suivi/", {"code": wrong}).status_code == 404
    # In an address it does nothing: nobody is led to put it there.
    assert "Votre signalement" not in client.get("/suivi/", {"code": code}).content.decode()


def test_the_holder_writes_confirms_and_reopens(client: Client) -> None:
    submitted = handed_in()

    def act(**given: Any) -> Any:
        return client.post("/suivi/agir/", {"code": submitted.tracking_code, **given})

    assert "Merci de venir" in act(action="hear", text="Merci de venir").content.decode()
    early = act(action="confirm", satisfied="yes", text="bravo")
    assert early.status_code == 422
    assert "pas encore close" in early.content.decode()
    manager = town().session("a-03")
    for fire in (
        grc.Fire("confier", to=grc.Assignee(team="fontainiers")),
        grc.Fire("traiter"),
        grc.Fire("cloturer", outcome="repare", message="C'est réparé."),
    ):
        manager.act_on(submitted.id, fire)
    assert "Réparé" in client.post("/suivi/", {"code": submitted.tracking_code}).content.decode()
    assert "Non, ce n&#x27;est pas réglé" in act(action="confirm", satisfied="no").content.decode()
    assert act(action="fire:rouvrir").status_code == 422
    reopened = act(action="fire:rouvrir", text="L'eau coule encore.")
    assert "Votre signalement est enregistré" in reopened.content.decode()


def test_nothing_personal_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        wrong = filled(client.get("/demande/fuite-eau/"), LEAK | {"requester.phone": "12"})
        client.post("/demande/fuite-eau/", wrong)
        code = client.post("/demande/fuite-eau/", wrong | {"requester.phone": ""}).context["code"]
        client.post("/suivi/", {"code": code})
        client.post("/suivi/", {"code": "YSFQ-H7NU-FF9F"})
    # Django's own queries are logged for debugging; requests are not among them.
    for secret in (code, "Le Gall", "anne@example.org", "Lilas"):
        assert secret not in caplog.text


def test_forms_without_their_token_are_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/suivi/", {"code": handed_in().tracking_code}).status_code == 403


def test_a_store_that_is_busy_is_a_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise grc.StorageUnavailable("locked")

    monkeypatch.setattr(grc.Session, "submit", fails)
    answer = client.post("/demande/fuite-eau/", filled(client.get("/demande/fuite-eau/"), LEAK))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"


@pytest.fixture
def other_town(open_town: None, settings: Any) -> Iterator[None]:
    folder = Path(__file__).resolve().parents[3] / "grc-core" / "tests" / "definitions" / "voirie"
    settings.GRC_AUTHORITY = "rennes"
    # There, what citizens may do is not granted, and the channel of these pages is another.
    definition = grc.Definition.from_dir(folder).to_dict()
    definition["organisation"]["channel"].append({"id": "site", "label": "Site"})
    definition["organisation"].setdefault("grant", []).append({"to": ["@citizen"], "may": ["submit"]})
    store.host("test").publish(grc.Definition.from_dict(definition))
    yield
