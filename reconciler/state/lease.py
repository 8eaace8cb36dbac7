"""Holding the lease: one writing run at a time for each project and environment."""

from __future__ import annotations

import getpass
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import ReconcilerError
from reconciler.model.canonical import now
from reconciler.model.objects import Lease
from reconciler.state.store import Store

BEAT = 10.0
"""Seconds between two signs of life of a holder."""

EXPIRY = 90.0
"""Seconds without a sign of life after which a holder counts as dead: several missed beats, not one."""

_PAUSE = 0.5


@contextmanager
def hold(store: Store, run_id: str, *, timeout: float = 0.0) -> Iterator[None]:
    """Hold the lease while the block runs; ReconcilerError says who holds it after `timeout` seconds of waiting."""
    _take(store, run_id, time.monotonic() + timeout)
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(store, run_id, ended), name="lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        store.release(run_id)


def _take(store: Store, run_id: str, deadline: float) -> None:
    while True:
        held = store.claim(_mine(run_id), stale=_dead)
        if held is None:
            return
        if time.monotonic() >= deadline:
            message = (
                f"another run holds this project's state: {held.holder} on {held.host}, process {held.pid}, "
                f"since {held.since}, run {held.run_id}"
            )
            hint = (
                f"wait for it (--lock-timeout SECONDS), or if it is surely dead: reconciler state unlock {held.run_id}"
            )
            raise ReconcilerError(message, hint=hint)
        time.sleep(_PAUSE)


def _mine(run_id: str) -> Lease:
    try:
        holder = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        holder = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Lease(
        run_id=run_id, holder=holder, host=socket.gethostname(), pid=os.getpid(), since=now(), beat=time.time()
    )


def _dead(held: Lease) -> bool:
    """Tell a holder that shows no sign of life, or whose process on this very host is gone."""
    if time.time() - held.beat > EXPIRY:
        return True
    return held.host == socket.gethostname() and not _alive(held.pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's process, or a system that cannot tell: only time tells then
    return True


def _beat(store: Store, run_id: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        try:
            store.beat(run_id, time.time())
        except ReconcilerError:
            continue  # the run's own writes will say so; a later beat may come through
