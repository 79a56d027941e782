"""The store of the Django project: one a process, also after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import grc
import pytest
from desk import store

PROJECT = Path(__file__).resolve().parents[1] / "django_town"

FORKS = """
import os, sys
import django
django.setup()
import grc
from desk import store

store.host("parent").publish(sys.argv[1])

def handed_in():
    store.town().session(grc.Citizen()).submit("avaloir", channel="site", fields={"description": "bouché"})

handed_in()
inherited = store.store()
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            try:
                inherited.authority("saint-aubin").host("child").definition()
            except grc.ForkedError:
                handed_in()
                code = 0 if store.store() is not inherited else 2
            store.close()
        finally:
            os._exit(code)
    children.append(child)
handed_in()
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(codes, store.host("parent").figures().total, store.store() is inherited)
"""


def test_each_process_opens_its_own(tmp_path: Path, town_folder: Path) -> None:
    environment = os.environ | {
        "TOWN_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "town.settings",
        "PYTHONPATH": str(PROJECT),
    }
    ran = subprocess.run(
        [sys.executable, "-c", FORKS, str(town_folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("[0, 0, 0] 5 True\n", "")


@pytest.mark.usefixtures("open_town")
def test_threads_share_one_and_a_closed_one_is_opened_again() -> None:
    found: list[grc.Store] = []
    threads = [threading.Thread(target=lambda: found.append(store.store())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1
    store.close()
    assert found[0].closed
    assert store.store() is not found[0]
