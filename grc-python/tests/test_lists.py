"""Lists: filters by facts and conditions, pages that are read as they are asked for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from towns import DAY, MANAGER, RECEPTION, START, WORKER, Post, Town, definition

import grc

MAIL = grc.Party(email="anne@example.org")


def test_pages_are_read_as_they_are_asked_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [town.hole().id for _ in range(8)]
    session = town.session()
    asked = 0
    listing = session._inner.list

    class Counting:
        """The session's own, counted."""

        def list(self, filter: grc.Filter) -> object:
            nonlocal asked
            asked += 1
            return listing(filter)

    monkeypatch.setattr(session, "_inner", Counting())
    requests = session.requests(limit=3)
    assert asked == 0, "nothing is read before it is asked for"
    first = [next(requests).id for _ in range(3)]
    assert asked == 1
    rest = [request.id for request in requests]
    assert asked >= 3
    assert sorted(first + rest) == sorted(ids)
    assert first + rest == sorted(ids, reverse=True), "the newest first"


def test_the_order_and_the_cursor(town: Town) -> None:
    ids = []
    for _ in range(5):
        ids.append(town.hole().id)
        town.later(timedelta(minutes=1))
    session = town.session()
    assert [request.id for request in session.requests(oldest_first=True, limit=2)] == ids
    page = session.list(limit=4)
    assert len(page) == 4 and [request.id for request in page] == ids[:0:-1]
    rest = session.list(grc.Filter(limit=4, after=page.next))
    assert [request.id for request in rest] == ids[:1] and rest.next is None


def test_none_is_absent_and_missing_is_any(memory_town: Town) -> None:
    town = memory_town
    session = town.session()
    held, free = town.hole().id, town.hole().id
    session.act_on(held, grc.Assign(grc.Assignee(team="chaussee", agent=WORKER)))

    def ids(**parts: object) -> set[object]:
        return {request.id for request in session.requests(**parts)}

    assert ids() == {held, free}
    assert ids(agent=None) == ids(unassigned=True) == {free}
    assert ids(agent=WORKER) == ids(agent=[WORKER, MANAGER]) == {held}
    assert ids(agent=[]) == set()
    assert ids(facts={"agent": None}, phase=grc.Phase.RECEIVED) == {free}
    assert ids(lat=0) == set(), "zero is not absent"
    assert ids(opened=town.clock.now()) == {held, free}
    assert ids(type_="nid-de-poule", state="recue") == {held, free}, "an underscore at the end is for words of Python"


def test_zero_and_false_are_not_absent(memory_town: Town) -> None:
    town = memory_town
    session = town.session()
    yes, no = town.hole(fields={"danger": True}).id, town.hole(fields={"danger": False}).id
    fitting = {
        wanted: [request.id for request in session.requests(where={"==": [{"var": "form.danger"}, wanted]})]
        for wanted in (True, False)
    }
    assert fitting == {True: [yes], False: [no]}
    present = session.list(where={"!!": {"var": "form.danger"}})
    assert len(present) == 2, "a field that holds False is there"


def test_a_condition_compares_with_moments_days_and_amounts(town: Town) -> None:
    changed = definition().to_dict()
    changed["procedure"]["nid-de-poule"]["field"] += [
        {"id": id, "label": id, "kind": kind, "indexed": True, "personal": "no"}
        for id, kind in (("vu-le", "date"), ("devis", "amount"), ("rang", "integer"))
    ]
    town.host.publish(grc.Definition.from_dict(changed))
    first = town.hole(fields={"danger": True, "vu-le": date(2026, 3, 1), "devis": Decimal("84.50")}).id
    town.later(DAY)
    second = town.hole(fields={"danger": True, "vu-le": date(2026, 3, 2), "devis": Decimal(85)}).id

    def found(operator: str, name: str, value: object) -> list[object]:
        return [one.id for one in town.session().requests(where={operator: [{"var": name}, value]}, oldest_first=True)]

    assert found("<", "opened", START + DAY) == [first]
    assert found(">=", "opened", START + DAY) == [second]
    assert found(">=", "opened", START) == [first, second]
    assert found("==", "form.vu-le", date(2026, 3, 1)) == [first]
    assert found(">", "form.vu-le", date(2026, 3, 1)) == [second]
    assert found("<=", "form.devis", Decimal("84.5")) == [first]
    assert found("==", "form.devis", Decimal("85.00")) == [second]
    assert found("in", "form.devis", [Decimal(85), Decimal("1.50")]) == [second]
    # What it is compared with is told by the field.
    for name, value in (("form.rang", Decimal(3)), ("form.rang", START), ("opened", Decimal(1))):
        with pytest.raises(grc.Refused) as raised:
            found("<", name, value)
        assert raised.value.codes == {"list.compare"}
    assert town.host.measure("total", where={"<": [{"var": "opened"}, START + DAY]}).to_dicts() == [{"total": 1}]


def test_who_holds_what(memory_town: Town) -> None:
    town = memory_town
    mine, ours = town.hole().id, town.hole().id
    town.session().act_on(mine, grc.Assign(grc.Assignee(team="chaussee", agent=WORKER)))
    town.session().act_on(ours, grc.Assign(grc.Assignee(team="eclairage")))
    worker = town.session(WORKER)
    assert {request.id for request in worker.requests(mine=True)} == {mine}
    assert {request.id for request in worker.requests(my_teams=True)} == {mine, ours}
    assert not list(town.session(RECEPTION).requests(overdue=True))
    town.later(16 * DAY)
    assert {request.id for request in town.session(RECEPTION).requests(overdue=True)} == {mine, ours}


