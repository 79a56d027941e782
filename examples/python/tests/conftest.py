"""What the tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grc
import pytest

# Before Django reads its settings: its data must not lie in the project.
os.environ["TOWN_DATA"] = tempfile.mkdtemp(prefix="town-")

TOWN = Path(__file__).resolve().parents[2] / "quickstart" / "town"


@pytest.fixture
def town_folder() -> Path:
    """The definition of the quickstart's town."""
    return TOWN


@pytest.fixture
def clock() -> grc.ManualClock:
    """A clock that stands until it is set."""
    return grc.ManualClock(datetime(2026, 11, 2, 9, tzinfo=UTC))


@pytest.fixture
def open_town(settings: Any, clock: grc.ManualClock) -> Iterator[None]:
    """The Django project with a store of its own, in which the quickstart's town is published."""
    from desk import store

    settings.GRC_STORE, settings.GRC_CLOCK = "memory:", clock
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    store.close()
    store.host("test").publish(TOWN)
    yield
    store.close()
