"""What a no-op plan costs without its network: python inside.py SERVER-URL, in a project whose objects are live.

The answers are kept in memory, and the HTTP client of the checkout is replaced. Prints CPU seconds as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml

from reconciler.cli.main import run
from reconciler.providers.answer import Answer
from reconciler.providers.http import HttpClient


def prepared(url: str) -> Callable[..., Answer]:
    """Return what stands in for HttpClient.get, with every answer in memory."""
    kept: dict[str, Answer] = {}

    def get(_client: HttpClient, path: str, *_: Any, **__: Any) -> Answer:
        if path not in kept:
            with urlopen(url + path, timeout=60) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                kept[path] = Answer(status=200, headers=headers, body=answer.read(), url_path=path)
        return kept[path]

    return get


def spent(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def plan() -> None:
    """Plan, and prove that there is nothing to do."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = run(["plan", "--detailed-exitcode", "--parallelism", "1"])
    assert code == 0, out.getvalue()


def load() -> None:
    """Load every manifest as YAML."""
    for file in sorted(Path("manifests").glob("*.yaml")):
        yaml.load(file.read_bytes(), yaml.CSafeLoader)


HttpClient.get = prepared(sys.argv[1])  # type: ignore[method-assign]
HttpClient.gather = lambda _client, function, items: [function(item) for item in items]  # type: ignore[method-assign]
plan()  # imports, answers
print(json.dumps({"load": spent(load), "plan": spent(plan)}))  # noqa: T201
