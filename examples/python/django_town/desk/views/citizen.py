"""What citizens do: hand a request in, and follow it by its code.

A tracking code opens a request, so it is a secret: it is only ever posted, never in an address, a log or a session. For the
same reason the confirmation is the answer to the form itself: sent again (a reload), the form's key gives the same code.
"""

from __future__ import annotations

import grc
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from desk.catalogue import Catalogue, text
from desk.forms import RequestForm
from desk.french import CONFIRMATIONS, say
from desk.seen import of_citizen
from desk.uploads import has_upload, stored
from desk.who import citizen, holder

CHANNEL = "site"
"""The channel of the definition by which these pages are."""


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What may be asked."""
    families: dict[str, list[tuple[str, str]]] = {}
    for form in _forms():
        family = text(form.family[1]) if form.family else "Autres demandes"
        families.setdefault(family, []).append((form.type, text(form.label)))
    shown = [(family, sorted(types, key=lambda one: one[1])) for family, types in sorted(families.items())]
    return render(request, "desk/home.html", {"families": shown, "town": Catalogue.published().town})


def _forms() -> list[grc.Form]:
    """The forms of what may be handed in on these pages."""
    return [form for form in citizen().forms() if any(id == CHANNEL for id, _ in form.channels)]


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, type: str) -> HttpResponse:
    """The form of a type, and the confirmation that it was received."""
    asked = next((form for form in _forms() if form.type == type), None)
    if asked is None:
        raise Http404
    shown = {"type_name": text(asked.label)}
    if request.method == "GET":
        return render(request, "desk/new.html", shown | {"form": RequestForm(asked)})
    form = RequestForm(asked, request.POST, request.FILES)
    submitted = form.submit(citizen(), CHANNEL)
    if submitted is None:
        return render(request, "desk/new.html", shown | {"form": form}, status=422)
    return render(request, "desk/submitted.html", shown | {"code": submitted.tracking_code}, status=201)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """Asks for a code, and shows its request."""
    if request.method == "GET":
        return render(request, "desk/code.html")
    code = request.POST.get("code", "")
    try:
        return _followed(request, code, holder(code))
    except grc.NotFound:
        return render(request, "desk/code.html", {"unknown": True}, status=404)


@sensitive_post_parameters()
@never_cache
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Writes, says whether it is settled, attaches a file, or fires what the requester may fire."""
    code = request.POST.get("code", "")
    session = holder(code)
    seen = session.follow()
    text = request.POST.get("text", "").strip()
    action, _, transition = request.POST.get("action", "").partition(":")
    try:
        match action:
            case "hear":
                session.act(seen, grc.Hear(text, CHANNEL))
            case "confirm":
                session.act(seen, grc.Confirm(request.POST.get("satisfied") == "yes", text or None))
            case "fire":
                session.fire(seen, transition, message=text or None)
            case "attach" if has_upload(request):
                session.act(seen, grc.Attach(stored(session, request)))
            case _:
                return _followed(request, code, session, ["Il n'y a rien à faire."], status=400)
    except (grc.Refused, grc.NotPermitted) as refused:
        return _followed(request, code, session, [say(problem) for problem in refused.problems], text, status=422)
    except grc.Conflict:
        return _followed(request, code, session, ["La demande vient de changer : relisez-la."], text, status=409)
    return _followed(request, code, session, done="C'est enregistré.")


def _followed(
    request: HttpRequest,
    code: str,
    session: grc.Session,
    problems: list[str] | None = None,
    text: str = "",
    *,
    done: str = "",
    status: int = 200,
) -> HttpResponse:
    seen = session.follow()
    shown = {
        "code": code,
        "request_seen": of_citizen(seen, Catalogue.published()),
        "seen": seen,
        "confirmation": CONFIRMATIONS.get(seen.confirmation or "", ""),
        "closed": seen.phase == grc.Phase.CLOSED,
        "problems": problems or [],
        "text": text,
        "done": done,
    }
    return render(request, "desk/follow.html", shown, status=status)
