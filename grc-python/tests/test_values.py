"""Values in and out: nothing is taken for something else, and no message repeats what was typed."""

from __future__ import annotations

import enum
import tracemalloc
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from towns import DAY, HOUR, START, Town

import grc

WHO = "a-1"
PARIS = ZoneInfo("Europe/Paris")
TYPED = "Xanthippe-8417"
"""Something that is typed where it cannot be accepted."""


def fields(town: Town, **given: Any) -> dict[str, Any]:
    """What becomes of fields."""
    session = town.session(WHO)
    return dict(session.open(session.submit("tout", channel="web", fields=given).id).fields)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("nombre", 0, 0),
        ("nombre", -1, -1),
        ("nombre", 2**53, 2**53),
        ("nombre", "3", 3),
        ("nombre", Decimal(3), 3),
        ("montant", Decimal("84.50"), Decimal("84.50")),
        ("montant", Decimal("0"), Decimal("0.00")),
        ("montant", Decimal("-0"), Decimal("0.00")),
        ("montant", Decimal("-3.10"), Decimal("-3.10")),
        ("montant", Decimal("1E+2"), Decimal("100.00")),
        ("montant", "84,50", Decimal("84.50")),
        ("jour", date(2026, 2, 28), date(2026, 2, 28)),
        ("jour", date(1000, 1, 1), date(1000, 1, 1)),
        ("jour", date.max, date.max),
        ("jour", "28/02/2026", date(2026, 2, 28)),
        ("oui", True, True),
        ("oui", False, False),
        ("choix", "a", "a"),
        ("liste", ["a", "b"], ("a", "b")),
        ("liste", ("b",), ("b",)),
        ("liste", iter(["a"]), ("a",)),
        ("ligne", "a", "a"),
        ("ligne", "café \U0001f6b0 e\u0301 \u202e", None),
        ("texte", "une\nligne\tet deux", "une\nligne\tet deux"),
    ],
)
def test_what_is_read_again(open_town: Town, field: str, value: Any, read: Any) -> None:
    found = fields(open_town, **{field: value})[field]
    if read is not None:
        assert found == read and type(found) is type(read)
    else:
        assert isinstance(found, str) and found


def test_nothing_zero_false_empty_and_none_are_five_things(open_town: Town) -> None:
    assert fields(open_town) == {}
    assert fields(open_town, nombre=0, montant=Decimal(0)) == {"nombre": 0, "montant": 0}
    assert fields(open_town, oui=False) == {"oui": False}
    assert fields(open_town, ligne="", liste=[], nombre="") == {}, "an empty answer is no answer"
    with pytest.raises(TypeError, match="fields.ligne is None: leave out what was not answered"):
        fields(open_town, ligne=None)


def test_correct_tells_the_five_apart(open_town: Town) -> None:
    session = open_town.session(WHO)
    whole: dict[str, Any] = {"nombre": 7, "oui": True, "ligne": "x", "liste": ["a"], "jour": date(2026, 1, 1)}
    id = session.submit("tout", channel="web", fields=whole).id

    def corrected(**given: Any) -> dict[str, Any]:
        session.act_on(id, grc.Correct(given))
        return dict(session.open(id).fields)

    assert corrected(nombre=0, oui=False) == {**whole, "nombre": 0, "oui": False, "liste": ("a",)}
    assert corrected(jour=None) == {"nombre": 0, "oui": False, "ligne": "x", "liste": ("a",)}
    assert corrected(ligne="", liste=[]) == {"nombre": 0, "oui": False}
    assert corrected(nombre=None, oui=None) == {}


def test_fire_fills_fields_too(open_town: Town) -> None:
    session = open_town.session(WHO)
    mail = grc.Party(email="anne@example.org")
    seen = session.open(session.submit("tout", channel="web", requester=mail).id)
    nothing: dict[str, Any] = {"nombre": None}
    with pytest.raises(TypeError, match="fields.nombre is None"):
        session.fire(seen, "finir", fields=nothing, outcome="fait", message="m", note="n")
    session.fire(seen, "finir", fields={"nombre": 0, "oui": False}, outcome="fait", message="m", note="n")
    assert session.open(seen.id).fields == {"nombre": 0, "oui": False}


