"""The library for asyncio: the same names as in `grc`, to be awaited.

>>> import asyncio
>>> from grc import aio
>>> async def main() -> str:
...     async with aio.open("memory:") as store:
...         return store.authority("rennes").name
>>> asyncio.run(main())
'rennes'

What is awaited runs on threads of its own, so the event loop never waits. A call that is cancelled is given up; whether it
was done is known by giving it again with the same `key`.
"""

# The twin of this package for callers that wait is made from it: see tools/twins.py.

from __future__ import annotations

from grc.aio._host import Host
from grc.aio._session import Session
from grc.aio._store import Authority, Opening, Store, open

__all__ = ["Authority", "Host", "Opening", "Session", "Store", "open"]
