"""The main job, for asyncio."""

from __future__ import annotations

import asyncio

from towns import ANNE, MANAGER, RECEPTION, WORKER, AsyncTown, Post

import grc
from grc import aio


async def one_job(town: AsyncTown) -> None:
    reported = await town.hole(requester=ANNE)
    reception, manager, worker = town.session(RECEPTION), town.session(MANAGER), town.session(WORKER)
    await reception.fire(await reception.open(reported.id), "affecter", to=grc.Assignee(team="chaussee"))
    await worker.fire(await worker.open(reported.id), "traiter")
    await manager.fire(await manager.open(reported.id), "cloturer", outcome="repare")
    holder = town.session(grc.Holder(reported.tracking_code))
    assert (await holder.follow()).phase == "closed"
    post = Post()
    report = await town.host.work(post)
    assert report.sent == 2 and {message.to for message in post.got} == {"anne@example.org"}
    file = await reception.store_file("plan.txt", b"un plan")
    await reception.act_on(reported.id, grc.Attach(file))
    (attached,) = (await reception.open(reported.id)).files
    assert await reception.read_file(reported.id, attached) == b"un plan"
    assert (await town.host.verify(reported.id)).sound
    table = await town.host.measure("closed", by="type")
    assert table.to_dicts() == [{"type": "nid-de-poule", "type_label": "Nid-de-poule", "closed": 1}]


async def test_in_memory(async_memory_town: AsyncTown) -> None:
    await one_job(async_memory_town)


async def test_in_a_file(async_lasting_town: AsyncTown) -> None:
    await one_job(async_lasting_town)


async def test_requests_are_paged_lazily(async_memory_town: AsyncTown) -> None:
    town = async_memory_town
    ids = {(await town.hole()).id for _ in range(7)}
    found = [request.id async for request in town.session().requests(limit=3)]
    assert len(found) == 7 and set(found) == ids
    page = await town.session().list(limit=3)
    assert [request.id for request in page] == found[:3] and page.next is not None


async def test_a_store_is_awaited_or_entered(file: str) -> None:
    store = await aio.open(file)
    assert store.authority("rennes").name == "rennes" and not store.closed
    await store.close()
    await store.close()
    assert store.closed
    async with aio.open(file) as again:
        assert not again.closed
    assert again.closed


async def test_many_at_once(async_lasting_town: AsyncTown) -> None:
    town = async_lasting_town
    reported = await asyncio.gather(*[town.hole() for _ in range(40)])
    assert len({one.id for one in reported}) == 40 and len({one.tracking_code for one in reported}) == 40
    verdicts = await asyncio.gather(*[town.host.verify(one.id) for one in reported])
    assert all(verdict.sound for verdict in verdicts)
