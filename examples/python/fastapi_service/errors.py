"""What grc says, as HTTP says it. No answer repeats what a person typed: grc's messages do not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import grc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

_STATUS: tuple[tuple[type[grc.GrcError], int, str], ...] = (
    # The first that fits counts, so the narrower stand before the wider.
    (grc.NotPermitted, 403, "not-permitted"),
    (grc.Refused, 422, "refused"),
    (grc.NotFound, 404, "not-found"),
    (grc.Conflict, 409, "conflict"),
    (grc.OutcomeUnknown, 503, "outcome-unknown"),
    (grc.StorageUnavailable, 503, "unavailable"),
    (grc.Busy, 503, "unavailable"),
    (grc.ClosedError, 503, "unavailable"),
    (grc.NoDefinition, 503, "no-definition"),
    (grc.Unsuitable, 422, "unsuitable"),
)
RETRY_AFTER = "5"


def answer(error: grc.GrcError) -> JSONResponse:
    """The answer for an error."""
    status, word = next(((status, word) for kind, status, word in _STATUS if isinstance(error, kind)), (500, "failed"))
    body: dict[str, Any] = {"error": word, "message": error.message if status != 500 else "an internal error"}
    match error:
        case grc.Refused() | grc.NotPermitted():
            body["problems"] = [asdict(problem) for problem in error.problems]
        case grc.Unsuitable():
            body["problems"] = [{"code": error.code, "path": error.path, "message": error.message, "hint": None}]
        case grc.Conflict():
            body |= {"seen": error.seen, "version": error.version, "changed": error.changed}
        case grc.OutcomeUnknown():
            body["hint"] = "send the same again under the same Idempotency-Key"
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else None
    return JSONResponse(body, status_code=status, headers=headers)


def install(app: FastAPI) -> None:
    """Makes the service answer so."""

    @app.exception_handler(grc.GrcError)
    async def failed(request: Request, error: grc.GrcError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def misshapen(request: Request, error: RequestValidationError) -> JSONResponse:
        # Without what was sent, which Pydantic would repeat.
        problems = [
            {"code": one["type"], "path": ".".join(map(str, one["loc"])), "message": one["msg"], "hint": None}
            for one in error.errors()
        ]
        return JSONResponse({"error": "misshapen", "problems": problems}, status_code=422)
