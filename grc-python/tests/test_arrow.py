"""Tables as columns: pandas, polars, DuckDB and pyarrow read them as they are."""

from __future__ import annotations

import gc
from decimal import Decimal
from typing import Any

import pytest
from towns import WORKER, Town

import grc
from grc.results import Table

pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture
def table(memory_town: Town) -> Table:
    """Counts, amounts, hours and a key that is missing."""
    session = memory_town.session()
    held, _ = memory_town.hole(), memory_town.hole(channel="guichet")
    session.act_on(held.id, grc.Fire("affecter", to=grc.Assignee(team="chaussee")))
    session.act_on(held.id, grc.Work(90, Decimal("1234567.89")))
    memory_town.session(WORKER).act_on(held.id, grc.Fire("traiter"))
    session.act_on(held.id, grc.Fire("cloturer", outcome="repare"))
    return memory_town.host.measure(["opened", "minutes", "cents", "closure-median"], by=["month", "team"])


@pytest.fixture
def empty(memory_town: Town) -> Table:
    """The same columns, and no row."""
    return memory_town.host.measure(["opened", "minutes", "cents", "closure-median"], by=["month", "team"])


TYPES = {
    "month": "string",
    "month_label": "string",
    "team": "string",
    "team_label": "string",
    "opened": "uint64",
    "minutes": "uint64",
    "cents": "decimal128(20, 2)",
    "closure_median": "double",
}


def test_pyarrow(table: Table) -> None:
    read = pyarrow.table(table)
    assert {field.name: str(field.type) for field in read.schema} == TYPES
    assert read.to_pylist() == table.to_dicts()
    by_team = {row["team"]: row for row in read.to_pylist()}
    assert by_team["chaussee"]["cents"] == Decimal("1234567.89")
    assert by_team[None]["closure_median"] is None and by_team[None]["team_label"] is None


def test_pandas(table: Table) -> None:
    pandas = pytest.importorskip("pandas")
    # Before pandas 3, which needs Python 3.11, pyarrow hands it over.
    newer = hasattr(pandas.DataFrame, "from_arrow")
    frame = pandas.DataFrame.from_arrow(table) if newer else pyarrow.table(table).to_pandas()
    assert list(frame.columns) == list(TYPES)
    assert int(frame["opened"].sum()) == 2 and frame["team"].isna().sum() == 1
    assert sum(frame["cents"]) == Decimal("1234567.89")


def test_polars(table: Table) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(table)
    assert frame.schema["cents"] == polars.Decimal(20, 2) and frame.schema["opened"] == polars.UInt64
    assert frame["cents"].sum() == Decimal("1234567.89") and frame["team"].null_count() == 1
    assert frame.to_dicts() == table.to_dicts()


def test_duckdb(table: Table) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        # Found by its name, as DuckDB finds what is in Python; and again.
        figures = table
        for _ in range(2):
            told = connection.sql("select sum(cents), sum(opened), count(team) from figures").fetchall()
            assert told == [(Decimal("1234567.89"), 2, 1)] and figures is table


def test_empty(empty: Table) -> None:
    assert len(empty) == 0
    read = pyarrow.table(empty)
    assert read.num_rows == 0 and {field.name: str(field.type) for field in read.schema} == TYPES


def test_one_row_without_keys(memory_town: Town) -> None:
    memory_town.hole()
    assert pyarrow.table(memory_town.host.measure(["opened", "cents"])).to_pylist() == [
        {"opened": 1, "cents": Decimal("0.00")}
    ]


def test_columns_outlive_the_table(memory_town: Town) -> None:
    memory_town.hole()
    table = memory_town.host.measure("opened", by="type")
    read, stream = pyarrow.table(table), table.__arrow_c_stream__()
    del table
    memory_town.store.close()
    gc.collect()
    assert read.to_pylist()[0]["opened"] == 1
    # A capsule that nobody reads is let go of too.
    del stream
    gc.collect()


def test_it_can_be_read_again_and_again(table: Table) -> None:
    reads = [pyarrow.table(table) for _ in range(3)]
    assert reads[0] == reads[1] == reads[2]


def test_a_schema_that_is_asked_for_is_a_wish(table: Table) -> None:
    # As the interface has it: who asks gets our types if we cannot do otherwise.
    wish: Any = pyarrow.schema([("opened", pyarrow.int8())])
    assert table.__arrow_c_stream__(wish.__arrow_c_schema__()) is not None
