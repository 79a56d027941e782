"""Scripts in processes of their own: what forks, is interrupted, or ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PRELUDE = """
import asyncio, os, signal, sys, threading, time
import grc
from grc import aio
from towns import *
"""


@dataclass
class Ran:
    """How a script ended."""

    code: int
    out: str
    err: str
    seconds: float

    def quiet(self) -> Ran:
        """It ended well, and printed no complaint."""
        assert self.code == 0 and self.err == "", f"exit code {self.code}:\n{self.out}\n{self.err}"
        return self


def run(script: str, *arguments: object, interrupted: bool = False, timeout: float = 60) -> Ran:
    """Runs a script. One that is to be interrupted (Ctrl-C) says `waiting` on a line of its own shortly before it waits."""
    text = PRELUDE + textwrap.dedent(script)
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONWARNINGS": "error"}
    begun = ""
    started = time.monotonic()
    command = [sys.executable, "-c", text, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            if interrupted:
                assert process.stdout is not None
                while "waiting" not in begun:
                    line = process.stdout.readline()
                    assert line, "it ended before it waited"
                    begun += line
                time.sleep(0.5)
                started = time.monotonic()
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"it hangs:\n{begun}{out}\n{err}") from None
        except BaseException:
            process.kill()
            raise
    return Ran(process.returncode, begun + out, err, time.monotonic() - started)


LOCK = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1])
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
other.close()
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the file of a store, so that commits wait. (Not this one: a process that opens a file by two
    copies of SQLite, such as Python's own, does not see its own locks.)"""
    command = [sys.executable, "-c", LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            process.communicate("")
