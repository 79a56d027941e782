"""The twin of `grc.aio` for callers that wait."""

# Made by tools/twins.py from the module of the same name in grc/aio: change that one, not this one.

from __future__ import annotations

from grc._sync._host import Host
from grc._sync._session import Session
from grc._sync._store import Authority, Store, open

__all__ = ["Authority", "Host", "Session", "Store", "open"]
