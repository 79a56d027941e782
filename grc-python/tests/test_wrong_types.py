"""Wrong types everywhere: a TypeError or ValueError that says where, never anything worse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from towns import ANNE, HOLE, Town, definition

import grc

WRONG: list[Any] = [None, 5, 1.5, True, b"x", "x", object(), [], {}, int, "\ud800"]
"""Of which a place accepts one or two at most."""


PLACES: dict[str, Callable[[Town, Any], object]] = {
    "open": lambda town, wrong: grc.open(wrong),
    "authority": lambda town, wrong: town.store.authority(wrong),
    "host": lambda town, wrong: town.authority.host(wrong),
    "session": lambda town, wrong: town.authority.session(wrong).list(),
    "agent": lambda town, wrong: town.authority.session(grc.Agent(wrong)).list(),
    "roles": lambda town, wrong: town.authority.session(grc.Agent("a-09", wrong)).list(),
    "holder": lambda town, wrong: town.authority.session(grc.Holder(wrong)),
    "publish": lambda town, wrong: town.host.publish(wrong),
    "host.act": lambda town, wrong: town.host.act(wrong, grc.Note("x")),
    "changes.after": lambda town, wrong: town.host.changes(after=wrong).items[0],
    "changes.limit": lambda town, wrong: town.host.changes(limit=wrong),
    "verify": lambda town, wrong: town.host.verify(wrong),
    "work": lambda town, wrong: town.host.work(wrong),
    "resend": lambda town, wrong: town.host.resend([wrong]),
    "report": lambda town, wrong: town.host.report("key", wrong),
    "name_agent": lambda town, wrong: town.host.name_agent("a-06", wrong),
    "submit.type": lambda town, wrong: town.session().submit(wrong, channel="telephone", fields=HOLE),
    "submit.channel": lambda town, wrong: town.hole(channel=wrong),
    "submit.fields": lambda town, wrong: town.hole(fields=wrong),
    "submit.requester": lambda town, wrong: town.hole(requester=wrong, fields={}),
    "submit.parties": lambda town, wrong: town.hole(parties=[ANNE, wrong]),
    "submit.place": lambda town, wrong: town.hole(place=wrong, fields={}),
    "submit.files": lambda town, wrong: town.hole(files=[wrong]),
    "submit.quiet": lambda town, wrong: town.hole(quiet=wrong, fields={}),
    "submit.code": lambda town, wrong: town.hole(code=wrong, fields={}),
    "session.open": lambda town, wrong: town.session().open(wrong),
    "act.seen": lambda town, wrong: town.session().act(wrong, grc.Note("x")),
    "act.command": lambda town, wrong: town.session().act_on(town.hole().id, wrong),
    "act_on.seen": lambda town, wrong: town.session().act_on(town.hole().id, grc.Take(), seen=wrong),
    "fire.transition": lambda town, wrong: town.session().act_on(town.hole().id, grc.Fire(wrong)),
    "fire.to": lambda town, wrong: town.session().act_on(town.hole().id, grc.Fire("affecter", to=wrong)),
    "assign": lambda town, wrong: town.session().act_on(town.hole().id, grc.Assign(wrong)),
    "note": lambda town, wrong: town.session().act_on(town.hole().id, grc.Note(wrong)),
    "attach": lambda town, wrong: town.session().act_on(town.hole().id, grc.Attach(wrong)),
    "erase": lambda town, wrong: town.session().act_on(town.hole().id, grc.Erase(wrong, "mistake")),
    "delivered": lambda town, wrong: town.host.act(town.hole().id, grc.Delivered(2, 1, wrong)),
    "list": lambda town, wrong: town.session().list(wrong, facts={"type": 5}),
    "list.where": lambda town, wrong: town.session().list(where=wrong, phase=5),
    "list.facts": lambda town, wrong: town.session().list(facts=wrong, phase=5),
    "by_contact": lambda town, wrong: town.session().by_contact("espace-public", wrong, "anne@example.org"),
    "open.keyring": lambda town, wrong: grc.open("memory:", keyring=wrong),
    "store_file.data": lambda town, wrong: town.session().store_file("a.txt", wrong),
    "store_file": lambda town, wrong: town.session().store_file(wrong, b""),
    "read_file": lambda town, wrong: town.session().read_file(town.hole().id, wrong),
    "read_file_to": lambda town, wrong: town.session().read_file_to(town.hole().id, town.hole().id, wrong),
    "plan": lambda town, wrong: town.session().plan(wrong),
    "work_on": lambda town, wrong: town.session().work_on(town.hole().id, wrong),
    "intervention": lambda town, wrong: town.session().intervention(wrong),
    "measure": lambda town, wrong: cast(Any, town.host).measure(wrong, facts={"type": 5}),
    "behind": lambda town, wrong: town.host.behind(wrong, "total"),
    "from_files": lambda town, wrong: grc.Definition.from_files(wrong),
    "from_dict": lambda town, wrong: grc.Definition.from_dict(wrong),
    "fold": lambda town, wrong: grc.Request.fold(town.hole().id, wrong),
    "clock": lambda town, wrong: grc.ManualClock(wrong),
    "clock.set": lambda town, wrong: town.clock.set(wrong),
}


ACCEPTED: dict[str, list[Any]] = {
    "authority": ["x"],
    "host": ["x"],
    "session": ["x"],
    "agent": ["x"],
    "roles": [[], {}],
    "changes.after": [None],
    "changes.limit": [5],
    "work": [None, {}],
    "name_agent": ["x"],
    "open.keyring": [None],
    "store_file.data": [b"x"],
    "act_on.seen": [None],
    "note": ["x"],
}


def test_a_class_of_the_same_name_is_another(memory_town: Town) -> None:
    class Note:
        text = "x"

    class Delivered(grc.Delivered):
        """A report is none."""

    hole, session = memory_town.hole(), memory_town.session()
    with pytest.raises(TypeError, match="a command is wanted"):
        session.act_on(hole.id, Note())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a report is wanted"):
        memory_town.host.report("key", Delivered(1, 0, grc.Failed("x")))  # type: ignore[arg-type]
    actor: Any
    for actor in (None, 5, Note()):
        with pytest.raises(TypeError, match="actor: the id of an agent"):
            grc.decide_intake(
                definition(), grc.Intake(type="avaloir", channel="web"), actor=actor, now=memory_town.clock.now()
            )


def test_a_class_that_inherits_is_one(memory_town: Town) -> None:
    class Noted(grc.Note):
        """Of a caller's own."""

    class Clerk(grc.Agent):
        """The same."""

    session = memory_town.authority.session(Clerk("a-09"))
    hole = memory_town.hole()
    session.act_on(hole.id, Noted("vu"))
    assert [note.text for note in session.open(hole.id).notes] == ["vu"]


@pytest.mark.parametrize("place", PLACES)
def test_wrong_types(memory_town: Town, place: str) -> None:
    bad: list[str] = []
    for wrong in WRONG:
        try:
            PLACES[place](memory_town, wrong)
        except (TypeError, ValueError, grc.GrcError) as error:
            if not str(error):
                bad.append(f"{wrong!r}: {type(error)} says nothing")
        except Exception as error:
            bad.append(f"{wrong!r}: {error!r}")
        else:
            if not any(wrong is one or (type(wrong) is type(one) and wrong == one) for one in ACCEPTED.get(place, [])):
                bad.append(f"{wrong!r} was accepted")
    assert not bad
