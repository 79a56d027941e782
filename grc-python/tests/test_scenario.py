"""The scenario of `scenario/town.json` through Python: the same events as through Rust (`scenario.rs`), byte for byte."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import grc

HERE = Path(__file__).parent
SCENARIO = HERE / "scenario"


def _time(text: str | None) -> datetime | None:
    # Python 3.10 does not read the `Z`.
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def _value(given: Any) -> grc.FieldValue:
    if isinstance(given, dict):
        return date.fromisoformat(given["date"])
    value: grc.FieldValue = given
    return value


def _command(step: dict[str, Any]) -> grc.Command:
    match step:
        case {"fire": transition}:
            to = grc.Assignee(team=step["team"]) if "team" in step else None
            return grc.Fire(transition, to=to, outcome=step.get("outcome"), message=step.get("message"))
        case {"note": text}:
            return grc.Note(text)
        case {"assess": acceptability}:
            return grc.Assess(acceptability, step.get("reason"))
        case {"correct": fields}:
            return grc.Correct({name: _value(given) for name, given in fields.items()})
        case {"tell": text}:
            return grc.Tell(text)
        case {"hear": text, "channel": channel}:
            return grc.Hear(text, channel)
        case {"hold": reason}:
            return grc.Hold(reason)
        case {"release": hold}:
            return grc.Release(hold)
    raise AssertionError(step)


def _work(step: dict[str, Any], requests: list[UUID]) -> grc.SiteWork:
    match step["work"]:
        case "start":
            return grc.Start()
        case "spend":
            return grc.Spend(step["minutes"])
        case "buy":
            return grc.Buy(net=Decimal(step["net"]), vat_rate=Decimal(step["vat_rate"]), item=step["item"])
        case "done":
            return grc.Done({requests[0]: step["report"]})
    raise AssertionError(step)


class _Post:
    """Takes every message."""

    def carries(self, channel: str) -> bool:
        return True

    def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        return grc.Sent()


def _submit(session: grc.Session, step: dict[str, Any]) -> UUID:
    street, postcode, town = step["address"]
    position = tuple(step["position"]) if "position" in step else None
    return session.submit(
        step["type"],
        channel=step["channel"],
        fields={name: _value(given) for name, given in step["fields"].items()},
        requester=grc.Party(**step["requester"]),
        place=grc.Place(address=(street, postcode, town), position=position),
        occurred_at=_time(step.get("occurred_at")),
        key=step.get("key"),
    ).id


def _play(scenario: dict[str, Any], path: Path) -> tuple[list[UUID], UUID]:
    now = _time(scenario["begins"])
    assert now is not None
    clock = grc.ManualClock(now)
    requests: list[UUID] = []
    site: UUID | None = None
    with grc.open(f"sqlite:///{path}", clock=clock, seed=scenario["seed"], test=True) as store:
        town = store.authority(scenario["authority"])
        town.host("set-up").publish(HERE / "../../grc-core/tests/definitions/voirie")
        for one in scenario["steps"]:
            ((kind, step),) = one.items()
            if kind == "minutes":
                now += timedelta(minutes=step)
                clock.set(now)
                continue
            if kind == "work":
                town.host(step).work(_Post())
                continue
            session = town.session(grc.Citizen() if step["as"] is None else step["as"])
            if kind == "submit":
                requests.append(_submit(session, step))
            elif kind == "act":
                at = _time(step.get("occurred_at"))
                session.act_on(requests[step["request"]], _command(step), occurred_at=at)
            elif kind == "plan":
                serves = [requests[n] for n in step["serves"]]
                begins, ends = _time(step["begins"]), _time(step["ends"])
                assert begins is not None and ends is not None
                planning = grc.Planning(
                    serves=serves,
                    begins=begins,
                    ends=ends,
                    team=step["team"],
                    minutes=step["minutes"],
                    instructions={request: step["instructions"] for request in serves},
                )
                site = session.plan(planning).id
            else:
                assert site is not None
                session.work_on(site, _work(step, requests))
    assert site is not None
    return requests, site


def test_the_scenario_comes_to_the_events_that_are_kept(tmp_path: Path) -> None:
    scenario = json.loads((SCENARIO / "town.json").read_text(encoding="utf-8"))
    path = tmp_path / "town.db"
    requests, site = _play(scenario, path)
    lines = []
    with sqlite3.connect(path) as database:
        for kind, id in [*(("request", id) for id in requests), ("intervention", site)]:
            bodies = database.execute(
                "SELECT body FROM event WHERE kind = ? AND id = ? ORDER BY sequence", (kind, id.bytes)
            )
            lines += [f"{kind} ".encode() + body for (body,) in bodies]
    database.close()
    assert b"\n".join(lines) + b"\n" == (SCENARIO / "town.events").read_bytes()
