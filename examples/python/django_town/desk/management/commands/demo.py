"""Makes users to try it out with, for some agents of the quickstart's town. Not for a real town."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from desk.models import AgentLink
from desk.store import host

USERS = (
    ("accueil", "a-17", "Claire", "Morel"),
    ("eau", "a-03", "Marc", "Le Bihan"),
    ("fontainier", "a-08", "Inès", "Roussel"),
    ("admin", "a-02", "Paul", "Garnier"),
)


class Command(BaseCommand):
    help = "Crée des utilisateurs d'essai et affiche leur mot de passe."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username__in=[user[0] for user in USERS]).exists():
            raise CommandError("ces utilisateurs existent déjà")
        password = secrets.token_urlsafe(9)
        for username, agent, given, family in USERS:
            make = User.objects.create_superuser if username == "admin" else User.objects.create_user
            user = make(username, password=password, first_name=given, last_name=family)
            AgentLink.objects.create(user=user, agent_id=agent)
            host("demo").name_agent(agent, f"{given} {family}")
        self.stdout.write(f"{', '.join(user[0] for user in USERS)} : mot de passe {password}")
