"""What whoever has installed the package, and nothing else, can do: run by `cargo xtask wheel` with that Python, from the folder
of the repository. A server is named as for the tests."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tempfile
from pathlib import Path

import grc

README = Path("grc-python/README.md")
TOWN = "examples/quickstart/town"


def packaged() -> None:
    """The package needs no other, is typed, and serves every Python from 3.10 on."""
    distribution = importlib.metadata.distribution("grc")
    assert not distribution.requires, distribution.requires
    files = {str(file) for file in distribution.files or ()}
    assert {"grc/py.typed", "grc/_grc.pyi", "grc/_grc.abi3.so"} <= files, files
    assert "cp310-abi3-" in (distribution.read_text("WHEEL") or "")
    assert "site-packages" in str(grc.__file__), "it is the installed one"


def as_in_the_readme() -> None:
    """Its example runs as it stands there."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    exec(compile(block, str(README), "exec"), {})


def lasting(url: str, keyring: str | None) -> None:
    """A store keeps what it was given."""
    with grc.open(url, keyring=keyring) as store:
        town = store.authority("saint-aubin")
        town.host("set-up").publish(TOWN)
        fields = {"description": "eau qui coule devant le 12", "gravite": "ecoulement"}
        leak = town.session("a-17").submit("fuite-eau", channel="telephone", fields=fields)
    with grc.open(url, keyring=keyring, create=False) as store:
        town = store.authority("saint-aubin")
        assert town.session("a-17").open(leak.id).fields["description"] == fields["description"]
        assert town.host("checks").verify(leak.id).sound


def main() -> None:
    """All of it."""
    packaged()
    as_in_the_readme()
    server = os.environ["GRC_TEST_SERVER"]
    with tempfile.TemporaryDirectory() as folder:
        lasting(f"sqlite:///{folder}/town.db", None)
        lasting(f"{server}/t1", f"{server}/k1")
    print(f"grc {grc.__version__} with Python {sys.version.split()[0]}: installed alone, its example, a file, a server")


if __name__ == "__main__":
    main()
