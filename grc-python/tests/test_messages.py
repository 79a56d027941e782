"""Messages: they leave by a transport that is written in Python, and what becomes of them is taken in."""

from __future__ import annotations

import pickle
import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from scripts import run
from towns import ANNE, HOUR, AsyncTown, Post, Town

import grc


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What was raised where nobody could catch it."""
    raised: list[BaseException] = []
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: raised.append(unraisable.exc_value))
    return raised


def test_a_message_is_delivered_once(town: Town) -> None:
    reported = town.hole(requester=ANNE)
    post = Post()
    assert town.host.work(post).sent == 1
    (message,) = post.got
    assert (message.authority, message.channel, message.contact) == ("rennes", "courriel", "email")
    assert (message.to, message.recipient) == ("anne@example.org", "Anne Le Gall")
    assert message.template == "accuse" and message.automatic
    assert message.subject is not None and reported.tracking_code in message.subject
    assert town.host.work(post).sent == 0 and len(post.got) == 1
    (seen,) = town.session().open(reported.id).messages
    assert seen.status == "sent" and seen.text == message.text


def test_later_is_later_and_under_the_same_key(memory_town: Town) -> None:
    memory_town.hole(requester=ANNE)
    post = Post([grc.Later("greylisted", seconds=600)])
    assert memory_town.host.work(post).later == 1
    assert memory_town.host.work(post).sent == 0, "not before its time"
    memory_town.later(HOUR)
    assert memory_town.host.work(post).sent == 1
    assert post.got[0].key == post.got[1].key


def test_transports_by_channel(memory_town: Town) -> None:
    town = memory_town
    town.hole(requester=ANNE)
    town.hole(requester=grc.Party(family="Le Goff", phone="06 39 98 12 34", answer_by="sms"))
    mail, sms = Post(), Post()
    assert town.host.work({"courriel": mail, "sms": sms}).sent == 2
    assert [message.contact for message in mail.got + sms.got] == ["email", "phone"]


def test_a_channel_that_nobody_carries_waits(memory_town: Town) -> None:
    memory_town.hole(requester=ANNE)
    post = Post(channels=["courrier"])
    assert memory_town.host.work(post).sent == 0 and not post.got
    assert memory_town.host.work().sent == 0
    assert memory_town.host.work({"sms": post}).sent == 0
    memory_town.later(48 * HOUR)
    assert memory_town.host.work(Post()).sent == 1


def test_a_message_that_is_given_up_can_be_sent_again(town: Town) -> None:
    reported = town.hole(requester=ANNE)
    assert town.host.work(Post([grc.Rejected("no-such-box")])).dead == 1
    letters = town.host.dead_letters()
    (letter,) = letters
    assert (letter.request, letter.channel, letter.code) == (reported.id, "courriel", "no-such-box")
    # Also by whoever was told of them.
    told = pickle.loads(pickle.dumps(letters.items))
    assert told == letters.items and town.host.resend(told) == 1
    post = Post()
    assert town.host.work(post).sent == 1
    assert not town.host.dead_letters().items
    town.host.report(post.got[0].key, grc.Read())
    assert town.session().open(reported.id).messages[0].status == "read"


def test_a_report_of_no_message_changes_nothing(memory_town: Town) -> None:
    reported = memory_town.hole(requester=ANNE)
    before = memory_town.session().open(reported.id)
    for key in ("", "no key", f"{reported.id}/99", "\0"):
        memory_town.host.report(key, grc.Bounced("no-such-box"))
    assert memory_town.session().open(reported.id) == before


def test_a_transport_that_raises_delays_and_is_told(memory_town: Town, told: list[BaseException]) -> None:
    memory_town.hole(requester=ANNE)
    down = ConnectionError("the server is down")
    post = Post([down])
    assert memory_town.host.work(post).later == 1
    assert told == [down]
    memory_town.later(HOUR)
    assert memory_town.host.work(post).sent == 1


@pytest.mark.parametrize("wrong", [None, True, "sent", 250, grc.Sent, grc.Arrived(), grc.Later("x", seconds=-1)])
def test_a_wrong_answer_delays_and_is_told(memory_town: Town, told: list[BaseException], wrong: object) -> None:
    memory_town.hole(requester=ANNE)
    assert memory_town.host.work(Post([wrong])).later == 1
    (error,) = told
    assert isinstance(error, (TypeError, ValueError)) and str(error)


def test_a_transport_that_cannot_say_what_it_carries(memory_town: Town, told: list[BaseException]) -> None:
    memory_town.hole(requester=ANNE)

    class Lost(Post):
        def carries(self, channel: str) -> bool:
            raise LookupError(channel)

    assert memory_town.host.work(Lost()).sent == 0
    assert told and all(isinstance(error, LookupError) for error in told)


@pytest.mark.parametrize("wrong", ["smtp", 5, object(), {"courriel": "smtp"}, {1: Post()}])
def test_what_is_no_transport_is_refused(memory_town: Town, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"transport|str"):
        memory_town.host.work(wrong)


def test_tasks_or_minutes(memory_town: Town) -> None:
    for _ in range(3):
        memory_town.hole(requester=ANNE)
    assert memory_town.host.work(Post(), tasks=2).sent == 2
    with pytest.raises(ValueError, match="not both"):
        memory_town.host.work(Post(), tasks=1, minutes=1)
    with pytest.raises(TypeError, match="tasks: an int"):
        memory_town.host.work(Post(), tasks="1")  # type: ignore[arg-type]
    assert memory_town.host.work(Post(), minutes=1).sent == 1


class Awaiting:
    """A transport that is a coroutine."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def carries(self, channel: str) -> bool:
        return True

    async def deliver(self, message: grc.Outgoing) -> grc.Delivery:
        await asyncio.sleep(0.01)
        self.got.append(message.to)
        return grc.Sent()


