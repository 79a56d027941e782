"""Makes the twin of `grc.aio` for callers that wait: `python tools/twins.py` writes it, `--check` says whether it is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "python" / "grc"
NOTICE = "# Made by tools/twins.py from the module of the same name in grc/aio: change that one, not this one.\n"
HEAD = '"""The twin of `grc.aio` for callers that wait."""\n'

# In order.
CHANGES = [
    (r"\n# The twin of this package.*?\n", ""),
    (r"# asyncio only\n.*?# for both\n", ""),
    (r"async def __aenter__", "def __enter__"),
    (r"async def __aexit__", "def __exit__"),
    (r"return await operation", "return operation.wait()"),
    (r"\basync def\b", "def"),
    (r"\basync for\b", "for"),
    (r"\basync with\b", "with"),
    (r"`await open\(…\)`, or `async with open", "`open(…)`, or `with open"),
    (r"\bawait ", ""),
    (r"-> Opening:", "-> Store:"),
    (r"Opening\(operation\)", "Store(_run(operation))"),
    (r'"Opening", |Opening, ', ""),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAsyncTransport\b", "Transport"),
    (r"import Iterator, Iterable", "import Iterable, Iterator"),
    (r"import Iterator, Callable", "import Callable, Iterator"),
    (r"import Generator, Sequence", "import Sequence"),
    (
        r"from typing import Any\n\nfrom grc import _grc\nfrom grc\._grc import ManualClock",
        "\nfrom grc import _grc\nfrom grc._grc import ManualClock",
    ),
    (r"\bgrc\.aio\b", "grc._sync"),
    (r"\n\n\n\n+", "\n\n\n"),
]


def twin(source: Path) -> str:
    """The text of the twin of a module."""
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in CHANGES:
        text = re.sub(pattern, lambda _, to=replacement: to, text, flags=re.DOTALL)
    if source.name == "__init__.py":
        text = re.sub(r'\A""".*?"""\n', lambda _: HEAD, text, flags=re.DOTALL)
    for word in ("async", "await"):
        if re.search(rf"\b{word}\b", text):
            raise SystemExit(f"the twin of {source.name} still says `{word}`")
    first, rest = text.split("\n", 1)
    return f"{first}\n\n{NOTICE}{rest}"


def main() -> None:
    """Writes the twin, or checks it."""
    for source in sorted((PACKAGE / "aio").glob("*.py")):
        path = PACKAGE / "_sync" / source.name
        text = twin(source)
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise SystemExit(f"grc/_sync/{source.name} is not the twin of that in grc/aio: run `python tools/twins.py`")


if __name__ == "__main__":
    main()
