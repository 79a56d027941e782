"""Messages leave by HTTP: one gateway takes e-mails, texts and letters."""

from __future__ import annotations

from dataclasses import asdict

import grc
import httpx


class Gateway:
    """Posts each message as JSON."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    def carries(self, channel: str) -> bool:
        return True

    async def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        # A message may be given twice, if the acknowledgement is lost: the key lets the gateway know it.
        headers = {"Idempotency-Key": message.key}
        try:
            answer = await self._client.post(self._url, json=asdict(message), headers=headers)
        except httpx.TransportError:
            return grc.Later("gateway-unreachable")
        if answer.is_success:
            return grc.Sent()
        code = f"http-{answer.status_code}"
        if answer.status_code == 429 or answer.is_server_error:
            wait = answer.headers.get("Retry-After", "")
            return grc.Later(code, seconds=int(wait) if wait.isdecimal() else None)
        return grc.Rejected(code)
