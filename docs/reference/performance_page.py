"""Generate the page of the benchmarks from the figures that `tests/benchmarks/bench.py --record` kept."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from wording import prose, table

RECORDED = Path(__file__).resolve().parents[2] / "tests" / "benchmarks" / "recorded.json"

ABOUT = """
What reconciler costs, and the goal of each figure. Most figures are ratios to something that was measured in the same
run: times depend on the machine, ratios much less.
"""
REPEAT = """
<!-- not-run: takes minutes -->
```console
$ make bench
$ make bench ARGS="start-up plan"
$ make bench ARGS="--against ../other-checkout"
$ make bench ARGS="growth --sizes 1000,10000,100000 --limit 3600"
```
"""
REPEATING = """
The first command takes a quarter of an hour on two idle cores, and uses less than 2 GB of disk in the folder for
temporary files. The others measure some rows, another checkout in turns with this one, and a hundred times as many
objects. Nothing leaves the machine, but pip installs octodns once, in `build/octodns`. Each line is printed when it
is measured, with the least and the most of its rounds; `build/bench.json` keeps every sample.

`python tests/benchmarks/bench.py --record FILE…` keeps the medians of these files, which are several runs of the
command, and writes this page again.
"""
HOW = """
Each command is a separate process. Its time, its CPU time (user and system) and its peak of memory are those that the
system reports of it. The commands that are compared run in turns, so that a slow moment meets all of them.

The server is a process too. It answers as the sandbox does, byte for byte, which a test proves, and waits as long as a
row says before each answer. It counts the requests.

A bare client is one that sends the same requests over the same number of connections with asyncio, and keeps nothing.
The YAML load is `yaml.load` with libyaml's `CSafeLoader` of the same files, and nothing else. A bare interpreter is
`python -c pass`. The ideal time of an apply is the number of its requests times the latency,
shared by the workers.

The objects are sessions of 20 lines, one in each file. Requests are counted for all kinds. Figures of
terraform are recorded: its plan of as many objects, on a machine of two cores too.
"""
GUARDS = """
The tests guard what does not depend on the machine, in `tests/benchmarks/test_limits.py`: the requests of every
command, commits and statements, imported modules, calls of functions and memory for each object. The ceilings are in
`limits.json`; `python tests/benchmarks/limits.py` lowers them after the work became less. `test_exponents.py` measures
each stage at four sizes and fails where its time grows with the square.
"""
TITLES = {
    "start-up": "Start-up",
    "validate": "Validate",
    "plan": "Plan over the network",
    "cpu": "CPU of a plan",
    "outside": "CPU of a plan outside the network",
    "target": "One object of many",
    "octodns": "Beside octodns",
    "terraform": "Beside terraform",
    "requests": "Requests",
    "render": "Rendering",
    "apply": "Apply",
    "record": "Durable record",
    "growth": "Growth, and memory",
}


def performance_page() -> list[str]:
    """Describe the figures, and how to repeat them."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    lines = ["# Performance", "", *prose(ABOUT), "## Repeat the measurements", ""]
    lines += [*REPEAT.strip().splitlines(), "", *prose(REPEATING), *prose(HOW), *prose(GUARDS)]
    return [*lines, *results(recorded)] if recorded["runs"] else lines


def results(recorded: Mapping[str, Any]) -> Iterator[str]:
    """Yield the recorded tables."""
    first = recorded["runs"][0]
    machine = first["machine"]
    days = sorted({run["date"][:10] for run in recorded["runs"]})
    before = first["commits"].get("before")
    yield from ("## Recorded figures", "")
    yield from prose(
        f"Runs: {len(recorded['runs'])}, on {' and '.join(days)}, on {machine['cores']} cores "
        f"({machine['processor']}), Python {first['python']}, commit {first['commits']['now']}"
        f"{f', beside commit {before} in the same runs' if before else ''}. Each figure is the median, and in brackets "
        "the least and the most of the runs."
    )
    for row, lines in groupby(recorded["lines"], key=lambda line: line["row"]):
        yield from (f"### {TITLES[row]}", "")
        heads = ("What", "Goal", "Figure", *(("Before",) if before else ()), "Unit", "Reference", "Goal met")
        yield from table(heads, [cells(line, before=before is not None) for line in lines])


def cells(line: Mapping[str, Any], *, before: bool) -> list[str]:
    """Return the cells of one line."""
    figures = [shown(line["now"]), *([shown(line["before"])] if before else [])]
    notes = "; ".join(filter(None, (line["reference"], line["remark"])))
    met = "" if not line["now"] else "yes" if median(line["now"]) <= line["goal"] else "no"
    return [line["what"], f"≤ {line['goal']:.4g}", *figures, line["unit"], notes, met]


def shown(figures: Sequence[float]) -> str:
    """Return a median with its spread."""
    if not figures:
        return ""
    spread = f" ({min(figures):.3g}–{max(figures):.3g})" if min(figures) < max(figures) else ""
    return f"{median(figures):.3g}{spread}"
