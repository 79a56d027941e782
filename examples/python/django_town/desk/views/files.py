"""Files of requests, opened by grc for who may see them."""

from __future__ import annotations

from uuid import UUID

import grc
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from grc.results import Seen

from desk.who import for_agents, holder


@require_GET
@for_agents
def of_agent(request: HttpRequest, session: grc.Session, id: UUID, file: UUID) -> HttpResponse:
    """A file, for an agent."""
    return _file(session, session.open(id), str(file))


@sensitive_post_parameters()
@never_cache
@require_POST
def of_holder(request: HttpRequest) -> HttpResponse:
    """A file, for who posts the code."""
    session = holder(request.POST.get("code", ""))
    return _file(session, session.follow(), request.POST.get("file", ""))


def _file(session: grc.Session, seen: Seen, id: str) -> HttpResponse:
    file = next((file for file in seen.files if str(file.id) == id), None)
    if file is None:
        raise Http404
    answer = HttpResponse(session.read_file(seen.id, file), content_type=file.media)
    # Always kept, never shown: a file that somebody sent must not run as a page of the town.
    answer.headers["Content-Disposition"] = _attachment(file.name)
    answer.headers["Content-Security-Policy"] = "sandbox"
    return answer


def _attachment(name: str) -> str:
    return content_disposition_header(True, name) or "attachment"
