"""What a call costs in each kind of state, side by side: python tests/benchmarks/state_costs.py

SQLite in a file, PostgreSQL if RECONCILER_TEST_POSTGRES names a server, and Git by a bare repository in a folder. The
runs alternate, so that another program on the machine slows all of them. Ratios are to SQLite. `--json` prints every
figure, in milliseconds, without Git.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from reconciler.model.objects import Address, Intent, Record
from reconciler.state.git.command import Git
from reconciler.state.lease import hold
from reconciler.state.store import Store

BARE = "two commits without reconciler"
OBJECTS = 16
ROUNDS = 5
SENT = {"connection": "c", "target": "t", "effect": "create", "started_at": "2027-01-01T00:00:00Z", "fields": {}}


def write(store: Store, number: int) -> None:
    """Do what one create does: record the call, then the object with the end of the call."""
    address = Address("Session", f"s{number}")
    begun = store.begin(Intent(run_id=RUN[0], address=address, **SENT), fenced=True)
    store.save(Record(address=address, connection="c", target="t", remote_id="1", fields={}), ends=begun)


RUN = [""]


def timed(work: Callable[[], object], share: int = 1) -> float:
    """Return what a share of some work took, in milliseconds."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / share * 1000


def commit_twice(url: str) -> float:
    """Return what two commits of a small row take without this program: nothing that is durable takes less."""
    is_file = url.startswith("sqlite:///")
    connect = sqlite3.connect if is_file else import_module("psycopg").connect
    settings = {"isolation_level": None} if is_file else {"autocommit": True}
    with closing(connect(url.removeprefix("sqlite:///") + (".bare" if is_file else ""), **settings)) as database:
        for pragma in ("journal_mode=WAL", "synchronous=FULL") if is_file else ():
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE IF NOT EXISTS bare (row_ text)")
        row = f"INSERT INTO bare VALUES ('{'x' * 400}')"
        return statistics.median(timed(lambda: [database.execute(row) for _ in range(2)]) for _ in range(4))


def measured(url: str, turn: int) -> Iterator[tuple[str, float]]:
    """Yield what each step took, in milliseconds."""
    with closing(Store(url, project="acme")) as store:
        yield "first read", timed(store.records)
        yield "next read", timed(store.open_intents)
        RUN[0] = f"r{turn}"
        began = time.perf_counter()
        with hold(store, RUN[0]):
            yield "take the lease", (time.perf_counter() - began) * 1000
            store.records()
            if not url.startswith("git+"):
                yield BARE, commit_twice(url)
            yield "the first change", timed(lambda: write(store, 0))
            yield "a change, one at a time", timed(lambda: [write(store, number) for number in range(1, 9)], 8)
            with ThreadPoolExecutor(8) as pool:
                each = timed(lambda: list(pool.map(lambda number: write(store, number), range(OBJECTS))), OBJECTS)
            yield "a change, eight at a time", each
            began = time.perf_counter()
        yield "release the lease", (time.perf_counter() - began) * 1000


@contextmanager
def counted() -> Iterator[list[str]]:
    """Count the calls that go to a Git remote."""
    seen: list[str] = []
    real = Git.run

    def run(self: Git, *arguments: str, **more: object) -> object:
        if arguments[0] in {"ls-remote", "fetch", "push"}:
            seen.append(arguments[0])
        return real(self, *arguments, **more)  # type: ignore[arg-type]

    with patch.object(Git, "run", run):
        yield seen


def main(*, as_json: bool) -> None:
    """Print a table, or JSON."""
    with tempfile.TemporaryDirectory() as folder:
        remote = Path(folder) / "state.git"
        subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True, timeout=30)
        states = {"SQLite": f"sqlite:///{folder}/state.db"}
        if server := os.environ.get("RECONCILER_TEST_POSTGRES"):
            states["PostgreSQL"] = server
        if not as_json:
            states["Git"] = f"git+file://{remote}#reconciler-state"
        taken: dict[str, dict[str, list[float]]] = {}
        trips: dict[str, list[int]] = {}
        with counted() as seen:
            for turn in range(ROUNDS):
                for name, url in states.items():
                    seen.clear()
                    for step, milliseconds in measured(url, turn):
                        taken.setdefault(step, {}).setdefault(name, []).append(milliseconds)
                        if name == "Git":
                            trips.setdefault(step, []).append(len(seen))
                            seen.clear()
    if as_json:
        sys.stdout.write(json.dumps(taken))
        return
    lines = [("step", *states, "calls to the remote")]
    for step, found in taken.items():
        middle = {name: statistics.median(values) for name, values in found.items()}
        cells = [f"{value:.1f} ms ({value / middle['SQLite']:.1f})" for value in middle.values()]
        cells += ["-"] * (len(states) - len(cells))
        lines.append((step, *cells, str(statistics.median(trips.get(step, [0])))))
    for first, *others in lines:
        sys.stdout.write(first.ljust(28) + "".join(cell.rjust(22) for cell in others) + "\n")


if __name__ == "__main__":
    main(as_json="--json" in sys.argv)
