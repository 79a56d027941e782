"""Does what is due, beside the service."""

from __future__ import annotations

import asyncio
import logging

import grc
from grc import aio

_log = logging.getLogger(__name__)
# At most so many tasks before others get their turn, and before a stop is heeded.
_ROUND = 50


async def work(host: aio.Host, transport: grc.AsyncTransport | None, every: float) -> None:
    """Works until it is cancelled. Any number of processes may: grc leases each task to one."""
    while True:
        try:
            report = await host.work(transport, tasks=_ROUND)
            if sum(report.to_dict().values()) >= _ROUND:
                continue
        except grc.GrcError as error:
            # The next round tries again. The message holds nothing personal.
            _log.warning("work failed: %s", error.message)
        await asyncio.sleep(every)
