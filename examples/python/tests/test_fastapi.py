"""The asyncio service, through its ASGI door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grc
import httpx
import pytest
from fastapi import FastAPI
from grc import aio

from fastapi_service.app import create_app, from_environment
from fastapi_service.settings import Settings, digest

TOKENS = {name: f"token-of-{name}" for name in ("a-02", "a-03", "a-17", "a-21", "a-99")}
LEAK: dict[str, Any] = {
    "type": "fuite-eau",
    "channel": "site",
    "fields": {"description": "De l'eau coule.", "gravite": "ecoulement"},
    "requester": {"family": "Le Gall", "email": "anne@example.org", "answer_by": "courriel"},
    "place": {"address": ["12 rue des Lilas", "35000", "Saint-Aubin"], "position": [48.117266, -1.677793]},
}
KEY = "a-random-key-of-a-client-1"


@dataclass
class Service:
    """A running service and a client."""

    app: FastAPI
    client: httpx.AsyncClient
    posted: list[httpx.Request] = field(default_factory=list)

    async def ask(self, method: str, path: str, agent: str | None = None, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if agent is not None:
            headers["Authorization"] = f"Bearer {TOKENS[agent]}"
        return await self.client.request(method, path, headers=headers, **more)

    async def handed_in(self) -> dict[str, Any]:
        answer = await self.ask("POST", "/requests", "a-17", json=LEAK | {"channel": "telephone"})
        assert answer.status_code == 201, answer.text
        given: dict[str, Any] = answer.json()
        return given


@asynccontextmanager
async def running(
    folder: Path, town_folder: Path, gateway: Callable[[httpx.Request], httpx.Response] | None = None
) -> AsyncIterator[Service]:
    posted: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        posted.append(request)
        return httpx.Response(202) if gateway is None else gateway(request)

    settings = Settings(
        store=f"sqlite:///{folder / 'requests.db'}",
        definition=town_folder,
        agents={digest(token): agent for agent, token in TOKENS.items()},
        gateway="http://gateway.example/messages",
        work_every=0.02,
    )
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as out:
        app = create_app(settings, out)
        # The transport does not run the lifespan.
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                yield Service(app, client, posted)


@pytest.fixture
async def service(tmp_path: Path, town_folder: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, town_folder) as service:
        yield service


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_citizen_hands_in_and_follows(service: Service) -> None:
    answer = await service.ask("POST", "/requests", json=LEAK)
    assert answer.status_code == 201
    assert answer.json().keys() == {"tracking_code"}
    code = answer.json()["tracking_code"]
    followed = await service.ask("GET", "/follow", headers={"X-Tracking-Code": code})
    assert followed.json()["stage"] == "Votre signalement est enregistré"
    assert followed.headers["Cache-Control"] == "no-store"
    for wrong in ("what", "YSFQ-H7NU-FF9F"):
        assert (await service.ask("GET", "/follow", headers={"X-Tracking-Code": wrong})).status_code == 404


async def test_an_agent_goes_all_the_way(service: Service) -> None:
    id = (await service.handed_in())["id"]
    seen = (await service.ask("GET", f"/requests/{id}", "a-03")).json()
    assert seen["fields"]["gravite"] == "ecoulement"
    assert [choice["transition"] for choice in seen["choices"]] == ["confier", "rejeter"]

    async def fire(transition: str, **body: Any) -> httpx.Response:
        return await service.ask("POST", f"/requests/{id}/commands/{transition}", "a-03", json=body)

    assert (await fire("confier", seen=seen["version"], to={"team": "fontainiers"})).status_code == 200
    stale = await fire("confier", seen=seen["version"], to={"team": "fontainiers"})
    assert stale.status_code == 409
    assert stale.json()["changed"] == ["assignment", "state"]
    assert stale.json()["version"] > stale.json()["seen"] == seen["version"]
    assert (await fire("traiter")).status_code == 200
    refused = await fire("cloturer")
    assert refused.status_code == 422
    assert {problem["path"] for problem in refused.json()["problems"]} == {"outcome", "message"}
    assert (await fire("cloturer", outcome="repare", message="C'est fait.")).status_code == 200
    figures = (await service.ask("GET", "/figures", "a-02")).json()
    assert (figures["total"], figures["closed"]) == (1, 1)


async def test_errors_are_those_of_http(service: Service) -> None:
    id = (await service.handed_in())["id"]
    wrong = LEAK | {"fields": {"gravite": "huge"}, "requester": {"email": "secret-typed-thing"}}
    refused = await service.ask("POST", "/requests", json=wrong)
    assert refused.status_code == 422
    assert {problem["code"] for problem in refused.json()["problems"]} == {
        "field.email",
        "field.option",
        "field.required",
    }
    vast = LEAK | {"fields": {"description": "x", "gravite": 10**30}}
    unsuitable = await service.ask("POST", "/requests", json=vast)
    assert (unsuitable.status_code, unsuitable.json()["error"]) == (422, "unsuitable")
    (problem,) = unsuitable.json()["problems"]
    assert (problem["code"], problem["path"]) == ("unsuitable", "fields.gravite")
    misshapen = await service.ask("POST", "/requests", json=LEAK | {"requester": "secret-typed-thing"})
    assert misshapen.json()["error"] == "misshapen"
    for answer in (refused, misshapen):
        assert "secret-typed-thing" not in answer.text
    assert (await service.ask("GET", "/requests")).status_code == 401
    unknown = {"Authorization": "Bearer what"}
    assert (await service.ask("GET", "/requests", headers=unknown)).status_code == 401
    assert (await service.ask("GET", f"/requests/{id}", "a-21")).status_code == 404
    assert (await service.ask("GET", "/figures", "a-17")).status_code == 403
    assert (await service.ask("GET", "/requests", "a-99")).status_code == 422
    note = await service.ask("POST", f"/requests/{id}/commands/nothing", "a-03", json={})
    assert note.status_code == 422


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (grc.StorageUnavailable("locked"), "unavailable"),
        (grc.OutcomeUnknown("gone"), "outcome-unknown"),
        (grc.Busy("busy"), "unavailable"),
        (grc.NoDefinition("none", authority="x"), "no-definition"),
    ],
)
async def test_a_store_in_trouble_asks_to_come_back(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: grc.GrcError, word: str
) -> None:
    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(aio.Session, "submit", fails)
    answer = await service.ask("POST", "/requests", json=LEAK)
    assert (answer.status_code, answer.json()["error"]) == (503, word)
    assert answer.headers["Retry-After"] == "5"


async def test_fifty_at_once_and_pages_by_cursor(service: Service) -> None:
    submitted = await asyncio.gather(*(service.handed_in() for _ in range(50)))
    assert len({one["tracking_code"] for one in submitted}) == 50
    found: list[str] = []
    after: str | None = None
    while True:
        given = {"limit": "20"} | ({} if after is None else {"after": after})
        page = (await service.ask("GET", "/requests", "a-03", params=given)).json()
        found += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(found) == sorted(one["id"] for one in submitted)
    assert (await service.ask("GET", "/requests", "a-03", params={"phase": "closed"})).json()["items"] == []
    for cursor, status in (("!", 400), ("AAAA", 422)):
        assert (await service.ask("GET", "/requests", "a-03", params={"after": cursor})).status_code == status


async def test_forms_are_told_to_whoever_may_fill_them(service: Service) -> None:
    of_agents = (await service.ask("GET", "/forms", "a-17")).json()
    of_citizens = (await service.ask("GET", "/forms")).json()
    for forms in (of_agents, of_citizens):
        leak = next(form for form in forms if form["type"] == "fuite-eau")
        fields = {field["id"]: field for field in leak["fields"]}
        assert fields["gravite"]["required"] and fields["gravite"]["options"][0][0] == "suintement"


async def test_a_key_does_it_once(service: Service) -> None:
    async def once(**changes: Any) -> httpx.Response:
        return await service.ask("POST", "/requests", json=LEAK | changes, headers={"Idempotency-Key": KEY})

    answers = await asyncio.gather(*(once() for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["tracking_code"] for answer in answers}) == 1
    other = await once(type="avaloir", fields={"description": "bouché"})
    assert other.json()["problems"][0]["code"] == "command.key-reused"
    assert (await service.ask("GET", "/figures", "a-02")).json()["total"] == 1


async def test_the_worker_posts_messages(service: Service) -> None:
    id = (await service.handed_in())["id"]
    await until(lambda: bool(service.posted))
    (request,) = service.posted
    assert json.loads(request.content)["to"] == "anne@example.org"
    assert request.headers["Idempotency-Key"].startswith(id)

    async def status() -> str | None:
        seen = (await service.ask("GET", f"/requests/{id}", "a-03")).json()
        found: str | None = seen["messages"][0]["status"]
        return found

    async with asyncio.timeout(10):
        while await status() != "sent":
            await asyncio.sleep(0.01)


async def test_what_the_gateway_refuses_is_given_up(tmp_path: Path, town_folder: Path) -> None:
    async with running(tmp_path, town_folder, lambda _: httpx.Response(410)) as service:
        await service.handed_in()
        host = service.app.state.town.host("test")
        async with asyncio.timeout(10):
            while not (letters := (await host.dead_letters()).items):
                await asyncio.sleep(0.01)
    assert letters[0].code == "http-410"


async def test_it_starts_from_the_environment(
    tmp_path: Path, town_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = tmp_path / "agents.json"
    agents.write_text(json.dumps({digest("secret"): "a-03"}))
    monkeypatch.setenv("SERVICE_STORE", f"sqlite:///{tmp_path / 'requests.db'}")
    monkeypatch.setenv("SERVICE_DEFINITION", str(town_folder))
    monkeypatch.setenv("SERVICE_AGENTS", str(agents))
    app = from_environment()
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
            answer = await client.get("/requests", headers={"Authorization": "Bearer secret"})
    assert answer.json() == {"items": [], "next": None}
