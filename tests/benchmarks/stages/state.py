"""What a state of n objects costs to read, and n writes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from engine_fakes import session

from reconciler.model.objects import Address, Intent, Record
from reconciler.state.store import Store

Run = Callable[[], object]
_SENT = {"connection": "sessions", "target": "t", "effect": "create", "started_at": "2027-01-01T00:00:00Z"}


def _record(number: int) -> Record:
    item = session(f"class-{number}")
    return Record(address=item.address, connection="sessions", target="t", remote_id=str(number), fields=item.fields)


def _filled(size: int) -> Store:
    store = Store("sqlite://", project="acme")
    for number in range(size):
        store.save(_record(number))
    return store


def _intent(number: int) -> Intent:
    return Intent(run_id="r", address=Address("Session", f"class-{number}"), fields={}, **_SENT)


def _over(read: Callable[[Store], object]) -> Callable[[int], Run]:
    def stage(size: int) -> Run:
        store = _filled(size)
        return lambda: read(store)

    return stage


def _intents(size: int) -> Run:
    store = Store("sqlite://", project="acme")
    for number in range(size):
        store.begin(_intent(number))
    return store.open_intents


def _changes(size: int) -> Run:
    store = _filled(size)
    return lambda: [store.save(_record(n), ends=store.begin(_intent(n))) for n in range(size)]


def _baselines(size: int) -> Run:
    store = Store("sqlite://", project="acme")
    runs = count()

    def run() -> None:
        store.record_baseline(f"r{next(runs)}", {("sessions", "Session"): [str(n) for n in range(size)]})
        store.baselines()
        store.prune()

    return run


def _renamed(size: int) -> Run:
    store = _filled(size)
    here = [Address("Session", f"class-{number}") for number in range(size)]
    there = [Address("Session", f"moved-{number}") for number in range(size)]

    def run() -> None:
        store.rename_all(dict(zip(here, there, strict=True)))
        store.rename_all(dict(zip(there, here, strict=True)))

    return run


STAGES: dict[str, Callable[[int], Run]] = {
    "n saved": lambda n: lambda: _filled(n),
    "n changes recorded": _changes,
    "n records": _over(lambda store: store.records()),
    "n records of others": _over(lambda store: store.others()),
    "contents of n": _over(lambda store: store.contents()),
    "n open intents": _intents,
    "baseline of n": _baselines,
    "n renamed": _renamed,
}
