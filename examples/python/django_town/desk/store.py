"""The store: one a process, opened when it is first needed and closed at exit.

A server that forks (gunicorn, also with --preload) may import this before it forks, and even use it: each child forgets what
its parent opened and opens the store for itself. grc would refuse the parent's store in the child with `ForkedError`.
"""

from __future__ import annotations

import atexit
import os
import threading

import grc
from django.conf import settings

_lock = threading.Lock()
_store: grc.Store | None = None


def store() -> grc.Store:
    """The store of this process."""
    global _store
    with _lock:
        if _store is None or _store.closed:
            # Tests give a clock of their own.
            _store = grc.open(settings.GRC_STORE, clock=getattr(settings, "GRC_CLOCK", None))
        return _store


def town() -> grc.Authority:
    """The town whose requests these are."""
    return store().authority(settings.GRC_AUTHORITY)


def host(errand: str) -> grc.Host:
    """This program itself, on an errand that the history names. It sees everything: never for what a person asks."""
    return town().host(errand)


def close() -> None:
    """Closes it; the next use opens it again."""
    global _store
    with _lock:
        if _store is not None:
            _store.close()
            _store = None


def _forget() -> None:
    # The lock may have been held by a thread that does not exist in the child.
    global _lock, _store
    _lock = threading.Lock()
    _store = None


os.register_at_fork(after_in_child=_forget)
atexit.register(close)
