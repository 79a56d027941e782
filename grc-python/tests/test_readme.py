"""The Python of the project's README, and of the package's, runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("readme", [FOLDER / "../../README.md", FOLDER / "../README.md"], ids=["project", "package"])
def test_the_block_runs(readme: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = BLOCK.findall(readme.read_text(encoding="utf-8"))
    assert len(blocks) == 1
    monkeypatch.chdir(FOLDER / "../..")
    exec(compile(blocks[0], str(readme), "exec"), {})
    assert "Anne Le Gall" in capsys.readouterr().out
