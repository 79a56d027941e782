"""Who is asking. Django authenticates; grc authorises, so no view looks at rights."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import grc
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from desk.models import AgentLink
from desk.store import town

P = ParamSpec("P")


def agent_id(request: HttpRequest) -> str | None:
    """The agent that the user is, if any."""
    # The login page of the admin, for one, is rendered with no user.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    return AgentLink.objects.filter(user_id=user.pk).values_list("agent_id", flat=True).first()


def for_agents(
    view: Callable[Concatenate[HttpRequest, grc.Session, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """For a view that only agents may open: it is given their session with grc."""

    @wraps(view)
    def opened(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        agent = agent_id(request)
        if agent is None:
            return render(request, "desk/no_agent.html", status=403)
        return view(request, town().session(agent), *args, **kwargs)

    checked: Callable[Concatenate[HttpRequest, P], HttpResponse] = never_cache(login_required(opened))  # type: ignore[assignment]
    return checked


def citizen() -> grc.Session:
    """A citizen who hands something in."""
    return town().session(grc.Citizen())


def holder(code: str) -> grc.Session:
    """Who holds a tracking code.

    Raises:
        grc.NotFound: this can be no code. Whether one leads somewhere is known when it is used.
    """
    try:
        return town().session(grc.Holder(code))
    except ValueError:
        raise grc.NotFound("this is no tracking code") from None
