"""Figures: they agree with the lists behind them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from towns import DAY, HOLE, MANAGER, RECEPTION, WORKER, Town

import grc


@pytest.fixture
def busy(memory_town: Town) -> Town:
    """Holes and leaks, two months, some closed, some worked on."""
    town = memory_town
    session = town.session()
    for day in range(8):
        channel = ["telephone", "web", "guichet"][day % 3]
        hole = town.hole(channel=channel)
        if day % 2:
            session.submit("fuite-eau", channel=channel, fields={"description": "eau", "gravite": "ecoulement"})
        if day < 3:
            session.act_on(hole.id, grc.Fire("affecter", to=grc.Assignee(team="chaussee")))
            session.act_on(hole.id, grc.Work(15, Decimal("1.05")))
            town.later(DAY)
            town.session(WORKER).act_on(hole.id, grc.Fire("traiter"))
            session.act_on(hole.id, grc.Fire("cloturer", outcome="repare"))
        town.later(4 * DAY)
    return town


def test_counts_are_those_of_the_lists(busy: Town) -> None:
    session = busy.session()
    table = session.measure(["total", "open"], by=["type", "channel"])
    assert (table.by, table.figures) == (("type", "channel"), ("total", "open"))
    assert sum(row["total"] for row in table) == len(list(session.requests()))
    for row in table:
        listed = list(session.requests(type=row["type"], channel=row["channel"]))
        assert row["total"] == len(listed)
        assert row["open"] == sum(request.closed_at is None for request in listed)


def test_behind_a_cell_is_what_it_counts(busy: Town) -> None:
    question = grc.Question(["opened", "closed"], by=["month", "type"])
    table = busy.host.measure(question)
    assert len(table) > 3
    for row in table.rows:
        for figure, cell in zip(table.figures, row.cells, strict=True):
            behind = busy.host.behind(question, figure, row.ids)
            assert len(behind.items) == cell and behind.next is None


def test_behind_is_paged(busy: Town) -> None:
    question = grc.Question("total")
    whole = list(busy.host.behind(question, "total", ()))
    found: list[UUID] = []
    after = None
    while True:
        page = busy.host.behind(question, "total", (), after=after, limit=5)
        found += page.items
        after = page.next
        if after is None:
            break
    assert found == whole and len(whole) == 12


def test_all_at_once_is_one_after_the_other(busy: Town) -> None:
    questions = [grc.Question("opened", by=by) for by in ("month", "weekday", "channel")]
    together = busy.host.measure_all(questions)
    assert together == tuple(busy.host.measure(question) for question in questions)
    assert busy.host.measure_all([]) == ()


def test_the_figures_of_the_start_page(busy: Town) -> None:
    figures = busy.host.figures()
    requests = list(busy.session().requests())
    assert (figures.total, figures.open, figures.closed) == (12, 9, 3) and len(requests) == 12
    assert sum(figures.by_type.values()) == sum(figures.by_channel.values()) == 12
    assert sum(figures.opened_by_month.values()) == 12 and sum(figures.closed_by_month.values()) == 3
    assert figures.delay_hours.count == 3 and figures.delay_hours.median == 24.0
    assert (figures.on_time.within, figures.on_time.late, figures.on_time.share) == (3, 0, 1.0)
    holes = busy.host.figures(type="nid-de-poule")
    assert holes.total == 8 and busy.host.figures(grc.Question(facts={"type": "nid-de-poule"})) == holes


def test_amounts_are_decimals(busy: Town) -> None:
    (row,) = busy.host.measure(["minutes", "cents", "closure-median"])
    assert row == {"minutes": 45, "cents": Decimal("3.15"), "closure_median": 24.0}
    assert isinstance(row["cents"], Decimal)


def test_what_nobody_closed_has_no_median(memory_town: Town) -> None:
    memory_town.hole()
    (row,) = memory_town.host.measure(["opened", "closure-median"])
    assert row == {"opened": 1, "closure_median": None}


def test_between_and_at(busy: Town) -> None:
    start, now = busy.clock.now().replace(month=3, day=2), busy.clock.now()
    (all_,) = busy.host.measure("opened", between=(start, now))
    (none,) = busy.host.measure("opened", between=(now, now + DAY))
    assert (all_["opened"], none["opened"]) == (12, 0)
    (then,) = busy.host.measure("open", at=start + DAY / 2)
    assert then["open"] == 1, "the first is open, and the second not there yet"
    (closed,) = busy.host.measure("closure-count", by_closing=True, between=(start, now))
    assert closed["closure_count"] == 3


def test_facts_and_conditions(busy: Town) -> None:
    (holes,) = busy.host.measure("total", type="nid-de-poule")
    (same,) = busy.host.measure("total", where={"==": [{"var": "type"}, "nid-de-poule"]})
    (both,) = busy.host.measure("total", type=["nid-de-poule", "fuite-eau"])
    (unassigned,) = busy.host.measure("total", team=None)
    assert holes == same == {"total": 8} and both == {"total": 12} and unassigned == {"total": 9}


def test_rights_apply_to_figures(busy: Town) -> None:
    (roads,) = busy.session(MANAGER).measure("total")
    assert roads == {"total": 8}, "the manager sees the figures of the roads only"
    with pytest.raises(grc.NotPermitted):
        busy.session(WORKER).measure("total")
    with pytest.raises(grc.NotPermitted):
        busy.session(WORKER).figures()


@pytest.mark.parametrize(
    ("figures", "parts", "error", "says"),
    [
        (["colour"], {}, ValueError, "figures: there is no figure"),
        (5, {}, TypeError, "figures: names of figures"),
        ([5], {}, TypeError, "figures: a str is wanted, not int"),
        ("total", {"by": "colour"}, ValueError, "by: there is no dimension"),
        ("total", {"by": ["month", "week", "day", "hour"]}, grc.Refused, None),
        ("total", {"colour": "red"}, ValueError, "there is no fact"),
        ("total", {"between": 5}, TypeError, "between: two aware datetimes"),
        ("total", {"at": "now"}, TypeError, "at: a datetime is wanted"),
        ("total", {"by_closing": 1}, TypeError, "by_closing: a bool is wanted"),
        ([], {}, grc.Refused, "no figure is asked for"),
    ],
)
def test_what_cannot_be_asked(
    memory_town: Town, figures: Any, parts: dict[str, Any], error: Any, says: str | None
) -> None:
    with pytest.raises(error, match=says):
        memory_town.host.measure(figures, **parts)


def test_a_question_is_a_question(memory_town: Town) -> None:
    host = memory_town.host
    with pytest.raises(TypeError, match="put them into the question"):
        host.measure(grc.Question("total"), type="nid-de-poule")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="Question"):
        host.behind(cast(Any, "total"), "total")
    with pytest.raises(TypeError, match="Question"):
        host.figures(cast(Any, "total"))
    with pytest.raises(ValueError, match="there is no figure"):
        host.behind(grc.Question("total"), "colour")
    with pytest.raises(TypeError, match="keys: a str is wanted"):
        host.behind(grc.Question("total", by="type"), "total", cast(Any, [5]))


def test_reading_a_table(busy: Town) -> None:
    table = busy.session(RECEPTION).measure(["opened"], by=["month", "team"])
    assert len(table) == len(table.rows) == len(table.to_dicts())
    assert list(table) == table.to_dicts()
    assert {tuple(row) for row in table} == {("month", "month_label", "team", "team_label", "opened")}
    teams = {row["team"]: row["team_label"] for row in table}
    assert teams == {"chaussee": "Équipe chaussée", None: None}
    assert str(HOLE["description"]) not in repr(table)
