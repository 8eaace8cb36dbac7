"""Transactions of several threads in one commit: each is durable when it returns, and none suffers from another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state.connection import Connection
from reconciler.state.lease import hold
from reconciler.state.store import Store
from reconciler.together import Job, Together

THREADS = 6

INTENT = Intent(
    run_id="run",
    address=Address("Session", "s2"),
    connection="c",
    target="t",
    effect="create",
    started_at="2027-01-01T00:00:00Z",
    fields={},
)


def record(number: int) -> Record:
    return Record(address=Address("Session", f"s{number}"), connection="c", target="t", remote_id="1", fields={})


def at_once(group: Together[Any], works: list[Callable[[], object]], lock: threading.RLock) -> list[object]:
    """Let every work wait for the lock before it is released, so that one thread leads all of them."""

    def outcome(work: Callable[[], object]) -> object:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - what the thread gets is what is looked at
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        with lock:
            futures = [pool.submit(outcome, work) for work in works]
            while len(group._waiting) < len(works):
                pass
        return [future.result() for future in futures]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(f"sqlite:///{tmp_path / 'state.db'}", project="acme")
    made.save(record(0))
    return made


@pytest.fixture
def anywhere(state_url: str) -> Iterator[Store]:
    with closing(Store(state_url, project="acme")) as made:
        made.save(record(0))
        yield made


def writes_of(store: Store) -> tuple[Together[Any], threading.RLock]:
    database = store._database
    return database._writes, database._writes._lock  # type: ignore[return-value]


def test_what_waits_at_one_time_is_one_commit_and_durable_when_it_returns(store: Store, tmp_path: Path) -> None:
    group, lock = writes_of(store)
    commits: list[str] = []
    store._database._connection._raw.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)  # type: ignore[union-attr]
    seen: list[bool] = []

    def work(number: int) -> None:
        store.save(record(number))
        with closing(Store(f"sqlite:///{tmp_path / 'state.db'}", project="acme")) as other:
            seen.append(record(number).address in other.records())

    at_once(group, [lambda number=number: work(number) for number in range(THREADS)], lock)  # type: ignore[misc]
    assert seen == [True] * THREADS
    assert len(commits) == 1
    store.close()


def test_a_transaction_that_fails_takes_no_other_with_it(anywhere: Store) -> None:
    store = anywhere
    group, lock = writes_of(store)

    def broken(_: Connection) -> None:
        raise ReconcilerError("refused")

    def defective(_: Connection) -> None:
        raise ZeroDivisionError

    works: list[Callable[[], object]] = [
        lambda: store.save(record(1)),
        lambda: store._write(broken),
        lambda: store.save(record(2)),
        lambda: store._write(defective),
    ]
    results = at_once(group, works, lock)
    assert [type(result) for result in results] == [type(None), ReconcilerError, type(None), ZeroDivisionError]
    assert {address.name for address in store.records()} == {"s0", "s1", "s2"}


def test_a_lost_lease_refuses_every_transaction_of_the_commit_but_the_end_of_a_call(store: Store) -> None:
    group, lock = writes_of(store)
    with hold(store, "run"):
        number = store.begin(INTENT, fenced=True)
        with closing(Store(f"sqlite:///{store.label}", project="acme")) as other:  # type: ignore[union-attr]
            assert other.release("run")
        works: list[Callable[[], object]] = [
            lambda: store.save(record(1)),
            lambda: store.save(record(2), ends=number),
            lambda: store.save(record(3)),
        ]
        results = at_once(group, works, lock)
    assert [type(result) for result in results] == [ReconcilerError, type(None), ReconcilerError]
    assert {address.name for address in store.records()} == {"s0", "s2"}
    store.close()


def test_another_thread_takes_over_from_one_that_a_signal_ends() -> None:
    lock = threading.RLock()
    led: list[int] = []

    def lead(jobs: list[Job]) -> None:
        led.append(len(jobs))
        if len(led) == 1:
            raise KeyboardInterrupt
        for job in jobs:
            job.done = True

    group = Together(lock, lead)

    def run() -> object:
        try:
            return group.run(Job()).done
        except KeyboardInterrupt:
            return "interrupted"

    results = at_once(group, [run] * 3, lock)
    assert sorted(map(str, results)) == ["True", "True", "interrupted"]
    assert led == [3, 2]


class EndsOnce:
    """The lock of the list of what waits; a signal arrives once, when a leader has taken all and not done any yet."""

    def __init__(self, group: Together[Any]) -> None:
        self.group, self.lock, self.ended = group, threading.Lock(), False

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        taken = not self.group._waiting and not self.ended
        self.ended = self.ended or taken
        self.lock.release()
        if taken:
            raise KeyboardInterrupt


def test_what_a_leader_had_taken_when_a_signal_ended_it_is_done_all_the_same() -> None:
    lock = threading.RLock()

    def lead(jobs: list[Job]) -> None:
        for job in jobs:
            job.done = True

    group = Together(lock, lead)
    group._waits = EndsOnce(group)  # type: ignore[assignment]

    def run() -> object:
        try:
            return group.run(Job()).done
        except KeyboardInterrupt:
            return "interrupted"

    assert sorted(map(str, at_once(group, [run] * 3, lock))) == ["True", "True", "interrupted"]
    assert group._waiting == []


def test_what_is_in_no_list_is_done_all_the_same() -> None:
    lock = threading.RLock()

    def lead(jobs: list[Job]) -> None:
        for job in jobs:
            job.done = True

    group = Together(lock, lead)
    group._gather = group._waiting.clear  # as where a second signal keeps a leader from giving it back
    assert group.run(Job()).done
