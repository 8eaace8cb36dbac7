"""Faults planted in the engine on purpose, one at a time: a suite that cannot fail proves nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from reconciler.engine import apply_one
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.subject import Context
from reconciler.errors import OutcomeUnknown
from reconciler.providers.http import HttpClient
from reconciler.state.store import Store


@contextlib.contextmanager
def intent_after_the_call() -> Iterator[None]:
    """Journal order: nothing is recorded before the call, so that a lost answer leaves no trace."""
    with mock.patch.object(Store, "begin", return_value=0), mock.patch.object(Store, "extend"):
        yield


@contextlib.contextmanager
def record_before_the_call() -> Iterator[None]:
    """Journal order: an object is forgotten before its deletion is sent."""
    real = apply_one._send_delete

    def early(run: Any, change: Any, call: Any, sent: Any) -> None:
        run.store.remove(call.address)
        real(run, change, call, sent)

    with mock.patch.object(apply_one, "_send_delete", early):
        yield


@contextlib.contextmanager
def blind_retry() -> Iterator[None]:
    """A writing call whose answer was lost is sent once more."""
    real = HttpClient.write

    def twice(self: HttpClient, *call: Any, **more: Any) -> Any:
        try:
            return real(self, *call, **more)
        except OutcomeUnknown:
            return real(self, *call, **more)

    with mock.patch.object(HttpClient, "write", twice):
        yield


@contextlib.contextmanager
def unknown_as_absent() -> Iterator[None]:
    """What could not be read is taken as not there."""
    with (
        mock.patch.object(Snapshot, "why_unreadable", return_value=None),
        mock.patch.object(Context, "why_unlisted", return_value=None),
    ):
        yield


PLANTS = (
    intent_after_the_call,
    record_before_the_call,
    blind_retry,
    unknown_as_absent,
)
