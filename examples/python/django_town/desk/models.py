"""Which user is which agent. It is all that Django's database knows about requests."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models


class AgentLink(models.Model):
    """A user is an agent of the town's organisation.

    What the agent may do is not here: grc reads it from the organisation's definition, at each call.
    """

    user: models.OneToOneField[Any, Any] = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_link", verbose_name="utilisateur"
    )
    agent_id: models.CharField[str, str] = models.CharField(
        "identifiant d'agent",
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]*\Z", "Des minuscules, des chiffres, - _ ou un point.")],
        help_text="Celui de l'organisation publiée, par exemple « a-17 ».",
    )

    class Meta:
        verbose_name = "agent"
        verbose_name_plural = "agents"

    def __str__(self) -> str:
        return f"{self.user} = {self.agent_id}"
