"""Applies: CPU per object, time against the ideal, and what the durable record costs."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Iterator

from lab import HERE, Desk, Lab
from measuring import Line, Sample, median, run
from projects import write_project
from state_costs import BARE

SIZE, LATENCY = 1_000, 20
WORKERS = (8, 32)
ALL = ("--yes", "--allow-booked", "*")
RECORDS = {"SQLite": 1.0, "PostgreSQL": 3.0}


def lives(desk: Desk, taken: dict[str, list[Sample]], connections: int) -> None:
    """Create, update and destroy every object once."""
    desk.lab.server.control("fill/0")
    write_project(desk.folder, desk.lab.server.url, SIZE, connections=connections)
    many = (*ALL, "--parallelism", str(connections))
    taken.setdefault("create", []).append(desk.run("apply", *many))
    write_project(desk.folder, desk.lab.server.url, SIZE, price="8.5", connections=connections)
    taken.setdefault("update", []).append(desk.run("apply", *many))
    taken.setdefault("destroy", []).append(desk.run("destroy", *many))


def apply(lab: Lab) -> Iterator[Line]:
    """Measure the CPU time per object, without start-up, and the time at a latency."""
    desks = {name: lab.desk(name, SIZE, "applied") for name in lab.checkouts}
    least = lab.plans(1)
    for workers in (None, *WORKERS):
        lab.server.control(f"latency/{LATENCY if workers else 0}")
        taken: dict[str, dict[str, list[Sample]]] = {name: {} for name in desks}
        for _ in range(lab.rounds):
            for name, desk in desks.items():
                lives(desk, taken[name], workers or WORKERS[0])
        lab.server.control("latency/0")
        for verb in taken["now"]:
            samples = {name: each[verb] for name, each in taken.items()}
            if workers is None:
                yield Line(
                    what=f"{verb} of {SIZE:,} sessions on SQLite, CPU per object",
                    unit="ms",
                    goal=4.0,
                    figures={
                        name: [(each.cpu - median(least[name], "cpu")) / SIZE * 1000 for each in found]
                        for name, found in samples.items()
                    },
                    reference="without start-up",
                    samples=samples,
                )
            else:
                ideals = {name: each[0].requests * LATENCY / 1000 / workers for name, each in samples.items()}
                yield Line(
                    what=f"{verb} of {SIZE:,} sessions at {LATENCY} ms, {workers} workers",
                    unit="times the ideal",
                    goal=1.3,
                    figures={name: [each.wall / ideals[name] for each in found] for name, found in samples.items()},
                    reference=f"{ideals['now']:.2f} s; start-up and plan included",
                    samples=samples,
                )


def record(lab: Lab) -> Iterator[Line]:
    """Measure what the state adds to one writing call: the intent before it, and the record after it."""
    found: dict[str, dict[str, list[float]]] = {}
    bare: dict[str, list[float]] = {}
    out = lab.folder / "state.json"
    for name in lab.checkouts:
        env = lab.env(name) | {key: os.environ[key] for key in ("RECONCILER_TEST_POSTGRES",) if key in os.environ}
        run([sys.executable, "-P", str(HERE / "state_costs.py"), "--json"], lab.folder, env, out=out)
        costs = json.loads(out.read_text(encoding="utf-8"))
        bare = costs[BARE]
        for state, milliseconds in costs["a change, one at a time"].items():
            found.setdefault(state, {})[name] = milliseconds
    for state, goal in RECORDS.items():
        yield Line(
            what=f"durable record over the call, {state}",
            unit="ms",
            goal=goal,
            figures=found.get(state, {}),
            reference=f"two bare commits: {statistics.median(bare[state]):.2f} ms" if state in bare else "",
            remark="" if state in found else "RECONCILER_TEST_POSTGRES names no server",
        )


ROWS = {"apply": apply, "record": record}
