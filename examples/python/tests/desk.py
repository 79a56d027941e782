"""What the tests of the Django project share."""

from __future__ import annotations

import re
from typing import Any

import grc
from desk.store import host, town
from django.contrib.auth.models import User
from django.test import Client

from desk.models import AgentLink

# Accepted as a picture by its first bytes.
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 32
LEAK = {
    "fields.description": "De l'eau coule devant le 12.",
    "fields.gravite": "ecoulement",
    "place.street": "12 rue des Lilas",
    "place.postcode": "35000",
    "place.town": "Saint-Aubin",
    "requester.given": "Anne",
    "requester.name": "Le Gall",
    "requester.email": "anne@example.org",
    "requester.answer": "courriel",
}


def filled(page: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends for the form of a page."""
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())
    assert key is not None
    return given | {"key": key[1]}


def handed_in(**changes: Any) -> grc.results.Submitted:
    """A leak that a citizen handed in."""
    return (
        town()
        .session(grc.Citizen())
        .submit(
            "fuite-eau",
            channel="site",
            fields={"description": "De l'eau coule.", "gravite": "ecoulement"},
            requester=grc.Party(family="Le Gall", email="anne@example.org", answer_by="courriel"),
            place=grc.Place(address=("12 rue des Lilas", "35000", "Saint-Aubin")),
            **changes,
        )
    )


def logged_in(agent: str, *, superuser: bool = False) -> Client:
    """A browser in which an agent is logged in."""
    make = User.objects.create_superuser if superuser else User.objects.create_user
    user = make(f"user-{agent}", password="not used")
    AgentLink.objects.create(user=user, agent_id=agent)
    host("test").name_agent(agent, f"Nom de {agent}")
    client = Client()
    client.force_login(user)
    return client
