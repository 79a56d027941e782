"""What differs from one installation to another."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How the service runs."""

    store: str = "sqlite:///requests.db"
    authority: str = "saint-aubin"
    definition: Path | None = None
    """A folder that is published at the start. What did not change keeps its version."""
    agents: Mapping[str, str] = field(default_factory=dict)
    """The agent of each bearer token, by the token's SHA-256: a table that leaks opens nothing."""
    gateway: str | None = None
    """Where messages go out. Without, they wait."""
    work_every: float = 10.0
    """How many seconds the worker sleeps when nothing is due."""

    @classmethod
    def from_environment(cls) -> Settings:
        """`SERVICE_STORE`, `SERVICE_AUTHORITY`, `SERVICE_DEFINITION`, `SERVICE_AGENTS` (a JSON file: SHA-256 of the token to the
        agent's id), `SERVICE_GATEWAY`."""
        given = os.environ
        agents = given.get("SERVICE_AGENTS")
        definition = given.get("SERVICE_DEFINITION")
        return cls(
            store=given.get("SERVICE_STORE", cls.store),
            authority=given.get("SERVICE_AUTHORITY", cls.authority),
            definition=Path(definition) if definition else None,
            agents=json.loads(Path(agents).read_text()) if agents else {},
            gateway=given.get("SERVICE_GATEWAY"),
        )


def digest(token: str) -> str:
    """What the table of agents holds of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
