"""Where the benchmarks run: checkouts, their projects, and the lean server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

from measuring import Failed, Sample, alternate, run
from projects import CREDENTIALS, write_project

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MAIN = "import sys; from reconciler.__main__ import main; sys.argv[0] = 'reconciler'; main()"
"""What the installed command runs."""


class Server(AbstractContextManager["Server"]):
    """The lean server, in a process of its own."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "lean_server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def control(self, path: str, method: str = "POST") -> Any:
        """Send a control call, and return its answer."""
        with urlopen(Request(f"{self.url}/_bench/{path}", method=method), timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def calls(self) -> list[list[str]]:
        """Return the calls since the last look: method and path."""
        found: list[list[str]] = self.control("log", "GET")
        return found


@dataclass(frozen=True, slots=True)
class Desk:
    """One project of one checkout."""

    lab: Lab
    checkout: str
    folder: Path

    def run(self, *arguments: str, codes: Sequence[int] = (0,), more: Mapping[str, str] | None = None) -> Sample:
        """Run the command line in a process, and return what it cost, with the number of its requests."""
        self.lab.server.calls()
        command = [sys.executable, "-P", "-c", MAIN, *arguments]
        env = {**self.lab.env(self.checkout), **(more or {})}
        sample = run(command, self.folder, env, codes=codes, limit=self.lab.limit)
        return replace(sample, requests=len(self.lab.server.calls()))

    def calls(self, *arguments: str) -> list[list[str]]:
        """Run the command line, and return its calls: method and path."""
        self.lab.server.calls()
        run([sys.executable, "-P", "-c", MAIN, *arguments], self.folder, self.lab.env(self.checkout))
        return self.lab.server.calls()


@dataclass(slots=True, kw_only=True)
class Lab:
    """What every row needs."""

    folder: Path
    server: Server
    checkouts: dict[str, Path]
    """`now`, and perhaps `before`."""
    rounds: int = 3
    limit: float = 300
    sizes: tuple[int, ...] = (1_000, 10_000)
    _ready: dict[tuple[str, str], Desk] = field(default_factory=dict)
    _plans: dict[int, dict[str, list[Sample]]] = field(default_factory=dict)

    def env(self, checkout: str) -> dict[str, str]:
        """Return the variables of a checkout's processes; each has a home and a cache of its own."""
        home = self.folder / checkout / "home"
        home.mkdir(parents=True, exist_ok=True)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("RECONCILER", "PYTHON", "XDG"))
        }
        return {
            **kept,
            **CREDENTIALS,
            "HOME": str(home),
            "NO_COLOR": "1",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": str(self.checkouts[checkout]),
            "RECONCILER_TRUST_HOSTS": self.server.url.removeprefix("http://"),
        }

    def desk(self, checkout: str, size: int, name: str = "") -> Desk:
        """Return a new project of `size` sessions without a state."""
        folder = self.folder / checkout / f"{name or 'project'}-{size}"
        if folder.exists():
            shutil.rmtree(folder)
        return Desk(self, checkout, write_project(folder, self.server.url, size))

    def adopted(self, checkout: str, size: int) -> Desk:
        """Return a project whose sessions are all live and managed, made once."""
        self.server.control("latency/0")
        self.server.control(f"fill/{size}")
        key = (checkout, f"adopted-{size}")
        if key not in self._ready:
            desk = self.desk(checkout, size, "adopted")
            if not desk.run("adopt", "--all").ended:
                raise Failed(f"adopt --all of {size:,} objects was stopped at the limit of time")
            self._ready[key] = desk
        return self._ready[key]

    def plans(self, size: int) -> dict[str, list[Sample]]:
        """Return what no-op plans cost, for the rows that compare them with something that is not measured."""
        if size not in self._plans:
            desks = {name: self.adopted(name, size) for name in self.checkouts}
            self._plans[size] = alternate(
                {name: partial(desk.run, "plan") for name, desk in desks.items()}, self.rounds
            )
        return self._plans[size]

    def script(self, script: str, *arguments: object) -> Sample:
        """Run a script of this folder that needs no checkout."""
        command = [sys.executable, "-P", str(HERE / script), *map(str, arguments)]
        return run(command, self.folder, self.env("now"), limit=self.limit)

    def python(self, *arguments: str) -> Sample:
        """Run a bare interpreter."""
        return run([sys.executable, *arguments], self.folder, self.env("now"), limit=self.limit)
