"""The lease (state lock): one writing run at a time for each project and environment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Lease
from reconciler.state import process_lock
from reconciler.state.holder import QUIET, is_stopped, myself, process_lives
from reconciler.state.store import Store

BEAT = 5.0
"""Seconds between two heartbeats of a holder."""

PATIENCE = 60.0
"""Seconds of failed heartbeats after which a run treats its lease as lost: before it can expire for others."""

_PAUSE = 0.5


@contextmanager
def hold(store: Store, run_id: str, *, timeout: float = 0.0) -> Iterator[None]:
    """Hold the lease while the block runs. ReconcilerError after `timeout` seconds names the other holder.

    A holder that looks dead is waited for in any case, until that is sure.
    """
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(store, run_id, ended), name="lease", daemon=True)
    with process_lock.locked(store.lock_beside, run_id):
        try:
            _take(store, run_id, time.monotonic() + timeout)
        except KeyboardInterrupt:  # a signal; the claim may have been committed
            with suppress(ReconcilerError):
                store.release(run_id)
            raise
        try:
            heart.start()
            yield
        finally:
            ended.set()
            if heart.ident is not None:
                heart.join()
            with suppress(ReconcilerError):  # the run must still be reported, and the lease expires by itself
                store.release(run_id)


def _take(store: Store, run_id: str, deadline: float) -> None:
    announced = waits = False
    while (held := store.claim(myself(run_id))) is not None:
        if time.monotonic() >= deadline:
            if not store.watch.suspects:
                raise _taken(held)
            if not announced:
                store.notice(
                    f"Run {held.run_id} on {held.host} holds the state lock and seems to have died. "
                    f"Waiting {QUIET * store.pace:g} s to be sure that it writes nothing."
                )
            announced = True
        elif not waits:
            left = f"{deadline - time.monotonic():.0f} s"
            store.notice(f"Run {held.run_id} on {held.host} holds the state lock. Waiting for it, at most {left}.")
            waits = True
        time.sleep(_PAUSE)


def _taken(held: Lease) -> ReconcilerError:
    message = (
        f"another run holds the state lock of this project: {held.holder} on {held.host}, "
        f"process {held.pid}, since {held.since}, run {held.run_id}"
    )
    if process_lives(held) and is_stopped(held.pid):
        message += "; its process is stopped"
        hint = f"continue it (kill -CONT {held.pid}) or end it (kill -KILL {held.pid})"
    else:
        hint = (
            f"to wait for it: --lock-timeout SECONDS; if its process is dead: `reconciler state unlock {held.run_id}`"
        )
    return ReconcilerError(message, hint=hint, code="state-locked")


def _beat(store: Store, run_id: str, ended: threading.Event) -> None:
    seen = time.monotonic()
    while not ended.wait(BEAT * store.pace):
        started = time.monotonic()
        try:
            if not store.beat(run_id):
                return  # the next write of the run fails and says so
            seen = started
        except ReconcilerError:
            if time.monotonic() - seen > PATIENCE * store.pace:
                store.give_up()
                return
