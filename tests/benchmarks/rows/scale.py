"""Every command at growing sizes: how its time grows, and its peak of memory."""

from __future__ import annotations

from collections.abc import Iterator

from lab import Desk, Lab
from measuring import Line, Sample
from projects import write_project

FORMATS = ("text", "json", "markdown", "html")
ALL = ("--allow-booked", "*")
MEMORY = {1_000: 150, 10_000: 150, 100_000: 1024}
"""The goal in MB, by size."""


def every_command(desk: Desk, size: int) -> Iterator[tuple[str, Sample]]:
    """Run the life of a project of `size` sessions, and yield what each command cost."""
    server = desk.lab.server
    saved = desk.folder / "saved.plan"
    server.control("latency/0")
    server.control(f"fill/{size}")
    yield "validate", desk.run("validate")
    yield "plan before adopt", desk.run("plan", codes=(0, 4))
    yield "adopt --all", desk.run("adopt", "--all")
    for form in FORMATS:
        yield f"plan, no-op, {form}", desk.run("plan", "--format", form)
    for form in FORMATS:
        yield f"drift, {form}", desk.run("drift", "--format", form)
    yield "export", desk.run("export", "--out", "exported", "--force")
    write_project(desk.folder, server.url, size, price="8.5")
    yield "plan, all changed", desk.run("plan", *ALL)
    yield "apply, update", desk.run("apply", "--yes", *ALL)
    yield "destroy", desk.run("destroy", "--yes", *ALL)
    for form in FORMATS:
        yield (
            f"plan, all new, {form}",
            desk.run("plan", "--format", form, *(["--out", "saved.plan"] if form == "text" else [])),
        )
    for form in FORMATS:
        yield f"show, {form}", desk.run("show", saved.name, "--format", form)
    yield "apply, create", desk.run("apply", "--yes", "saved.plan")


def growth(lab: Lab) -> Iterator[Line]:
    """Measure every command at each size."""
    taken: dict[str, dict[str, dict[int, Sample]]] = {}
    for size in lab.sizes:
        lives = {name: every_command(lab.desk(name, size, "life"), size) for name in lab.checkouts}
        for name, life in lives.items():
            for command, sample in life:
                taken.setdefault(command, {}).setdefault(name, {})[size] = sample
    for command, found in taken.items():
        for smaller, larger in zip(lab.sizes, lab.sizes[1:], strict=False):
            step = larger / smaller
            yield Line(
                what=f"{command}: CPU from {smaller:,} to {larger:,} objects",
                unit="times",
                goal=1.1 * step,
                figures={name: [each[larger].cpu / each[smaller].cpu] for name, each in found.items()},
                reference=f"{found['now'][larger].cpu:.1f} s",
                remark=stopped(found["now"][larger]),
                samples={name: list(each.values()) for name, each in found.items()},
            )
    for size in lab.sizes[1:]:
        for command, found in taken.items():
            yield Line(
                what=f"{command}: peak of memory at {size:,} objects",
                unit="MB",
                goal=MEMORY.get(size, 1024),
                figures={name: [each[size].rss] for name, each in found.items()},
                remark=stopped(found["now"][size]),
            )


def stopped(sample: Sample) -> str:
    """Say that a command was stopped."""
    return "" if sample.ended else "stopped at the limit"


ROWS = {"growth": growth}
