"""What the examples in the package's docstrings run with: `pytest --doctest-modules python/grc`."""

from __future__ import annotations

from pathlib import Path

import pytest

import grc

LIB = Path(__file__).parent.parent / "grc-core" / "tests" / "definitions" / "lib.toml"


@pytest.fixture(autouse=True)
def town_of_the_examples(doctest_namespace: dict[str, object]) -> None:
    """`TOWN`: the small definition that the examples of the Rust crate use too."""
    doctest_namespace["TOWN"] = grc.Definition.from_files({LIB.name: LIB.read_text(encoding="utf-8")})
