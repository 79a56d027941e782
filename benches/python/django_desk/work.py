"""What is done: requests are handed in and assigned, each in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.template import Context, Engine, Template
from django.utils import timezone
from django_fsm import has_transition_perm

from django_desk.models import Message, Receipt, Request, Task
from given import AGENT, DESK, HEAD, given

# As the definition of the town says.
TEMPLATES: dict[str, Template] = {
    name: Engine(autoescape=False).from_string(text)
    for name, text in {
        "accuse-reception": (
            "{{ authority }} : votre demande « {{ type }} » est enregistrée. Code de suivi : {{ code }}."
            "{% if service_phone %} Renseignements : {{ service_phone }}{% endif %}"
        ),
        "prise-en-charge": "{{ authority }} : {{ stage }}.{% if message %} {{ message }}{% endif %}",
    }.items()
}
KEPT = timedelta(days=30)
"""For how long a key is known."""
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def tell(request: Request, template: str, now: datetime, **words: str) -> None:
    """Queues a message."""
    context = Context({"authority": "Ville de Saint-Aubin-des-Prés", **words}, autoescape=False, use_l10n=False)
    message = Message.objects.create(
        request=request,
        template=template,
        channel=request.answer_by,
        to=request.phone,
        text=TEMPLATES[template].render(context),
        queued_at=now,
    )
    Task.objects.create(message=message, due=now)


class Caller:
    """Who is at work in one thread; they logged in before."""

    def __init__(self) -> None:
        users = {user.username: user for user in User.objects.all()}
        self._desk, self._head, self._agent = users[DESK], users[HEAD], users[AGENT]

    @transaction.atomic
    def receive(self, n: int) -> int:
        said, now = given(n), timezone.now()
        request = Request(
            year=now.year,
            reference="".join(secrets.choice(LETTERS) for _ in range(12)),
            channel=said.channel,
            service="eau",
            received_at=now,
            target=now + timedelta(days=2),
            respond_by=now + timedelta(hours=24),
            assign_by=now + timedelta(hours=4),
            intervene_by=now + timedelta(hours=24),
            description=said.description,
            severity=said.severity,
            given=said.given,
            family=said.family,
            phone=said.phone,
            answer_by="sms",
            street=said.street,
            postcode=said.postcode,
            town=said.town,
        )
        # As a form does.
        request.clean_fields(exclude={"state"})
        request._history_user = self._desk
        request.save(force_insert=True)
        Receipt.objects.create(request=request, actor=self._desk, key=said.key, expires=now + KEPT)
        tell(
            request,
            "accuse-reception",
            now,
            type="Fuite d'eau sur la voie publique",
            code=request.reference,
            service_phone="02 61 91 00 12",
        )
        return request.pk

    @transaction.atomic
    def assign(self, id: int) -> None:
        now = timezone.now()
        request = Request.objects.get(pk=id)
        if not has_transition_perm(request.confier, self._head):
            raise PermissionDenied("only staff may assign")
        request.confier(self._agent)
        request._history_user = self._head
        request.save(update_fields=["state", "agent"])
        Receipt.objects.create(request=request, actor=self._head, key=f"confier-{id}", expires=now + KEPT)
        tell(request, "prise-en-charge", now, stage="Une équipe s'en occupe")


class Desk:
    """The desk on a file, with its tables and users."""

    def __init__(self) -> None:
        for name, staff in [(DESK, False), (HEAD, True), (AGENT, False)]:
            User.objects.create(username=name, is_staff=staff)

    @contextmanager
    def caller(self) -> Iterator[Caller]:
        try:
            # It opens the thread's connection.
            yield Caller()
        finally:
            connection.close()

    def check(self) -> dict[str, int]:
        return {
            "requests": Request.objects.count(),
            "history": Request.history.count(),
            "messages": Message.objects.count(),
            "receipts": Receipt.objects.count(),
            "tasks": Task.objects.count(),
        }
