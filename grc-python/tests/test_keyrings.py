"""Keyrings that are written in Python."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from towns import ANNE, DAY, HOLE, START, Post, Town, definition

import grc
from grc.protocols import KeyState


class Ring:
    """A keyring in a dict, which keeps the contract, and can be broken."""

    erasure = "the entry is taken out of a dict"

    def __init__(self) -> None:
        self.id = uuid4()
        self.number = 0
        self.keys: dict[UUID, Any] = {}
        self.error: BaseException | None = None

    def _asked(self) -> None:
        if self.error is not None:
            raise self.error

    def epoch(self) -> tuple[UUID, int]:
        self._asked()
        return self.id, self.number

    def issue(self, keys: Sequence[tuple[UUID, bytes]]) -> int:
        self._asked()
        new = {id: key for id, key in keys if id not in self.keys}
        self.keys.update(new)
        self.number += bool(new)
        return self.number

    def open(self, ids: Sequence[UUID]) -> Sequence[KeyState]:
        self._asked()
        return [self.keys.get(id) for id in ids]

    def keep(self, id: UUID, slots: Mapping[int, bytes]) -> int:
        self._asked()
        held = self.keys.get(id)
        if held is None:
            raise LookupError("this key was never there")
        if held is not False:
            kept = dict(slots) if isinstance(held, bytes) else {s: key for s, key in held.items() if s in slots}
            self.number += kept != held
            self.keys[id] = kept
        return self.number

    def destroy(self, ids: Sequence[UUID]) -> int:
        self._asked()
        changed = [id for id in ids if self.keys.get(id) is not False]
        self.keys.update(dict.fromkeys(changed, False))
        self.number += bool(changed)
        return self.number


@pytest.fixture
def ring() -> Ring:
    """A keyring."""
    return Ring()


@pytest.fixture
def ringed(ring: Ring, file: str, clock: grc.ManualClock) -> Iterator[Town]:
    """A village in a file, with its keys in the dict."""
    with grc.open(file, keyring=ring, clock=clock) as store:
        town = Town(store, clock)
        town.host.publish(definition("messages.toml"))
        yield town


def submitted(town: Town) -> grc.results.Submitted:
    return town.session("a-1").submit("signalement", channel="web", fields={"description": "un trou"}, requester=ANNE)


def test_the_store_is_the_same_with_it(ringed: Town, ring: Ring, file: str) -> None:
    assert isinstance(ring, grc.Keyring)
    reported = submitted(ringed)
    assert ring.keys and all(isinstance(key, bytes) and len(key) == 32 for key in ring.keys.values())
    ringed.store.close()
    with grc.open(file, keyring=ring) as again:
        session = again.authority("rennes").session("a-1")
        assert session.open(reported.id).fields == {"description": "un trou"}
        assert again.authority("rennes").host("tests").verify(reported.id).sound


def test_erasing_keeps_the_keys_of_what_stays(ringed: Town, ring: Ring) -> None:
    reported = submitted(ringed)
    session = ringed.session("a-1")
    session.act_on(reported.id, grc.Erase(["description"], "right-to-erasure"))
    ringed.later(DAY)
    ringed.host.work(Post())
    assert any(isinstance(key, dict) for key in ring.keys.values())
    seen = session.open(reported.id)
    assert "description" not in seen.fields and seen.parties[0].details["name"] == "Le Gall"
    assert ringed.host.verify(reported.id).sound


def test_forgetting_destroys_the_key(ringed: Town, ring: Ring) -> None:
    reported = submitted(ringed)
    session = ringed.session("a-1")
    session.fire(session.open(reported.id), "finir", outcome="fait")
    for _ in range(2):
        ringed.later(31 * DAY)
        ringed.host.work(Post())
    assert session.open(reported.id).anonymised_at is not None
    assert False in ring.keys.values(), "a tombstone stays"
    assert ringed.host.verify(reported.id).sound


def test_who_is_overtaken_again_and_again_is_told_that_others_are_busy(ringed: Town, ring: Ring) -> None:
    reported, session = submitted(ringed), ringed.session("a-1")
    asked, faster = ring.open, 0

    def overtaken(ids: Sequence[UUID]) -> Sequence[KeyState]:
        """Somebody else writes whenever this call has read and not yet written."""
        nonlocal faster
        if threading.current_thread() is threading.main_thread():
            faster += 1
            theirs = grc.Correct({"description": f"un trou, vu {faster} fois"})
            other = threading.Thread(target=session.act_on, args=(reported.id, theirs))
            other.start()
            other.join()
        return asked(ids)

    ring.open = overtaken  # type: ignore[method-assign]
    with pytest.raises(grc.Busy, match="others"):
        session.act_on(reported.id, grc.Correct({"description": "le mien"}))
    ring.open = asked  # type: ignore[method-assign]
    assert faster > 2
    seen = session.open(reported.id)
    assert seen.fields["description"] == f"un trou, vu {faster} fois", "nothing was written by who was too slow"


def test_unavailable_may_be_tried_again(ringed: Town, ring: Ring) -> None:
    class Down(grc.Unavailable):
        """One of the caller's own."""

    reported = submitted(ringed)
    for error in (grc.Unavailable("the key service is down"), Down("the key service is down")):
        ring.error = error
        with pytest.raises(grc.KeyringError) as raised:
            ringed.session("a-1").open(reported.id)
        assert raised.value.unavailable
    ring.error = None
    assert ringed.session("a-1").open(reported.id).fields == {"description": "un trou"}


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyError("x"), OSError(5, "broken")])
def test_any_other_exception_is_a_failure(ringed: Town, ring: Ring, error: Exception) -> None:
    reported = submitted(ringed)
    before = len(ringed.session("a-1").list())
    ring.error = error
    with pytest.raises(grc.KeyringError) as raised:
        ringed.session("a-1").open(reported.id)
    assert not raised.value.unavailable
    assert type(error).__name__ in f"{raised.value} {raised.value.cause}"
    with pytest.raises(grc.KeyringError):
        for _ in range(600):
            # Until the keys that were issued ahead are used up.
            submitted(ringed)
    ring.error = None
    listed = list(ringed.session("a-1").requests(limit=1000))
    assert len(listed) >= before
    assert all(ringed.host.verify(one.id).sound for one in listed[:3])


