"""Makes the twin of `grc.aio` for callers that wait: `python tools/twins.py` writes it, `--check` says whether it is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "python" / "grc"
HEAD = '"""The twin of `grc.aio` for callers that wait. Made by tools/twins.py: change that module, not this one."""\n'

# In order.
CHANGES = [
    (r'\A""".*?"""\n', HEAD),
    (r"\n# The twin of this module.*?\n", ""),
    (r"# asyncio only\n.*?# for both\n", ""),
    (r"async def __aenter__", "def __enter__"),
    (r"async def __aexit__", "def __exit__"),
    (r"return await operation", "return operation.wait()"),
    (r"\basync def\b", "def"),
    (r"`await open\(…\)`, or `async with open", "`open(…)`, or `with open"),
    (r"\bawait ", ""),
    (r"-> _Opening:", "-> Store:"),
    (r"_Opening\(operation\)", "Store(_run(operation))"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAsyncTransport\b", "Transport"),
    (r"import Iterator, Iterable", "import Iterable, Iterator"),
    (r"\n\n\n\n+", "\n\n\n"),
]


def twin() -> str:
    """The text of the twin."""
    text = (PACKAGE / "aio.py").read_text(encoding="utf-8")
    for pattern, replacement in CHANGES:
        text = re.sub(pattern, lambda _, to=replacement: to, text, flags=re.DOTALL)
    for word in ("async", "await", "asyncio"):
        if re.search(rf"\b{word}\b", text):
            raise SystemExit(f"the twin still says `{word}`")
    return text


def main() -> None:
    """Writes the twin, or checks it."""
    path = PACKAGE / "_sync.py"
    text = twin()
    if "--check" not in sys.argv:
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise SystemExit("python/grc/_sync.py is not the twin of aio.py: run `python tools/twins.py`")


if __name__ == "__main__":
    main()
