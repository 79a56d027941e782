"""The service."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import grc
import httpx
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from grc import aio

from fastapi_service import errors
from fastapi_service.bodies import FireBody, IntakeBody
from fastapi_service.gateway import Gateway
from fastapi_service.settings import Settings, digest
from fastapi_service.worker import work

router = APIRouter()


def create_app(settings: Settings, client: httpx.AsyncClient | None = None) -> FastAPI:
    """The service with these settings; `client` posts to the gateway."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # In the lifespan, so in each worker process and never before a fork.
        async with contextlib.AsyncExitStack() as stack:
            store = await stack.enter_async_context(aio.open(settings.store))
            town = store.authority(settings.authority)
            if settings.definition is not None:
                await town.host("start").publish(settings.definition)
            transport: Gateway | None = None
            if settings.gateway is not None:
                http = await stack.enter_async_context(httpx.AsyncClient(timeout=30)) if client is None else client
                transport = Gateway(settings.gateway, http)
            worker = asyncio.create_task(work(town.host("worker"), transport, settings.work_every))
            app.state.town = town
            try:
                yield
            finally:
                # What it was at is leased to it for a while, and then done by another.
                worker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await worker

    # Its own pages would load scripts from elsewhere.
    app = FastAPI(title="Citizens' requests", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.include_router(router)
    errors.install(app)
    return app


def from_environment() -> FastAPI:
    """For `uvicorn --factory`."""
    return create_app(Settings.from_environment())


def agent_of(request: Request, authorization: Annotated[str | None, Header()] = None) -> str | None:
    """The agent of the bearer token; `None` for a citizen, who has none."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    settings: Settings = request.app.state.settings
    agent = settings.agents.get(digest(token)) if scheme.lower() == "bearer" else None
    if agent is None:
        raise HTTPException(401, "unknown token", {"WWW-Authenticate": "Bearer"})
    return agent


Agent: TypeAlias = Annotated[str | None, Depends(agent_of)]
Key: TypeAlias = Annotated[str | None, Header(alias="Idempotency-Key")]


def town_of(request: Request) -> aio.Authority:
    """The town."""
    town: aio.Authority = request.app.state.town
    return town


Town: TypeAlias = Annotated[aio.Authority, Depends(town_of)]


def session_of(town: Town, agent: Agent) -> aio.Session:
    """An agent's session."""
    if agent is None:
        raise HTTPException(401, "a token is wanted", {"WWW-Authenticate": "Bearer"})
    return town.session(agent)


Session: TypeAlias = Annotated[aio.Session, Depends(session_of)]


@router.post("/requests", status_code=201)
async def submit(town: Town, agent: Agent, body: IntakeBody, response: Response, key: Key = None) -> dict[str, Any]:
    """Hands a request in: as an agent with a token, else as a citizen, who gets the tracking code only."""
    session = town.session(grc.Citizen() if agent is None else agent)
    submitted = await session.submit(body.intake(key))
    if agent is None:
        return {"tracking_code": submitted.tracking_code}
    response.headers["Location"] = f"/requests/{submitted.id}"
    return submitted.to_dict()


@router.get("/forms")
async def forms(town: Town, agent: Agent) -> Any:
    """What the caller may hand in, and what is asked for it: enough to draw the form."""
    session = town.session(grc.Citizen() if agent is None else agent)
    return jsonable_encoder([form.to_dict() for form in await session.forms()])


@router.get("/requests")
async def listed(
    session: Session,
    phase: grc.Phase | None = None,
    service: str | None = None,
    type: str | None = None,
    mine: bool = False,
    my_teams: bool = False,
    unassigned: bool = False,
    overdue: bool = False,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """A page of the requests that the agent may see. `next` is the next page's `after`."""
    facts: dict[str, str | None] = {"phase": phase, "service": service, "type": type}
    filter = grc.Filter(
        facts={name: value for name, value in facts.items() if value is not None},
        mine=mine,
        my_teams=my_teams,
        unassigned=unassigned,
        overdue=overdue,
        after=_cursor(after),
        limit=limit,
    )
    page = await session.list(filter)
    return {
        "items": [summary.to_dict() for summary in page],
        "next": None if page.next is None else base64.urlsafe_b64encode(page.next).decode(),
    }


@router.get("/requests/{id}")
async def opened(session: Session, id: UUID) -> Any:
    """A request, as far as the agent may see it. Its version is what a command is compared with."""
    return jsonable_encoder((await session.open(id)).to_dict())


@router.post("/requests/{id}/commands/{transition}")
async def fire(session: Session, id: UUID, transition: str, body: FireBody, key: Key = None) -> dict[str, Any]:
    """Fires a transition."""
    acted = await session.act_on(id, body.fire(transition), seen=body.seen, key=key)
    return acted.to_dict()


@router.get("/follow")
async def follow(town: Town, response: Response, code: Annotated[str, Header(alias="X-Tracking-Code")]) -> Any:
    """A request, for who holds its tracking code. The code is a secret: in a header, where logs do not keep it."""
    response.headers["Cache-Control"] = "no-store"
    try:
        session = town.session(grc.Holder(code))
    except ValueError:
        raise grc.NotFound("this is no tracking code") from None
    return jsonable_encoder((await session.follow()).to_dict())


@router.get("/figures")
async def figures(session: Session) -> Any:
    """The figures that one looks at first, for agents who may see figures."""
    return jsonable_encoder((await session.figures()).to_dict())


def _cursor(given: str | None) -> bytes | None:
    try:
        return None if given is None else base64.b64decode(given, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise HTTPException(400, "this is no cursor") from None
