"""What a town hall keeps of its requests in Django: forms and states, history, messages, tasks, receipts."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords


class Request(models.Model):
    """A leak that somebody reported."""

    class Channel(models.TextChoices):
        PHONE = "telephone"
        COUNTER = "guichet"
        SITE = "site"
        APP = "appli"

    class Severity(models.TextChoices):
        OOZING = "suintement"
        FLOWING = "ecoulement"
        GUSHING = "jaillissement"

    class State(models.TextChoices):
        RECEIVED = "recue"
        ASSIGNED = "confiee"
        TREATED = "traitee"
        CLOSED = "cloturee"

    year = models.PositiveSmallIntegerField()
    reference = models.CharField(max_length=20)
    channel = models.CharField(max_length=20, choices=Channel)
    state = FSMField(default=State.RECEIVED, choices=State, protected=True, db_index=True)
    service = models.CharField(max_length=20, db_index=True)
    agent = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="requests")
    received_at = models.DateTimeField(db_index=True)
    target = models.DateTimeField(db_index=True)
    respond_by = models.DateTimeField()
    assign_by = models.DateTimeField()
    intervene_by = models.DateTimeField()

    description = models.TextField()
    severity = models.CharField(max_length=20, choices=Severity, db_index=True)

    given = models.CharField(max_length=100, blank=True)
    family = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=20, blank=True, db_index=True)
    answer_by = models.CharField(max_length=20, blank=True)

    street = models.CharField(max_length=200)
    postcode = models.CharField(max_length=10)
    town = models.CharField(max_length=100)

    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["year", "reference"], name="reference_of_a_year")]

    def is_dealt_with_here(self) -> bool:
        return self.service == "eau"

    def may_assign(self, user: User) -> bool:
        return user.is_staff

    @transition(
        state,
        source=[State.RECEIVED, State.ASSIGNED],
        target=State.ASSIGNED,
        conditions=[is_dealt_with_here],
        permission=may_assign,
    )
    def confier(self, agent: User) -> None:
        self.agent = agent


class Message(models.Model):
    """A message to whoever asked."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"

    request = models.ForeignKey(Request, models.CASCADE, related_name="messages")
    template = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    to = models.CharField(max_length=100)
    text = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    queued_at = models.DateTimeField()


class Task(models.Model):
    """A message that is to be delivered, as workers take them."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="tasks")
    due = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)


class Receipt(models.Model):
    """What was done under a key is not done again."""

    request = models.ForeignKey(Request, models.CASCADE, related_name="receipts")
    actor = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="key_of_an_actor")]
