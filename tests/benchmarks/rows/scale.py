"""Every command at growing sizes: how its time grows, and its peak of memory."""

from __future__ import annotations

from collections.abc import Iterator

from lab import Desk, Lab
from measuring import Line, Sample
from projects import life

MEMORY = {1_000: 150, 10_000: 150, 100_000: 1024}
"""The goal in MB, by size."""


def every_command(desk: Desk, size: int) -> Iterator[tuple[str, Sample]]:
    """Yield what each command cost."""
    desk.lab.server.control("latency/0")
    desk.lab.server.control(f"fill/{size}")
    for name, arguments in life(desk.folder, desk.lab.server.url, size):
        yield name, desk.run(*arguments, codes=(0, 4))


def growth(lab: Lab) -> Iterator[Line]:
    """Measure every command at each size."""
    taken: dict[str, dict[str, dict[int, Sample]]] = {}
    for size in lab.sizes:
        lives = {name: every_command(lab.desk(name, size, "life"), size) for name in lab.checkouts}
        for name, commands in lives.items():
            for command, sample in commands:
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
