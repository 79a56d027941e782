"""The script of delays."""

from __future__ import annotations

from pathlib import Path

import grc
import pandas as pd
import pytest
from matplotlib import image

import delays


def test_it_prints_a_table_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "delays.png"
    assert delays.main(["--out", str(out), "--months", "3", "--a-day", "2"]) == 0
    printed = capsys.readouterr().out
    assert "2026-02" in printed
    assert "Voirie" in printed
    assert out.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    pixels = image.imread(out)
    assert len({tuple(pixel) for pixel in pixels.reshape(-1, pixels.shape[-1])[::7]}) > 5


def test_pandas_reads_the_columns_and_the_same_seed_gives_the_same() -> None:
    def frame() -> pd.DataFrame:
        with delays.made_up(seed=3, months=1, a_day=3) as store:
            return delays.delays(store.authority("saint-aubin").host("test"))

    first = frame()
    assert first["closure_median"].dtype == "float64"
    assert (first["median_days"] <= first["p90_days"]).all()
    assert first.equals(frame())


def test_a_store_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    with grc.open(url) as store:
        store.authority("saint-aubin").host("test").publish(delays.TOWN)
    assert delays.main(["--store", url, "--out", str(tmp_path / "none.png")]) == 1
    assert "Aucune demande close." in capsys.readouterr().out
    assert not (tmp_path / "none.png").exists()
    with pytest.raises(grc.StorageError):
        delays.main(["--store", f"sqlite:///{tmp_path / 'missing.db'}"])