@pytest.mark.parametrize("day", ["0000-01-01", "+99999-01-01", "-0044-03-15", "24/11/26", date.min, date(999, 12, 31)])
def test_a_day_of_no_calendar_is_refused(open_town: Town, day: Any) -> None:
    # Python has no year 0, and a year of two figures is a slip of the pen.
    with pytest.raises(grc.Refused) as raised:
        fields(open_town, jour=day)
    assert raised.value.problems[0].path == "fields.jour"


class Colour(str, enum.Enum):
    A = "a"


class Depth(enum.IntEnum):
    DEEP = 3


def test_enums_are_their_values(open_town: Town) -> None:
    assert fields(open_town, choix=Colour.A, nombre=Depth.DEEP) == {"choix": "a", "nombre": 3}


@pytest.mark.parametrize(
    ("field", "value", "error", "says"),
    [
        ("nombre", True, grc.Refused, "not a whole number"),
        ("nombre", 1.0, TypeError, "not float"),
        ("nombre", float("nan"), TypeError, "not float"),
        ("nombre", 2**53 + 1, grc.Refused, "out of range"),
        ("nombre", 2**63, grc.Unsuitable, "does not fit into 64 bits"),
        pytest.param("nombre", -(10**5000), grc.Unsuitable, "does not fit into 64 bits", id="huge"),
        ("nombre", TYPED, grc.Refused, "not a whole number"),
        ("montant", Decimal("NaN"), ValueError, "not a number"),
        ("montant", Decimal("sNaN"), ValueError, "not a number"),
        ("montant", Decimal("-Infinity"), ValueError, "not a number"),
        ("montant", Decimal("1.005"), grc.Refused, "not an amount"),
        ("montant", Decimal("1E-30"), grc.Refused, "not an amount"),
        ("montant", Decimal("1E+30"), grc.Refused, "not an amount|out of range"),
        ("montant", Decimal("92233720368547758.08"), grc.Refused, "not an amount|out of range"),
        ("montant", True, grc.Refused, "not an amount"),
        ("montant", 84.5, TypeError, "not float"),
        ("montant", TYPED, grc.Refused, "not an amount"),
        ("jour", START, TypeError, r"a day of the calendar.* not datetime"),
        ("jour", "30/02/2026", grc.Refused, "not a day"),
        ("oui", 0, grc.Refused, "not yes or no"),
        ("oui", 1, grc.Refused, "not yes or no"),
        ("choix", TYPED, grc.Refused, "choose one of"),
        ("choix", ["a"], grc.Refused, "choose one of"),
        ("liste", ["z"], grc.Refused, "choose one of"),
        ("liste", [TYPED], ValueError, "is no option"),
        ("liste", [1], TypeError, "not list"),
        ("liste", [None], TypeError, "not list"),
        ("ligne", b"x", TypeError, "not bytes"),
        ("ligne", "\ud800" + TYPED, ValueError, "lone surrogate"),
        ("ligne", TYPED + "\0", grc.Refused, "null character"),
        ("ligne", TYPED * 1000, grc.Refused, "too long"),
        ("ligne", object(), TypeError, "not object"),
        ("mel", TYPED, grc.Refused, "not an e-mail address"),
        ("tel", TYPED, grc.Refused, "not a phone number"),
        ("no-such-field", TYPED, grc.Refused, "no such field"),
        (TYPED, "x", grc.Refused, "no such field"),
    ],
)
def test_what_is_refused(open_town: Town, field: str, value: Any, error: type[Exception], says: str) -> None:
    before = len(open_town.session(WHO).list())
    with pytest.raises(error, match=says) as raised:
        fields(open_town, **{field: value})
    assert TYPED not in str(raised.value) and TYPED not in repr(raised.value)
    if field != TYPED:
        assert f"fields.{field}" in str(raised.value), "it says where"
    assert len(open_town.session(WHO).list()) == before, "nothing was written"


