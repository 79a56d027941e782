"""What grc says that is not about what a person typed: each becomes the page that HTTP has for it."""

from __future__ import annotations

from collections.abc import Callable

import grc
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class StoreErrors:
    """Turns exceptions of grc that no view caught into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match error:
            case grc.NotFound():
                return page(request, 404, "Introuvable", "Cette demande n'existe pas, ou vous n'y avez pas accès.")
            case grc.NotPermitted():
                return page(request, 403, "Accès refusé", "Vos droits ne permettent pas cette action.")
            case grc.Refused() if "actor.unknown" in error.codes:
                return page(
                    request, 403, "Agent inconnu", "Votre identifiant d'agent n'est pas dans l'organisation publiée."
                )
            case grc.NoDefinition():
                return page(request, 503, "Service en préparation", "Aucune démarche n'est encore publiée.")
            case grc.OutcomeUnknown():
                # The same form holds the same key: sent again, it is done once.
                text = "Nous ne savons pas si c'est enregistré. Renvoyez la même page : rien ne sera fait deux fois."
                return page(request, 503, "Incident", text)
            case grc.StorageUnavailable() | grc.Busy():
                answer = page(request, 503, "Momentanément indisponible", "Réessayez dans une minute.")
                answer["Retry-After"] = "60"
                return answer
        return None


def page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """A page that says one thing."""
    return render(request, "desk/said.html", {"title": title, "text": text}, status=status)
