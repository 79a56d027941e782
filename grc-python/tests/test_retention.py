"""Retention: when its time has come, nothing personal is left, and the history still verifies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Place
from towns import ANNE, DAY, SOMEWHERE, AsyncTown, Post, Town, definition

import grc
from grc import aio

WHO = "a-1"


@pytest.fixture
def village(clock: grc.ManualClock, anywhere: Place) -> Iterator[Town]:
    """A village that forgets after thirty days."""
    with grc.open(**anywhere, clock=clock, seed=7, test=True) as store:
        town = Town(store, clock)
        town.host.publish(definition("messages.toml"))
        yield town


def closed(town: Town) -> grc.results.Submitted:
    """A request that was handled."""
    session = town.session(WHO)
    reported = session.submit(
        "signalement", channel="web", fields={"description": "un trou"}, requester=ANNE, place=SOMEWHERE
    )
    session.fire(session.open(reported.id), "finir", outcome="fait")
    assert town.host.work(Post()).sent == 2
    return reported


def test_work_anonymises_what_is_due(village: Town) -> None:
    reported = closed(village)
    village.later(29 * DAY)
    assert village.host.work(Post()).anonymised == 0
    village.later(2 * DAY)
    assert village.host.work(Post()).anonymised == 1
    session = village.session(WHO)
    seen = session.open(reported.id)
    assert seen.anonymised_at is not None and seen.phase == "closed"
    assert "description" not in seen.fields and seen.tracking_code is None
    assert all(not person.details for person in seen.parties)
    assert seen.place is None or seen.place.address is None
    assert all(not message.text for message in seen.messages)
    told = repr(seen) + repr(session.history(reported.id)) + repr(session.list())
    for typed in ("un trou", "Anne", "Le Gall", "example.org", reported.tracking_code):
        assert typed not in told
    with pytest.raises(grc.NotFound):
        village.session(grc.Holder(reported.tracking_code)).follow()
    assert village.host.verify(reported.id).sound
    assert village.host.figures().anonymised == 1
    assert village.host.work(Post()).anonymised == 0


def test_what_is_held_is_kept(village: Town) -> None:
    reported = closed(village)
    session = village.session(WHO)
    session.act_on(reported.id, grc.Hold("contentieux"))
    village.later(60 * DAY)
    assert village.host.work(Post()).anonymised == 0
    seen = session.open(reported.id)
    assert seen.fields["description"] == "un trou"
    session.act_on(reported.id, grc.Release(seen.holds[0]))
    village.later(DAY)
    assert village.host.work(Post()).anonymised == 1


def test_keys_are_destroyed_and_rows_scrubbed(village: Town) -> None:
    closed(village)
    village.later(31 * DAY)
    destroyed = village.host.work(Post()).destroyed
    village.later(DAY)
    assert destroyed + village.host.work(Post()).destroyed == 1
    assert village.host.scrub().done


async def test_the_same_with_asyncio(clock: grc.ManualClock) -> None:
    async with aio.open("memory:", clock=clock, seed=7) as store:
        town = AsyncTown(store, clock)
        await town.host.publish(definition("messages.toml"))
        session = town.session(WHO)
        reported = await session.submit("signalement", channel="web", requester=ANNE)
        await session.fire(await session.open(reported.id), "finir", outcome="fait")
        clock.set(clock.now() + 40 * DAY)
        assert (await town.host.work()).anonymised == 1
        assert (await session.open(reported.id)).parties[0].details == {}