async def test_a_coroutine_is_awaited_on_the_loop(async_memory_town: AsyncTown) -> None:
    for _ in range(3):
        await async_memory_town.hole(requester=ANNE)
    post = Awaiting()
    report = await asyncio.wait_for(async_memory_town.host.work(post), 20)
    assert report.sent == 3 and post.got == ["anne@example.org"] * 3


async def test_a_coroutine_that_raises_delays(async_memory_town: AsyncTown, told: list[BaseException]) -> None:
    await async_memory_town.hole(requester=ANNE)
    down = ConnectionError("the server is down")

    class Down(Awaiting):
        async def deliver(self, message: grc.Outgoing) -> grc.Delivery:
            raise down

    assert (await async_memory_town.host.work(Down())).later == 1
    assert told == [down]


async def test_whatever_can_be_awaited_is(async_memory_town: AsyncTown) -> None:
    await async_memory_town.hole(requester=ANNE)

    class Future(Awaiting):
        """Answers a future, not a coroutine."""

        def deliver(self, message: grc.Outgoing) -> Awaitable[grc.Delivery]:  # type: ignore[override]
            self.got.append(message.to)
            future: asyncio.Future[grc.Delivery] = self.loop.create_future()
            self.loop.call_soon_threadsafe(future.set_result, grc.Sent())
            return future

        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.get_running_loop()

    assert (await asyncio.wait_for(async_memory_town.host.work(Future()), 20)).sent == 1


async def test_a_plain_transport_with_asyncio(async_memory_town: AsyncTown) -> None:
    await async_memory_town.hole(requester=ANNE)
    post = Post()
    assert (await async_memory_town.host.work(post)).sent == 1


def test_a_coroutine_is_refused_where_nobody_awaits(memory_town: Town, told: list[BaseException]) -> None:
    memory_town.hole(requester=ANNE)
    assert memory_town.host.work(Awaiting()).later == 1  # type: ignore[arg-type]
    (error,) = told
    assert isinstance(error, TypeError) and "grc.aio" in str(error)


def test_nor_where_the_loop_is_the_one_that_waits() -> None:
    # A call that waits, made by a coroutine, blocks the loop that would have to await the transport.
    run(
        """
        class Awaiting:
            def carries(self, channel):
                return True
            async def deliver(self, message):
                return grc.Sent()

        async def main():
            with grc.open("memory:") as store:
                town = Town(store, None)
                town.host.publish(definition())
                town.hole(requester=ANNE)
                told = []
                sys.unraisablehook = lambda unraisable: told.append(unraisable.exc_value)
                assert town.host.work(Awaiting()).later == 1
                assert "grc.aio" in str(told[0])

        asyncio.run(main())
        """,
        timeout=15,
    ).quiet()
