"""Holding the lease: one writing run at a time for each project and environment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.errors import ReconcilerError
from reconciler.state.holder import myself
from reconciler.state.store import Store

BEAT = 10.0
"""Seconds between two signs of life of a holder."""

PATIENCE = 60.0
"""Seconds of failing beats after which a run takes its lease for lost: before it could expire for others."""

_PAUSE = 0.5


@contextmanager
def hold(store: Store, run_id: str, *, timeout: float = 0.0) -> Iterator[None]:
    """Hold the lease while the block runs; ReconcilerError says who holds it after `timeout` seconds of waiting."""
    try:
        _take(store, run_id, time.monotonic() + timeout)
    except KeyboardInterrupt:  # a signal; the claim may have gone through all the same
        with suppress(ReconcilerError):
            store.release(run_id)
        raise
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(store, run_id, ended), name="lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
        with suppress(ReconcilerError):  # what the run did must still be told, and the lease ends by itself
            store.release(run_id)


def _take(store: Store, run_id: str, deadline: float) -> None:
    while True:
        held = store.claim(myself(run_id))
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


def _beat(store: Store, run_id: str, ended: threading.Event) -> None:
    seen = time.monotonic()
    while not ended.wait(BEAT):
        started = time.monotonic()
        try:
            if not store.beat(run_id):
                return  # whatever the run writes next finds out by itself
            seen = started
        except ReconcilerError:
            if time.monotonic() - seen > PATIENCE:
                store.give_up()
                return
