"""What agents do: their list, and a request with all that they may do with it."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import grc
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from desk import actions
from desk.catalogue import PHASES, Catalogue
from desk.french import changed, say
from desk.seen import agent_names, of_agent
from desk.store import store
from desk.who import for_agents

WHICH = {
    "mine": "Les miennes",
    "my_teams": "Celles de mes équipes",
    "unassigned": "Sans agent",
    "overdue": "En retard",
}
PAGE = 25


@require_GET
@for_agents
def index(request: HttpRequest, session: grc.Session) -> HttpResponse:
    """The list. Its filters are in the address: they are words of the definition, nothing of a person."""
    given = request.GET
    catalogue = Catalogue.published()
    facts: dict[str, grc.figures.FactValue] = {
        fact: given[fact] for fact in ("phase", "service", "type") if given.get(fact)
    }
    on = {name: bool(given.get(name)) for name in (*WHICH, "oldest_first")}
    filter = grc.Filter(
        facts=facts,
        mine=on["mine"],
        my_teams=on["my_teams"],
        unassigned=on["unassigned"],
        overdue=on["overdue"],
        oldest_first=on["oldest_first"],
        limit=PAGE,
    )
    try:
        listed = session.list(filter, after=_cursor(given.get("after")))
    except grc.Refused as refused:
        # A cursor of another list: a bookmark from before, say. The list begins anew.
        if refused.codes != {"list.cursor"}:
            raise
        listed = session.list(filter)
    name, now = agent_names(session), store().now()
    rows = [
        {
            "summary": one,
            "type": catalogue.type_name(one.type),
            "state": catalogue.state_name(one.type, one.state),
            "address": (one.address or "").replace("\n", ", "),
            "service": catalogue.name("service", one.service),
            "holder": name(one.agent) if one.agent else catalogue.name("team", one.team),
            "late": one.closed_at is None and one.target is not None and one.target < now,
        }
        for one in listed
    ]
    further = None
    if listed.next is not None:
        kept = {name: given[name] for name in given if name != "after" and given[name]}
        further = "?" + urlencode(kept | {"after": base64.urlsafe_b64encode(listed.next).decode()})
    shown = {
        "rows": rows,
        "further": further,
        "given": given,
        "which": [(name, label, on[name]) for name, label in WHICH.items()],
        "selects": [
            ("phase", "Étape", list(PHASES.items())),
            ("service", "Service", [(one.id, one.label) for one in catalogue.all("service")]),
            ("type", "Nature", [(one.id, one.label) for one in catalogue.types()]),
        ],
    }
    return render(request, "desk/list.html", shown)


@require_GET
@for_agents
def page(request: HttpRequest, session: grc.Session, id: UUID) -> HttpResponse:
    """A request."""
    done = "C'est enregistré." if request.session.pop("done", False) else ""
    return _page(request, session, id, done=done)


@sensitive_post_parameters()
@require_POST
@for_agents
def act(request: HttpRequest, session: grc.Session, id: UUID) -> HttpResponse:
    """Gives a command to the version of the request that the agent had before them."""
    version = request.POST.get("version", "")
    try:
        command = actions.command(request, session)
        if command is None or not version.isdecimal():
            return _page(request, session, id, top=["Choisissez ou écrivez quelque chose."], status=400)
        session.act_on(id, command, seen=int(version))
    except (grc.Refused, grc.NotPermitted) as refused:
        status = 403 if isinstance(refused, grc.NotPermitted) else 422
        return _page(request, session, id, problems=refused.problems, status=status)
    except grc.Conflict as conflict:
        top = f"Cette demande a été modifiée entre-temps ({changed(conflict)}). Rien n'a été écrit : relisez, puis recommencez."
        return _page(request, session, id, top=[top], status=409)
    try:
        session.open(id)
    except grc.NotFound:
        # Given to others, it may be out of one's sight.
        return redirect("agent-list")
    request.session["done"] = True
    return redirect("agent-page", id=id)


def _page(
    request: HttpRequest,
    session: grc.Session,
    id: UUID,
    *,
    problems: tuple[grc.Problem, ...] = (),
    top: list[str] | None = None,
    done: str = "",
    status: int = 200,
) -> HttpResponse:
    seen = session.open(id)
    catalogue = Catalogue.published()
    name = agent_names(session)
    typed = {key: request.POST.get(key, "") for key in request.POST}
    said = {problem.path: say(problem) for problem in problems}
    options = {
        "assignee": actions.assignees(catalogue, name, seen.service),
        "outcome": list(catalogue.all("outcome")),
    }
    buttons = [actions.button(one, seen, options, typed, said) for one in seen.choices]
    at_inputs = {input.problem for button in buttons for input in button.inputs}
    shown: dict[str, Any] = {
        "seen": seen,
        "it": of_agent(seen, session.history(id), catalogue, name),
        "buttons": buttons,
        "may": seen.may,
        "assignees": options["assignee"],
        "acceptabilities": catalogue.acceptabilities(),
        "channels": catalogue.answering(),
        "typed": typed,
        "top": (top or []) + [one for one in said.values() if one not in at_inputs],
        "done": done,
    }
    return render(request, "desk/page.html", shown, status=status)


def _cursor(given: str | None) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(given) if given else None
    except ValueError:
        return None
