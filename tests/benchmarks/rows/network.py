"""Plans over the network: against a bare client, and what they cost per object."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial

from lab import HERE, Desk, Lab
from measuring import Line, Sample, alternate, median, ratios, run
from projects import write_project_file

SIZE, LATENCY = 2_000, 20
CONNECTIONS = {10: 1.10, 50: 1.5, 100: 2.0}
"""The number of connections, and the goal."""


def plan(lab: Lab) -> Iterator[Line]:
    """Compare no-op plans with a bare client that sends the same requests."""
    desks = {name: lab.adopted(name, SIZE) for name in lab.checkouts}
    for desk in desks.values():
        desk.run("plan")
    paths = lab.folder / "paths.txt"
    paths.write_text("\n".join(path for _, path in desks["now"].calls("plan")), encoding="utf-8")
    for connections, goal in CONNECTIONS.items():
        for desk in desks.values():
            write_project_file(desk.folder, lab.server.url, connections)
        lab.server.control(f"latency/{LATENCY}")
        taken = alternate(
            {
                "bare client": partial(lab.script, "bare_client.py", lab.server.url, paths, connections),
                **{name: partial(desk.run, "plan") for name, desk in desks.items()},
            },
            lab.rounds,
        )
        lab.server.control("latency/0")
        yield Line(
            what=f"no-op plan of {SIZE:,} sessions at {LATENCY} ms, {connections} connections",
            unit="times a bare client",
            goal=goal,
            figures=ratios(taken, lab.checkouts, "bare client", "wall"),
            reference=f"{median(taken['bare client'], 'wall'):.2f} s",
            samples=taken,
        )


def cpu(lab: Lab) -> Iterator[Line]:
    """Measure the CPU time per object of a no-op plan, without start-up."""
    least = lab.plans(1)
    for size in lab.sizes[:2]:
        taken = lab.plans(size)
        yield Line(
            what=f"no-op plan of {size:,} sessions, CPU per object, network included",
            unit="ms",
            goal=0.8,
            figures={
                name: [(sample.cpu - median(least[name], "cpu")) / size * 1000 for sample in samples]
                for name, samples in taken.items()
            },
            reference="without start-up",
            samples=taken,
        )


def outside(lab: Lab) -> Iterator[Line]:
    """Compare what a plan computes, without its network, with loading its files."""
    for size in lab.sizes[:2]:
        desks = {name: lab.adopted(name, size) for name in lab.checkouts}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in desks}
        for _ in range(lab.rounds):
            for name, desk in desks.items():
                found[name].append(inside(desk))
        yield Line(
            what=f"no-op plan of {size:,} sessions, CPU outside the network",
            unit="times the YAML load",
            goal=2.0,
            figures={name: [each["plan"] / each["load"] for each in rounds] for name, rounds in found.items()},
            reference=f"{found['now'][0]['load']:.2f} s",
        )


def inside(desk: Desk) -> dict[str, float]:
    """Return the CPU seconds of the plan, and those of the YAML load, in one process."""
    out = desk.folder / "inside.json"
    command = [sys.executable, "-P", str(HERE / "inside.py"), desk.lab.server.url]
    run(command, desk.folder, desk.lab.env(desk.checkout), limit=desk.lab.limit, out=out)
    result: dict[str, float] = json.loads(out.read_text(encoding="utf-8"))
    return result


def target(lab: Lab) -> Iterator[Line]:
    """Compare a plan of one object of many with the plan of all."""
    size = lab.sizes[1]
    desks = {name: lab.adopted(name, size) for name in lab.checkouts}
    figures: dict[str, list[float]] = {}
    taken: dict[str, list[Sample]] = {}
    for name, desk in desks.items():
        each = alternate(
            {"one": partial(desk.run, "plan", "--target", "Session/class-000001"), "all": partial(desk.run, "plan")},
            lab.rounds,
        )
        figures |= ratios(each | {name: each["one"]}, [name], "all", "cpu")
        taken |= {name: each["one"], f"{name}, full plan": each["all"]}
    yield Line(
        what=f"--target one of {size:,}, CPU",
        unit="times the full plan",
        goal=0.3,
        figures=figures,
        reference=f"{median(taken['now, full plan'], 'cpu'):.2f} s",
        samples=taken,
    )


ROWS = {"plan": plan, "cpu": cpu, "outside": outside, "target": target}
