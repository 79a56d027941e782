"""Administrators' pages and the commands."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import grc
import pytest
from desk.models import AgentLink
from desk.store import host, town
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from tests.desk import handed_in, logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_town")]


def ran(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def test_a_user_is_made_an_agent_and_their_name_is_forgotten_with_them() -> None:
    client = logged_in("a-02", superuser=True)
    user = User.objects.create_user("claire", first_name="Claire", last_name="Morel")
    wrong = client.post("/admin/desk/agentlink/add/", {"user": user.pk, "agent_id": "Pas un mot"})
    assert wrong.status_code == 200
    assert client.post("/admin/desk/agentlink/add/", {"user": user.pk, "agent_id": "a-17"}).status_code == 302
    assert town().session("a-17").agent_name("a-17") == "Claire Morel"
    link = AgentLink.objects.get(user=user)
    assert "État des demandes" in client.get("/admin/desk/agentlink/").content.decode()
    client.post(f"/admin/desk/agentlink/{link.pk}/change/", {"user": user.pk, "agent_id": "a-18"})
    assert town().session("a-17").agent_name("a-17") is None
    client.post(f"/admin/desk/agentlink/{link.pk}/delete/", {"post": "yes"})
    assert town().session("a-17").agent_name("a-18") is None


def test_the_state_shows_figures_what_is_late_and_what_was_given_up(
    clock: grc.ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in("a-02", superuser=True)
    handed_in()

    def refuses(*_: object, **__: object) -> int:
        raise smtplib.SMTPRecipientsRefused({})

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", refuses)
        assert "1 messages abandonnés" in ran("work_due")
    clock.set(clock.now() + timedelta(days=3))
    page = client.get("/admin/desk/agentlink/etat/")
    assert page.context["figures"].open == 1
    assert page.context["late"] == [("Eau et assainissement", 1)]
    assert "recipient-refused" in page.content.decode()
    assert client.post("/admin/desk/agentlink/etat/").status_code == 302
    assert "1 messages envoyés" in ran("work_due")
    assert len(mail.outbox) == 1
    assert "Aucun." in client.get("/admin/desk/agentlink/etat/").content.decode()


def test_the_state_is_for_superusers(client: Client) -> None:
    assert client.get("/admin/desk/agentlink/etat/").status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get("/admin/desk/agentlink/etat/").status_code == 403


def test_messages_leave_by_mail_once() -> None:
    submitted = handed_in()
    assert ran("work_due", "--tasks", "5") == "1 messages envoyés\n"
    assert ran("work_due", "--minutes", "1") == ""
    (sent,) = mail.outbox
    assert sent.to == ["Le Gall <anne@example.org>"]
    assert submitted.tracking_code in sent.body
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert sent.extra_headers["Message-ID"].startswith(f"<{submitted.id}.")
    (message,) = town().session("a-03").open(submitted.id).messages
    assert message.status == "sent"


def test_a_mail_server_that_is_down_is_tried_again(clock: grc.ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> int:
        raise ConnectionRefusedError

    handed_in()
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", down)
        assert "1 messages remis à plus tard" in ran("work_due")
    assert ran("work_due") == ""
    clock.set(clock.now() + timedelta(minutes=6))
    assert "1 messages envoyés" in ran("work_due")


def test_retention_is_applied(clock: grc.ManualClock) -> None:
    submitted = handed_in()
    manager = town().session("a-03")
    for fire in (
        grc.Fire("confier", to=grc.Assignee(team="fontainiers")),
        grc.Fire("traiter"),
        grc.Fire("cloturer", outcome="repare", message="C'est réparé."),
    ):
        manager.act_on(submitted.id, fire)
    ran("work_due")
    clock.set(clock.now() + timedelta(days=120))
    assert "1 demandes anonymisées" in ran("work_due")
    assert manager.open(submitted.id).parties[0].details == {}


def test_a_definition_is_published_or_says_all_that_is_wrong(town_folder: Path, tmp_path: Path, settings: Any) -> None:
    settings.GRC_AUTHORITY = "another"
    assert "fuite-eau : version 1" in ran("publish_definition", str(town_folder))
    assert ran("publish_definition", str(town_folder)) == "organisation : version 1\n"
    assert "14 démarches, sans erreur" in ran("publish_definition", "--check", str(town_folder))
    for file in town_folder.glob("*.toml"):
        text = file.read_text(encoding="utf-8").replace('service = "voirie"', 'service = "voirrie"')
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    with pytest.raises(CommandError) as error:
        ran("publish_definition", str(tmp_path))
    assert "voirie.toml:" in str(error.value)
    with pytest.raises(CommandError):
        ran("publish_definition", str(tmp_path / "nothing"))
    assert "fuite-eau" in host("test").definition().types


def test_the_demonstration_makes_users(client: Client, settings: Any) -> None:
    password = ran("demo").split()[-1]
    assert client.login(username="eau", password=password)
    assert client.get("/agent/").status_code == 200
    with pytest.raises(CommandError):
        ran("demo")
