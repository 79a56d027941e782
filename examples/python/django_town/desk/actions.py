"""What an agent's form asks of grc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import grc
from django.http import HttpRequest

from desk.catalogue import Catalogue, Named, named, text
from desk.french import say
from desk.uploads import has_upload, stored


def assignees(catalogue: Catalogue, name: Callable[[str], str], service: str | None) -> list[Named]:
    """Who a request can be given to: all services, and the teams and agents of its own. grc says who may do so."""
    out: list[Named] = []
    for team in catalogue.teams():
        if team.get("service") == service:
            label = catalogue.name("team", team["id"])
            out.append(Named(f"team:{team['id']}", label))
            out += [
                Named(f"agent:{team['id']}:{one}", f"{label} : {name(one)}") for one in catalogue.agents_of(team["id"])
            ]
    out += [Named(f"service:{one.id}", f"Service {one.label}") for one in catalogue.all("service")]
    return out


def assignee(given: str) -> grc.Assignee | None:
    """What was chosen among them."""
    kind, _, id = given.partition(":")
    team, _, agent = id.partition(":")
    match kind:
        case "service":
            return grc.Assignee(service=id)
        case "team":
            return grc.Assignee(team=id)
        case "agent":
            return grc.Assignee(team=team, agent=agent)
    return None


def command(request: HttpRequest, session: grc.Session) -> grc.Command | None:
    """The command that a posted form means."""
    given = {name: request.POST.get(name, "").strip() for name in request.POST}

    def said(name: str) -> str | None:
        return given.get(name) or None

    action, _, transition = given.get("action", "").partition(":")
    to = assignee(given.get("assignee", ""))
    match action:
        case "fire":
            fields = {name.removeprefix("fields."): text for name, text in given.items() if name.startswith("fields.")}
            return grc.Fire(
                transition,
                fields={id: text for id, text in fields.items() if text},
                to=to,
                outcome=said("outcome"),
                message=said("message"),
                note=said("note"),
            )
        case "assign" if to is not None:
            return grc.Assign(to, said("reason"))
        case "take":
            return grc.Take()
        case "note":
            return grc.Note(given.get("note", ""))
        case "tell":
            return grc.Tell(given.get("message", ""), said("channel"))
        case "assess":
            acceptability, _, reason = given.get("acceptability", "").partition(":")
            return grc.Assess(acceptability, reason or None)
        case "resend" if given.get("message", "").isdecimal():
            return grc.Resend(int(given["message"]))
        case "attach" if has_upload(request):
            return grc.Attach(stored(session, request))
    return None


@dataclass(frozen=True)
class Input:
    """An input that a transition asks for."""

    name: str
    label: str
    options: tuple[Named, ...] | None
    """To choose from; without, it is a text."""
    typed: str
    problem: str


@dataclass(frozen=True)
class Button:
    """A transition: a button and its inputs, or why it cannot be fired."""

    action: str
    label: str
    inputs: tuple[Input, ...]
    reasons: tuple[str, ...]


_ASKS = {"assignee": "À qui", "outcome": "Résultat", "message": "Message au demandeur", "note": "Note interne"}


def _options(field: grc.FormField) -> list[Named] | None:
    """What a field is chosen from; texts are handed over as they were typed."""
    if field.kind == grc.FieldKind.BOOLEAN:
        return [Named("oui", "Oui"), Named("non", "Non")]
    return [Named(id, label) for id, label in named(field.options)] or None


def button(
    choice: grc.results.Choice,
    seen: grc.results.Seen,
    options: dict[str, list[Named]],
    typed: dict[str, str],
    problems: dict[str, str],
) -> Button:
    """The button of a choice. What was typed into it, and what was wrong with it, is kept if it was the one that was used."""
    action = f"fire:{choice.transition}"
    used = typed.get("action") == action
    asked = [(ask, _ASKS.get(ask, ask), options.get(ask)) for ask in choice.asks]
    asked += [(f"fields.{one.id}", text(one.label), _options(one)) for one in seen.form if one.id in choice.fields]
    inputs = tuple(
        Input(
            name=name,
            label=label,
            options=None if chosen is None else tuple(chosen),
            typed=typed.get(name, "") if used else "",
            problem=problems.get(name, "") if used else "",
        )
        for name, label, chosen in asked
    )
    return Button(action, text(choice.label), inputs, tuple(say(problem) for problem in choice.blocked))
