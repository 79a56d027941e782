"""The Python of the project's README runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from towns import definition

README = Path(__file__).parent / "../../README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_block_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert len(blocks) == 1
    exec(compile(blocks[0], str(README), "exec"), {"TOWN": definition("lib.toml")})
    assert "Anne Le Gall" in capsys.readouterr().out
