"""What Django's templates cannot say."""

from __future__ import annotations

from django import template
from django.http import QueryDict

register = template.Library()


@register.filter
def get(given: QueryDict, name: str) -> str:
    """A part by a name that is in a variable."""
    return given.get(name) or ""
