"""The ceilings of what does not depend on the machine, in limits.json: python tests/benchmarks/limits.py [WHAT...]

prints what is measured now, and lowers every ceiling that is higher. `--raise` sets those that are too low as well. A
WHAT is a table: modules, requests, commits, statements, calls, bytes. The last four are for one object more.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import in_memory
from request_counts import SIZE, table
from startup_imports import imports

FILE = Path(__file__).parent / "limits.json"
MARGINS = {"modules": 1.1, "requests": 1.0, "commits": 1.0, "statements": 1.0, "calls": 1.05, "bytes": 1.15}
"""How many times the ceiling may be found: other versions of Python and of packages import and call a little more."""

Table = Mapping[str, float]


def load() -> dict[str, Any]:
    """Return the ceilings."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def over(what: str, found: Table) -> list[str]:
    """Say which figures are over their ceilings; one without a ceiling is over."""
    limits = load()[what]
    return [
        f"{name}: {figure:g} {what}; the ceiling is {limits.get(name)}"
        for name, figure in found.items()
        if name not in limits or figure > limits[name] * MARGINS[what]
    ]


def comparable() -> bool:
    """Return whether calls and bytes can be compared: each version of Python has its own."""
    return bool(load()["python"] == ".".join(platform.python_version_tuple()[:2]))


def requests() -> Table:
    """Return how many requests of each command are more than the least."""
    return {name: sent - least for name, sent, least, _ in table(SIZE)}


def commits() -> Table:
    """Return the commits of each command."""
    return {name: sums["commits"] for name, sums in in_memory.per_object((2, 6), in_memory.statements).items()}


def statements() -> Table:
    """Return the statements of each command."""
    return {name: sums["statements"] for name, sums in in_memory.per_object((2, 6), in_memory.statements).items()}


def calls() -> Table:
    """Return the calls of functions of each command."""
    return {name: round(sums["calls"]) for name, sums in in_memory.per_object((10, 30), in_memory.calls).items()}


def allocated() -> Table:
    """Return the growth of the peak of what each command allocates."""
    return {name: round(sums["peak"]) for name, sums in in_memory.per_object((100, 300), in_memory.memory).items()}


def modules() -> Table:
    """Return how many modules each command imports."""
    return {name: number for name, (number, _) in imports().items()}


TABLES: dict[str, Callable[[], Table]] = {
    "modules": modules,
    "requests": requests,
    "commits": commits,
    "statements": statements,
    "calls": calls,
    "bytes": allocated,
}


def alone(what: str) -> Table:
    """Measure a table in a process of its own: what other tests left in caches would count as well."""
    code = f"import json, limits; print(json.dumps(limits.TABLES[{what!r}]()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=400, check=True
    )
    found: Table = json.loads(done.stdout)
    return found


def main(words: list[str]) -> None:
    """Print, and set the ceilings."""
    upwards = "--raise" in words
    wanted = [word for word in words if word in TABLES] or list(TABLES)
    kept = load() if FILE.exists() else {}
    kept["python"] = ".".join(platform.python_version_tuple()[:2])
    for what in wanted:
        found, before = TABLES[what](), kept.get(what, {})
        kept[what] = {
            name: figure if upwards else min(figure, before.get(name, figure)) for name, figure in found.items()
        }
        for name, figure in found.items():
            print(f"{what:<11}{name:<50}{before.get(name, '-'):>9} → {figure:g}")  # noqa: T201
    if "modules" in wanted:
        kept["packages"] = {name: packages for name, (_, packages) in imports().items()}
    FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
