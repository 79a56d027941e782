"""A request as pages show it: names instead of ids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import grc
from grc.results import HistoryEntry, Message, Seen, SeenValue

from desk.catalogue import PHASES, Catalogue, text
from desk.french import ACTORS, DELIVERY, EVENTS

DETAILS = {
    "name": "Nom",
    "given": "Prénom",
    "email": "Adresse électronique",
    "phone": "Téléphone",
    "address": "Adresse",
}
ROLES = {
    "requester": "Demandeur",
    "beneficiary": "Bénéficiaire",
    "representative": "Mandataire",
    "follower": "Suit la demande",
}


def value(seen: SeenValue | None, field: grc.FormField | None = None) -> str:
    """A value as a text."""
    names = {id: text(label) for id, label in field.options} if field else {}
    match seen:
        case None:
            return "(effacé)"
        case bool():
            return "oui" if seen else "non"
        case Decimal():
            return f"{seen} €".replace(".", ",")
        case date():
            return f"{seen:%d/%m/%Y}"
        case tuple():
            return ", ".join(names.get(str(one), str(one)) for one in seen)
    return names.get(str(seen), str(seen))


def _fields(seen: Seen) -> list[tuple[str, str]]:
    """What was answered, in the order and with the names of the form by which it was handed in."""
    return [(text(one.label), value(seen.fields[one.id], one)) for one in seen.form if one.id in seen.fields]


def _message(message: Message, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "at": message.at,
        "who": "Demandeur" if message.incoming else "Mairie",
        "channel": catalogue.name("channel", message.channel),
        "subject": message.subject,
        "text": message.text,
        "status": "" if message.incoming else DELIVERY.get(message.status, message.status or ""),
        "dead": message.status == "dead",
        "number": message.number,
    }


def of_citizen(seen: Seen, catalogue: Catalogue) -> dict[str, Any]:
    """What both kinds of pages show."""
    return {
        "label": text(seen.label),
        "stage": text(seen.stage),
        "service": catalogue.name("service", seen.service),
        "outcome": catalogue.name("outcome", seen.outcome),
        "opened_at": seen.opened_at,
        "closed_at": seen.closed_at,
        "target": seen.target,
        "fields": _fields(seen),
        "place": seen.place,
        "zone": catalogue.name("zone", seen.place.zone) if seen.place else "",
        "messages": [_message(one, catalogue) for one in seen.messages],
        "files": seen.files,
        "choices": [(one, text(one.label)) for one in seen.choices if one.possible],
    }


def of_agent(
    seen: Seen, history: tuple[HistoryEntry, ...], catalogue: Catalogue, names: Callable[[str], str]
) -> dict[str, Any]:
    """What an agent sees besides."""
    acceptability = catalogue.name("acceptability", seen.acceptability)
    return of_citizen(seen, catalogue) | {
        "state": catalogue.state_name(seen.type, seen.state or ""),
        "phase": PHASES.get(seen.phase, seen.phase),
        "channel": catalogue.name("channel", seen.channel),
        "team": catalogue.name("team", seen.team),
        "agent": names(seen.agent) if seen.agent else "",
        "acceptability": acceptability,
        "parties": [
            {
                "role": ROLES.get(one.role, one.role),
                "details": [(DETAILS.get(name, name), value(given)) for name, given in one.details.items()],
                "answer_by": catalogue.name("channel", one.answer_by),
            }
            for one in seen.parties
        ],
        "notes": [{"at": one.at, "by": names(one.by) if one.by else "", "text": one.text} for one in seen.notes],
        "history": [_entry(one, seen, catalogue, names) for one in history],
    }


def _entry(entry: HistoryEntry, seen: Seen, catalogue: Catalogue, names: Callable[[str], str]) -> dict[str, Any]:
    actor = entry.actor
    details = dict(entry.details)
    for what in ("service", "team", "channel", "outcome", "acceptability"):
        if what in details:
            details[what] = catalogue.name(what, details[what])
    for state in ("from", "to", "state"):
        if state in details:
            details[state] = catalogue.state_name(seen.type, details[state])
    if "agent" in details:
        details["agent"] = names(details["agent"])
    told = {
        "moved": "{from} → {to}",
        "assigned": "{service} {team} {agent}",
        "submitted": "par {channel}, {state}",
        "assessed": "{acceptability}",
        "concluded": "{outcome}",
        "messaged": "{channel}",
        "delivered": "{status}",
    }.get(entry.kind, "")
    if "status" in details:
        details["status"] = DELIVERY.get(details["status"], details["status"])
    by = ACTORS.get(actor.kind, actor.kind)
    return {
        "at": entry.occurred_at,
        "by": names(actor.id) if actor.kind == "agent" and actor.id else by,
        "kind": EVENTS.get(entry.kind, entry.kind),
        "details": told.format_map(_Blank(details)).strip(),
    }


class _Blank(dict[str, str]):
    """Details that are not there are nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def agent_names(session: grc.Session) -> Callable[[str], str]:
    """Looks names of agents up, each once for a page."""
    known: dict[str, str] = {}

    def name(agent: str) -> str:
        if agent not in known:
            known[agent] = session.agent_name(agent) or agent
        return known[agent]

    return name