def test_a_key_that_is_gone(ringed: Town, ring: Ring, file: str) -> None:
    reported = submitted(ringed)
    ringed.store.close()
    ring.keys.clear()
    with grc.open(file, keyring=ring, clock=grc.ManualClock(START)) as store:
        with pytest.raises(grc.KeyLost) as raised:
            store.authority("rennes").session("a-1").open(reported.id)
        assert raised.value.request == reported.id


def test_an_older_keyring_is_refused(ringed: Town, ring: Ring, file: str) -> None:
    submitted(ringed)
    ringed.store.close()
    ring.number = 0
    with pytest.raises(grc.KeyringError):
        grc.open(file, keyring=ring)
    with pytest.raises(grc.KeyringError):
        grc.open(file, keyring=Ring())


class Wrong(Ring):
    """Answers what is no answer."""

    def __init__(self, call: str, answer: object) -> None:
        super().__init__()
        setattr(self, call, lambda *_: answer)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("epoch", None),
        ("epoch", ("id", 1)),
        ("epoch", (uuid4(), -1)),
        ("issue", None),
        ("issue", "1"),
        ("open", None),
        ("open", []),
        ("open", [b"short"] * 16),
        ("open", ["text"] * 16),
        ("open", [True]),
    ],
)
def test_wrong_answers(call: str, answer: object) -> None:
    with pytest.raises(grc.GrcError) as raised:
        with grc.open("memory:", keyring=Wrong(call, answer)) as store:
            authority = store.authority("rennes")
            authority.host("tests").publish(definition())
            reported = authority.session("a-09").submit("nid-de-poule", channel="telephone", fields=HOLE)
            authority.session("a-09").open(reported.id)
    assert "report it" not in str(raised.value), "a fault of the keyring, not of the library"


def test_what_is_no_keyring() -> None:
    wrong: Any
    for wrong in (5, object(), {"erasure": "x"}, type("Half", (), {"erasure": 5})()):
        with pytest.raises((TypeError, AttributeError)):
            grc.open("memory:", keyring=wrong)


def test_keys_in_another_file(tmp_path: Any) -> None:
    url, keys = f"sqlite:///{tmp_path / 'town.db'}", f"sqlite:///{tmp_path / 'elsewhere.keys'}"
    with grc.open(url, keyring=keys) as store:
        store.authority("rennes").host("tests").publish(definition())
        id = store.authority("rennes").session("a-09").submit("nid-de-poule", channel="telephone", fields=HOLE).id
    with grc.open(url, keyring=keys) as store:
        assert store.authority("rennes").session("a-09").open(id).fields == HOLE
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in (".db", ".keys")) == [
        "elsewhere.keys",
        "town.db",
    ]
