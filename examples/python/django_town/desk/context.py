"""What every page may show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from desk.who import agent_id


def agent(request: HttpRequest) -> dict[str, Any]:
    """Whether an agent is logged in."""
    return {"agent_id": agent_id(request)}
