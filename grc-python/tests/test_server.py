"""Stores on a server: what keeps one from being opened, and what a pool of one connection bears."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Place
from lines import Line
from towns import Town, definition

import grc
from grc import aio


def test_a_wrong_password(server: Place) -> None:
    password = urlsplit(server["url"]).password
    assert password
    wrong = server["url"].replace(password, "password-8417")
    with pytest.raises(grc.StorageError, match="refuses the user or the password") as raised:
        grc.open(wrong, keyring=server["keyring"])
    assert raised.value.kind == "unusable" and "password-8417" not in str(raised.value)


def test_a_database_that_is_not_there(server: Place) -> None:
    with pytest.raises(grc.StorageError) as raised:
        grc.open(server["url"] + "-not-there", keyring=server["keyring"])
    assert raised.value.kind == "unusable" and "CREATE DATABASE" in str(raised.value)


def test_what_was_not_made(server: Place) -> None:
    with pytest.raises(grc.GrcError):
        grc.open(**server, create=False)


def test_the_keys_of_another_store(server: Place, tmp_path: Path) -> None:
    grc.open(**server).close()
    with pytest.raises(grc.KeyringError):
        grc.open(server["url"], keyring=f"sqlite:///{tmp_path}/other.keys")


def test_another_server_of_the_address(server: Place, clock: grc.ManualClock) -> None:
    # Nobody listens at the first.
    first = server["url"].replace("@", "@127.0.0.1:1,")
    with grc.open(first, keyring=server["keyring"], clock=clock) as store:
        town = Town(store, clock)
        town.host.publish(definition())
        assert town.session().open(town.hole().id).state == "recue"


def test_opened_twice_it_is_the_same(server: Place) -> None:
    with grc.open(**server) as one, grc.open(**server) as other:
        one.authority("rennes").host("tests").publish(definition())
        submitted = (
            one.authority("rennes").session("a-09").submit("nid-de-poule", channel="telephone", fields={"danger": True})
        )
        assert other.authority("rennes").session("a-09").open(submitted.id).version == submitted.version


@pytest.fixture
def line(server: Place) -> Iterator[Line]:
    """A line to the server."""
    line = Line(server["url"])
    yield line
    line.close()


def test_an_answer_that_is_lost_leaves_the_outcome_unknown_and_the_same_again_finds_out(
    server: Place, line: Line, clock: grc.ManualClock
) -> None:
    with grc.open(line.url, keyring=server["keyring"], clock=clock) as store:
        town = Town(store, clock)
        town.host.publish(definition())
        hole, session = town.hole(), town.session()
        line.lose_answer_to(b"COMMIT")
        with pytest.raises(grc.OutcomeUnknown) as raised:
            session.act_on(hole.id, grc.Note("vu"), key="note-1")
        assert line.lost == 1
        assert (raised.value.kind, raised.value.retry) == ("outcome-unknown", "same")
        with pytest.raises(grc.StorageUnavailable) as down:
            session.open(hole.id)
        assert (down.value.kind, down.value.retry) == ("unavailable", "same")
        line.mend()
        again = session.act_on(hole.id, grc.Note("vu"), key="note-1")
        seen = session.open(hole.id)
        assert [note.text for note in seen.notes] == ["vu"] and seen.version == again.version
        assert town.host.verify(hole.id).sound


async def test_one_connection_for_many(server: Place) -> None:
    async with aio.open(**server, connections=1) as store:
        await store.authority("rennes").host("tests").publish(definition())
        session = store.authority("rennes").session("a-09")
        submits = [session.submit("nid-de-poule", channel="telephone", fields={"danger": True}) for _ in range(20)]
        assert len({submitted.id for submitted in await asyncio.gather(*submits)}) == 20