@pytest.mark.parametrize("exponent", [10**7, 10**17])
def test_an_amount_with_a_great_exponent_is_refused_at_once(open_town: Town, exponent: int) -> None:
    # Written out, its zeros would fill the memory.
    great = Decimal((0, (1,), exponent))
    session = open_town.session(WHO)
    id = session.submit("tout", channel="web").id
    for attempt in (lambda: fields(open_town, montant=great), lambda: session.act_on(id, grc.Work(1, great))):
        tracemalloc.start()
        try:
            with pytest.raises((ValueError, grc.Refused), match="amount"):
                attempt()
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()


def test_amounts_do_not_depend_on_the_context_of_the_caller(open_town: Town) -> None:
    session = open_town.session(WHO)
    id = session.submit("tout", channel="web").id
    with localcontext() as context:
        context.prec = 4
        session.act_on(id, grc.Work(0, Decimal("123456.78")))
        assert fields(open_town, montant=Decimal("123456.78")) == {"montant": Decimal("123456.78")}
    assert session.history(id)[-1].details["cents"] == "12345678"


@pytest.mark.parametrize(
    ("amount", "error", "says"),
    [
        (1, TypeError, "amount: a decimal.Decimal.* not int"),
        ("1.00", TypeError, "amount: a decimal.Decimal.* not str"),
        (1.5, TypeError, "amount: a decimal.Decimal.* not float"),
        (Decimal("NaN"), ValueError, "amount: the amount is not a number"),
        (Decimal("1.005"), ValueError, "amount: an amount has two decimals"),
        (Decimal(2**63), grc.Unsuitable, "amount: the amount is too large"),
    ],
)
def test_amounts_of_work(open_town: Town, amount: Any, error: type[Exception], says: str) -> None:
    session = open_town.session(WHO)
    id = session.submit("tout", channel="web").id
    with pytest.raises(error, match=says):
        session.act_on(id, grc.Work(1, amount))
    assert session.history(id)[-1].kind == "submitted"


@pytest.mark.parametrize("zeros", ["5.00000", "5.0E0", "500E-2"])
def test_zeros_that_say_nothing(open_town: Town, zeros: str) -> None:
    session = open_town.session(WHO)
    id = session.submit("tout", channel="web").id
    session.act_on(id, grc.Work(1, Decimal(zeros)))
    assert session.history(id)[-1].details["cents"] == "500"


@pytest.mark.parametrize(
    "when",
    [
        START - DAY,
        START.replace(microsecond=123456) - DAY,
        datetime(2025, 7, 1, 12, 0, tzinfo=PARIS),
        datetime(2025, 10, 26, 2, 30, tzinfo=PARIS, fold=0),
        datetime(2025, 10, 26, 2, 30, tzinfo=PARIS, fold=1),
        datetime(2025, 3, 30, 2, 30, tzinfo=PARIS),
        datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=45, seconds=7, microseconds=3))),
        datetime(1900, 1, 1, tzinfo=timezone.utc),
    ],
)
def test_moments_are_the_same_moments(open_town: Town, when: datetime) -> None:
    session = open_town.session(WHO)
    opened = session.open(session.submit("tout", channel="web", occurred_at=when).id).opened_at
    # Compared in UTC: a datetime in a fold is never equal to one in another zone.
    assert opened == when.astimezone(timezone.utc) and opened.tzinfo is timezone.utc


def test_a_fold_is_an_hour() -> None:
    first, second = (datetime(2025, 10, 26, 2, 30, tzinfo=PARIS, fold=fold) for fold in (0, 1))
    assert grc.ManualClock(second).now() - grc.ManualClock(first).now() == HOUR


@given(st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2199, 1, 1), timezones=st.timezones()))
@settings(max_examples=300, deadline=None)
def test_every_moment_comes_back(when: datetime) -> None:
    assert grc.ManualClock(when).now() == when.astimezone(timezone.utc)


