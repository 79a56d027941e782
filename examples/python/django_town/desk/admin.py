"""For administrators: which user is which agent, and the state of things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grc
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from desk.catalogue import Catalogue
from desk.models import AgentLink
from desk.store import host, store, town


if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[AgentLink]
else:
    _Admin = admin.ModelAdmin


@admin.register(AgentLink)
class AgentLinkAdmin(_Admin):
    list_display = ("user", "agent_id")
    search_fields = ("user__username", "agent_id")
    autocomplete_fields = ("user",)
    change_list_template = "admin/desk/agents.html"

    def save_model(self, request: HttpRequest, obj: AgentLink, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        old = form.initial.get("agent_id")
        if change and old and old != obj.agent_id:
            _forget(old)
        # The name is kept apart from everything that names the agent, so that it can be forgotten.
        name = obj.user.get_full_name() or obj.user.get_username()
        host("admin").name_agent(obj.agent_id, name)

    def delete_model(self, request: HttpRequest, obj: AgentLink) -> None:
        _forget(obj.agent_id)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AgentLink]) -> None:
        for link in queryset:
            _forget(link.agent_id)
        super().delete_queryset(request, queryset)

    def get_urls(self) -> list[URLPattern]:
        own = [path("etat/", self.admin_site.admin_view(self.state), name="desk_state")]
        return own + super().get_urls()

    def state(self, request: HttpRequest) -> HttpResponse:
        """The figures, what is late, and messages that were given up."""
        # What the program itself may see is for the administrators of this program only.
        if not (isinstance(request.user, AbstractUser) and request.user.is_superuser):
            raise PermissionDenied
        program = host("admin")
        if request.method == "POST":
            count = program.resend(program.dead_letters(limit=1000).items)
            messages.success(request, f"{count} message(s) remis à l'envoi.")
            return redirect("admin:desk_state")
        catalogue = Catalogue.published()
        letters = program.dead_letters()
        late = program.measure(grc.Question(["open"], by=["service"], where={"<": [{"var": "target"}, store().now()]}))
        shown = self.admin_site.each_context(request) | {
            "title": "État des demandes",
            "opts": self.model._meta,
            "town": town().name,
            "figures": program.figures(),
            "late": [(row.keys[0].label if row.keys[0] else "—", row.cells[0]) for row in late.rows],
            "letters": [(one, catalogue.name("channel", one.channel)) for one in letters],
            "more_letters": letters.next is not None,
        }
        return TemplateResponse(request, "admin/desk/state.html", shown)


def _forget(agent: str) -> None:
    host("admin").forget_agent(agent)