def test_a_summary_says_what_may_be_read(memory_town: Town) -> None:
    town = memory_town
    reported = town.hole(requester=grc.Party(given="Anne", family="Le Gall", phone="06 39 98 12 34"))
    (summary,) = town.session().list()
    assert (summary.id, summary.type, summary.requester) == (reported.id, "nid-de-poule", "Anne Le Gall")
    assert summary.address == "12 rue des Lilas\n35000 Rennes"
    assert summary.opened_at == town.clock.now() and summary.closed_at is None


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ({"colour": "red"}, ValueError, "there is no fact `colour`"),
        ({"phase": 3}, TypeError, "facts.phase: a str is wanted, not int"),
        ({"reopened": "0"}, TypeError, "facts.reopened: an int is wanted"),
        ({"opened": "2026-03-02"}, TypeError, "facts.opened: a datetime is wanted"),
        ({"mine": 1}, TypeError, "mine: a bool is wanted, not int"),
        ({"limit": True}, TypeError, "limit: an int is wanted, not bool"),
        ({"limit": -1}, ValueError, "limit: from 0"),
        ({"limit": 2**70}, grc.Unsuitable, "limit: the number does not fit"),
        ({"limit": 0}, grc.Refused, "1 to 1000"),
        ({"limit": 1001}, grc.Refused, "1 to 1000"),
        ({"after": "page 2"}, TypeError, "after: the `next` of a page"),
        ({"after": b"page 2"}, grc.Refused, "this is no cursor of this list"),
        ({"where": 3}, ValueError, "where: a condition is"),
        ({"where": {"like": [{"var": "state"}, "x"]}}, ValueError, "where: unknown operator"),
        ({"where": {"==": [{"var": "colour"}, "x"]}}, ValueError, "where: unknown variable"),
        ({"where": {"==": [{"var": "reopened"}, float("nan")]}}, ValueError, "JSON"),
        (
            {"where": {"==": [{"var": "state"}, object()]}},
            TypeError,
            "where: what is compared with is a str.*not object",
        ),
        ({"where": {"<": [{"var": "target"}, DAY]}}, TypeError, "where: what is compared with.*not timedelta"),
        ({"where": {"<": [{"var": "target"}, "2026-03-02"]}}, grc.Refused, "`target` is a moment"),
        ({"where": {"<": [{"var": "target"}, START.replace(tzinfo=None)]}}, ValueError, "where: the datetime is naive"),
        ({"where": {"==": [{"var": "state"}, 3]}}, grc.Refused, "`state` is a word"),
        ({"where": {"==": [{"var": "form.danger"}, "oui"]}}, grc.Refused, "`form.danger` is yes or no"),
        ({"where": {">": [{"var": "form.profondeur"}, Decimal("1.005")]}}, ValueError, "where: an amount has two"),
        ({"where": {"relation": "@team"}}, grc.Refused, "not made by a relation"),
        ({"facts": ["state"]}, TypeError, "facts: a mapping is wanted, not list"),
    ],
)
def test_what_cannot_be_asked(memory_town: Town, parts: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        memory_town.session().list(**parts)
    with pytest.raises(error, match=says):
        next(memory_town.session().requests(**parts))


def test_facts_are_added_to_those_of_a_filter(memory_town: Town) -> None:
    town = memory_town
    town.hole()
    session, none = town.session(), grc.Filter(facts={"agent": "nobody"})
    for parts in ({}, {"facts": {"phase": "received"}}, {"phase": "received"}, {"limit": 5}):
        assert len(session.list(none, **parts)) == 0
    assert len(session.list(facts={"phase": "received"}, state="recue")) == 1
    assert town.host.measure("total", facts={"phase": "received"}).to_dicts() == [{"total": 1}]
    assert town.host.measure("total", facts={"phase": "closed"}, state="recue").to_dicts() == [{"total": 0}]


def test_all_of_other_lists_are_read_page_by_page(memory_town: Town) -> None:
    town = memory_town
    planned = []
    for day in range(3):
        begins = town.clock.now() + day * DAY
        planning = grc.Planning(
            serves=[town.hole(requester=MAIL).id], begins=begins, ends=begins + DAY, team="chaussee"
        )
        planned.append(town.session(MANAGER).plan(planning).id)
    session = town.session(MANAGER)
    assert [one.id for one in session.all_interventions(limit=1, oldest_first=True)] == planned
    assert not list(session.all_interventions(team="eclairage"))
    assert not list(town.host.all_dead_letters())
    town.host.work(Post([grc.Rejected("no-such-box")] * 3))
    assert len(list(town.host.all_dead_letters())) == 3


def test_pages_that_are_none(memory_town: Town) -> None:
    with pytest.raises(grc.Refused) as raised:
        memory_town.host.changes(after=b"x")
    assert raised.value.codes == {"feed.cursor"}
    for limit in (0, 1001):
        for attempt in (memory_town.host.changes, memory_town.host.dead_letters, memory_town.session().interventions):
            with pytest.raises(grc.Refused, match="1 to 1000"):
                attempt(limit=limit)


def test_a_filter_is_a_filter(memory_town: Town) -> None:
    for wrong in ("recue", 5, {"state": "recue"}):
        with pytest.raises(TypeError, match="Filter"):
            memory_town.session().list(wrong)  # type: ignore[arg-type]


def test_a_condition_that_is_too_deep_is_refused(memory_town: Town) -> None:
    deep: dict[str, object] = {"==": [1, 1]}
    for _ in range(300):
        deep = {"!": [deep]}
    with pytest.raises(ValueError, match="nested too deep"):
        memory_town.session().list(where=deep)