@pytest.mark.parametrize(
    ("when", "error", "says"),
    [
        (START.replace(tzinfo=None), ValueError, "naive.*tzinfo"),
        (START.date(), TypeError, "a datetime is wanted, not date"),
        ("2026-03-02T09:00:00Z", TypeError, "a datetime is wanted, not str"),
        (1772442000, TypeError, "a datetime is wanted, not int"),
        (datetime.min.replace(tzinfo=timezone(14 * HOUR)), grc.Refused, "before 1900"),
        (datetime.max.replace(tzinfo=timezone(-14 * HOUR)), grc.Refused, "after 2199"),
    ],
)
def test_what_is_no_moment(open_town: Town, when: Any, error: type[Exception], says: str) -> None:
    for part in ("occurred_at", "target"):
        with pytest.raises(error, match=says) as raised:
            open_town.session(WHO).submit("tout", channel="web", **{part: when})
        assert part in str(raised.value)


def test_a_moment_of_pandas(open_town: Town) -> None:
    pandas = pytest.importorskip("pandas")
    session = open_town.session(WHO)
    when = pandas.Timestamp("2025-07-01 12:00:00.123456789", tz="Europe/Paris")
    opened = session.open(session.submit("tout", channel="web", occurred_at=when).id).opened_at
    assert opened == datetime(2025, 7, 1, 10, 0, 0, 123456, tzinfo=timezone.utc)
    with pytest.raises((TypeError, ValueError)):
        session.submit("tout", channel="web", occurred_at=pandas.NaT)


def test_ids_are_uuids_or_their_texts(open_town: Town) -> None:
    session = open_town.session(WHO)
    id = session.submit("tout", channel="web").id
    other: Any = str(session.submit("tout", channel="web").id)
    assert session.open(other).id == UUID(other)
    session.act_on(id, grc.Link("duplicate-of", other))
    assert session.open(id).links == (("duplicate-of", UUID(other)),)
    wrong: Any
    for wrong, error in ((5, TypeError), (None, TypeError), (TYPED, ValueError), (b"x" * 16, TypeError)):
        with pytest.raises(error, match="id: ") as raised:
            session.open(wrong)
        assert TYPED not in str(raised.value)


@pytest.mark.parametrize("position", [(48.117266, -1.677793), (Decimal("48.117266"), Decimal("-1.677793"))])
def test_positions_are_to_the_micro_degree(open_town: Town, position: Any) -> None:
    session = open_town.session(WHO)
    place = session.open(session.submit("tout", channel="web", place=grc.Place(position=position)).id).place
    assert place is not None and place.position == (Decimal("48.117266"), Decimal("-1.677793"))
    assert place.address is None and place.zone is None and not place.coarse


@pytest.mark.parametrize(
    ("place", "error", "says"),
    [
        (grc.Place(position=(float("nan"), 0.0)), grc.Refused, "not a position"),
        (grc.Place(position=(91.0, 0.0)), grc.Refused, "not a position"),
        (grc.Place(position=("48", "1")), TypeError, "place.position: two numbers"),  # type: ignore[arg-type]
        (grc.Place(position=[48.0, 1.0]), TypeError, "place.position: two numbers"),  # type: ignore[arg-type]
        (grc.Place(position=(1.0,)), TypeError, "place.position: two numbers"),  # type: ignore[arg-type]
        (grc.Place(address=("a", "b")), TypeError, "place.address: an address is three texts"),  # type: ignore[arg-type]
        (grc.Place(address=("a", "b", 3)), TypeError, "place.address: a str is wanted"),  # type: ignore[arg-type]
        (grc.Place(zone="nowhere"), grc.Refused, "zone"),
    ],
)
def test_what_is_no_place(open_town: Town, place: grc.Place, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        open_town.session(WHO).submit("tout", channel="web", place=place)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "texte": st.text(max_size=50),
            "nombre": st.integers() | st.booleans() | st.none(),
            "montant": st.decimals() | st.floats() | st.integers(-(2**70), 2**70),
            "jour": st.dates() | st.datetimes() | st.text(max_size=10),
            "oui": st.booleans() | st.integers() | st.text(max_size=5),
            "liste": st.lists(st.text(max_size=3) | st.none(), max_size=3) | st.binary(max_size=3),
            "tel": st.text(max_size=20),
        },
    )
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_given_is_taken_or_refused(open_town: Town, given: dict[str, Any]) -> None:
    # Anything but these, an abort or a panic of the compiled part, would end the test.
    try:
        fields(open_town, **given)
    except (TypeError, ValueError, grc.GrcError) as error:
        assert str(error)
