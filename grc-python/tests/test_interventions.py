"""Interventions: planned, done on site by every kind of work, and what they cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
from towns import HOUR, MANAGER, RECEPTION, START, WORKER, Town

import grc

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def planning(*serves: UUID, **parts: Any) -> grc.Planning:
    """An hour of the road team."""
    usual: dict[str, Any] = {
        "serves": serves,
        "begins": START + HOUR,
        "ends": START + 2 * HOUR,
        "team": "chaussee",
        "agents": [WORKER],
        "minutes": 60,
        "amount": Decimal("100.00"),
        "quote": "D-17",
    }
    return grc.Planning(**{**usual, **parts})


def test_an_intervention_takes_every_kind_of_work(town: Town) -> None:
    first, second = town.hole().id, town.hole().id
    manager, worker = town.session(MANAGER), town.session(WORKER)
    planned = manager.plan(planning(first, second, instructions={first: "sonner au 12"}, key="plan-1"))
    assert manager.plan(planning(first, second, instructions={first: "sonner au 12"}, key="plan-1")) == planned
    done: set[type] = set()

    def do(work: grc.SiteWork, by: grc.Session = worker, of: UUID = planned.id) -> grc.results.InterventionSeen:
        worked = by.work_on(of, work)
        seen = manager.intervention(of)
        assert (worked.id, worked.version) == (of, seen.version)
        done.add(type(work))
        return seen

    assert manager.intervention(planned.id).stage == "planned"
    do(grc.Acknowledge())
    assert do(planning(first, second, ends=START + 3 * HOUR), by=manager).ends == START + 3 * HOUR
    assert do(grc.Start()).started_at == town.clock.now()
    town.later(HOUR)
    assert [entry.minutes for entry in do(grc.Spend(45)).entries] == [45]
    bought = do(
        grc.Buy(net=Decimal("84.50"), vat_rate=Decimal("20"), supplier="enrobes-du-sud", item="enrobé", invoice="F-1"),
        by=manager,
    ).entries[-1]
    assert (bought.net, bought.vat, bought.supplier) == (Decimal("84.50"), Decimal("16.90"), "enrobes-du-sud")
    assert (bought.item, bought.invoice, bought.struck) == ("enrobé", "F-1", False)
    do(grc.Buy(net=Decimal("-10.00"), vat=Decimal("-0.55")), by=manager)
    assert do(grc.Strike(3), by=manager).entries[-1].struck
    do(grc.Photo(worker.store_file("apres.png", PNG), "after", first))
    finished = do(grc.Done({first: "rebouché"}))
    assert (finished.stage, finished.ended_at) == ("done", town.clock.now())
    assert [(one.request, one.weight, one.amount) for one in finished.served] == [
        (first, 1, Decimal("50.70")),
        (second, 1, Decimal("50.70")),
    ]

    (on_site,) = manager.open(first).interventions
    assert on_site.id == planned.id and ("report", "rebouché") in on_site.texts and on_site.amount == Decimal("50.70")
    (photo,) = manager.open(first).files
    assert photo.moment == "after" and manager.read_file(first, photo) == PNG
    assert town.session(RECEPTION).open(first).interventions[0].texts

    do(grc.EraseOnSite([1], "mistake"), by=town.session(RECEPTION))
    other = manager.plan(planning(first)).id
    assert do(grc.Impossible("intemperies", {first: "il pleut"}), of=other).reason == "intemperies"
    another = manager.plan(planning(second)).id
    assert do(grc.Cancel({second: "fait par le voisin"}), by=manager, of=another).stage == "cancelled"

    assert done == set(get_args(grc.SiteWork)), "a kind of work is not tried here"
    assert all(town.host.verify_intervention(id).sound for id in (planned.id, other, another))
    assert {one.id: one.stage for one in manager.interventions()} == {
        planned.id: "done",
        other: "impossible",
        another: "cancelled",
    }
    assert [one.id for one in manager.interventions(state="done")] == [planned.id]
    (measured,) = town.host.measure(["minutes", "cents"]).rows
    assert measured.cells == (45, Decimal("101.40"))


def test_what_was_planned_and_what_was_spent(memory_town: Town) -> None:
    manager, worker = memory_town.session(MANAGER), memory_town.session(WORKER)
    id = manager.plan(planning(memory_town.hole().id)).id
    worker.work_on(id, grc.Start())
    worker.work_on(id, grc.Spend(20))
    seen = manager.intervention(id)
    assert (seen.planned_minutes, seen.minutes) == (60, 20)
    assert (seen.planned_amount, seen.amount) == (Decimal("100.00"), Decimal("0.00"))
    assert seen.quote == "D-17"
    hidden = worker.intervention(id)
    assert (hidden.planned_amount, hidden.amount) == (None, None), "who does the work sees no amounts"


def test_weights_share_the_costs(memory_town: Town) -> None:
    first, second = memory_town.hole().id, memory_town.hole().id
    manager = memory_town.session(MANAGER)
    id = manager.plan(planning(serves={first: 3, second: 1})).id
    manager.work_on(id, grc.Buy(net=Decimal("10.00"), vat_rate=Decimal("5.5")))
    shares = {one.request: one.amount for one in manager.intervention(id).served}
    assert sum(share for share in shares.values() if share is not None) == Decimal("10.55")
    assert shares[first] == Decimal("7.91")


def test_the_work_order_is_a_page(memory_town: Town) -> None:
    reported = memory_town.hole(requester=grc.Party(family="Le <b>Gall", phone="06 39 98 12 34"))
    id = memory_town.session(MANAGER).plan(planning(reported.id, instructions={reported.id: "sonner au 12"})).id
    order = memory_town.session(WORKER).work_order(id)
    assert (order.intervention, order.team, order.agents) == (id, "Équipe chaussée", (WORKER,))
    assert (order.begins, order.ends) == ("02/03/2026 11:00", "02/03/2026 12:00"), "in the town's time zone"
    (request,) = order.requests
    assert request.request == reported.id and request.instructions == ("sonner au 12",)
    assert order.html.startswith("<!") and "sonner au 12" in order.html
    assert "<b>Gall" not in order.html and "html" not in repr(order)


def test_somebody_else_was_first(memory_town: Town) -> None:
    manager, worker = memory_town.session(MANAGER), memory_town.session(WORKER)
    planned = manager.plan(planning(memory_town.hole().id))
    worker.work_on(planned.id, grc.Start(), seen=planned.version)
    with pytest.raises(grc.GrcError) as raised:
        manager.work_on(planned.id, planning(memory_town.hole().id), seen=planned.version)
    assert isinstance(raised.value, (grc.Conflict, grc.Refused))


def test_a_key_makes_work_once(memory_town: Town) -> None:
    manager, worker = memory_town.session(MANAGER), memory_town.session(WORKER)
    id = manager.plan(planning(memory_town.hole().id)).id
    worker.work_on(id, grc.Start())
    assert worker.work_on(id, grc.Spend(5), key="s-1") == worker.work_on(id, grc.Spend(5), key="s-1")
    assert len(worker.intervention(id).entries) == 1


@pytest.mark.parametrize(
    ("work", "error", "says"),
    [
        ("start", TypeError, "work on an intervention is wanted"),
        (grc.Note("x"), TypeError, "work on an intervention is wanted"),
        (grc.Start, TypeError, "work on an intervention is wanted"),
        (grc.Spend(True), TypeError, "minutes: an int is wanted, not bool"),
        (grc.Spend(2**64), grc.Unsuitable, "minutes: the number does not fit"),
        (grc.Spend(-5), grc.Refused, "minutes"),
        (grc.Buy(net=12), TypeError, "net: a decimal.Decimal"),  # type: ignore[arg-type]
        (grc.Buy(net=Decimal("NaN")), ValueError, "net: the amount is not a number"),
        (grc.Buy(net=Decimal("1.005")), grc.Refused, "more than two decimals"),
        (grc.Buy(net=Decimal(1), vat_rate=Decimal("-1")), ValueError, "vat_rate: not negative"),
        (grc.Buy(net=Decimal(1), vat_rate=Decimal("5.555")), ValueError, "vat_rate"),
        (grc.Buy(net=Decimal(1), supplier="nobody"), grc.Refused, "supplier"),
        (grc.Strike(-1), ValueError, "entry: from 0"),
        (grc.Strike(99), grc.Refused, "entry"),
        (grc.Impossible("no-reason"), grc.Refused, "reason"),
        (grc.Done([]), TypeError, "report: a mapping is wanted"),  # type: ignore[arg-type]
        (grc.Photo("photo", "after"), TypeError, "file: store the file first"),  # type: ignore[arg-type]
        (grc.EraseOnSite([-1], "mistake"), ValueError, "slots: from 0"),
        (grc.EraseOnSite([5], "Because I Want"), grc.GrcError, None),
    ],
)
def test_what_cannot_be_done(memory_town: Town, work: Any, error: Any, says: str | None) -> None:
    manager = memory_town.session(MANAGER)
    id = manager.plan(planning(memory_town.hole().id)).id
    manager.work_on(id, grc.Start())
    before = manager.intervention(id)
    with pytest.raises(error, match=says):
        manager.work_on(id, work)
    assert manager.intervention(id) == before, "nothing was written"


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ({"begins": START.replace(tzinfo=None)}, ValueError, "begins: the datetime is naive"),
        ({"ends": "11:00"}, TypeError, "ends: a datetime is wanted, not str"),
        ({"ends": START - HOUR}, grc.Refused, None),
        ({"minutes": 1.5}, TypeError, "minutes: an int is wanted, not float"),
        ({"amount": 100}, TypeError, "amount: a decimal.Decimal"),
        ({"serves": ["no-uuid"]}, ValueError, "serves: this is no UUID"),
        ({"serves": [5]}, TypeError, "serves: a uuid.UUID is wanted"),
        ({"serves": []}, grc.Refused, None),
        ({"serves": {UUID(int=1): 1}}, grc.NotPermitted, None),
        ({"agents": [5]}, TypeError, "agents: a str is wanted"),
        ({"team": "nobody"}, grc.Refused, "team"),
    ],
)
def test_what_cannot_be_planned(memory_town: Town, parts: dict[str, Any], error: Any, says: str | None) -> None:
    serves = memory_town.hole().id
    with pytest.raises(error, match=says):
        memory_town.session(MANAGER).plan(planning(serves, **parts))
    assert not memory_town.session(MANAGER).interventions().items


def test_one_text_is_not_several() -> None:
    with pytest.raises(TypeError, match="agents: several are wanted"):
        planning(agents=WORKER)
    with pytest.raises(TypeError, match="serves: several are wanted"):
        planning(serves=str(UUID(int=1)))
