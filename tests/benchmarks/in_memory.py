"""Commands in this process, on a company in memory: what is counted does not depend on the network or the machine."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lean_server import Company
from projects import CREDENTIALS, life, write_project

from reconciler.providers.answer import Answer
from reconciler.providers.http import HttpClient
from reconciler.testing.bench import run_in

URL = "http://127.0.0.1:9"
"""Nothing is sent there."""


@contextmanager
def served(company: Company) -> Iterator[None]:
    """Answer every call from a company, one after the other."""

    def answer(method: str, path: str, body: bytes = b"") -> Answer:
        status, text = company.answer(method, path, body)
        kind = {"content-type": "application/xml; charset=utf-8"} if text else {}
        return Answer(status=status, headers=kind, body=text.encode(), url_path=path)

    def get(_client: HttpClient, path: str, *_: Any, **__: Any) -> Answer:
        return answer("GET", path)

    def write(_client: HttpClient, method: str, path: str, *, content: bytes = b"", **_: Any) -> Answer:
        return answer(method, path, content)

    def gather(_client: HttpClient, function: Callable[[Any], Any], items: Any) -> list[Any]:
        return [function(item) for item in items]

    with patch.multiple(HttpClient, get=get, write=write, gather=gather):
        yield


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """Count the calls of functions, in all threads."""
    found: Counter[str] = Counter()
    by_thread: dict[int, int] = {}

    def count(_frame: object, event: str, _argument: object) -> None:
        if event in {"call", "c_call"}:
            number = threading.get_ident()
            by_thread[number] = by_thread.get(number, 0) + 1

    threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield found
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        found["calls"] = sum(by_thread.values())


@contextmanager
def statements() -> Iterator[Counter[str]]:
    """Count the commits and the statements of the state."""
    found: Counter[str] = Counter(commits=0, statements=0)
    real = sqlite3.dbapi2.connect

    def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
        made = real(*arguments, **more)

        def traced(statement: str) -> None:
            first = statement.partition(" ")[0].upper()
            found["commits" if first == "COMMIT" else "statements"] += first != "BEGIN"

        made.set_trace_callback(traced)
        return made

    with patch("sqlite3.dbapi2.connect", connect), patch("sqlite3.connect", connect):
        yield found


@contextmanager
def memory() -> Iterator[Counter[str]]:
    """Measure the peak of what is allocated, in bytes."""
    found: Counter[str] = Counter()
    tracemalloc.start()
    try:
        yield found
    finally:
        found["peak"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def alone(command: str) -> tuple[str, ...]:
    """Return what has a command do one thing after the other, so that its counts are always the same."""
    return () if command in {"validate", "show"} else ("--parallelism", "1")


def counted(size: int, meter: Callable[[], Any]) -> dict[str, Counter[str]]:
    """Run the life of a project, and return what a meter found of each command."""
    company = Company()
    company.fill(size)
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as home, served(company):
        folder = write_project(Path(home), URL, size)
        env = {**os.environ, **CREDENTIALS, "HOME": home, "NO_COLOR": "1", "RECONCILER_TRUST_HOSTS": "127.0.0.1:9"}
        env["RECONCILER_CACHE"] = "off"  # the same work in every run
        for name, arguments in life(folder, URL, size):
            with meter() as found[name]:
                done = run_in(folder, env, *arguments, *alone(arguments[0]))
            assert done.code in {0, 4}, (name, done)
    return found


def per_object(sizes: tuple[int, int], meter: Callable[[], Any]) -> dict[str, dict[str, float]]:
    """Return what each command adds for one object more."""
    counted(sizes[0], meter)  # imports and caches
    small, large = (counted(size, meter) for size in sizes)
    return {
        name: {what: (large[name][what] - number) / (sizes[1] - sizes[0]) for what, number in sums.items()}
        for name, sums in small.items()
    }
