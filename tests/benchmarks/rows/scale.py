"""Every command at growing sizes: how its time grows, and its peak of memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lab import Desk, Lab
from measuring import Failed, Line, Sample
from projects import life

MEMORY = {1_000: 150, 10_000: 150, 100_000: 1024}
"""The goal in MB, by size."""


def every_command(desk: Desk, size: int) -> Iterator[tuple[str, Sample]]:
    """Yield what each command cost, up to one that fails or is stopped: those after it need what it did."""
    desk.lab.server.control("latency/0")
    desk.lab.server.control(f"fill/{size}")
    for name, arguments in life(desk.folder, desk.lab.server.url, size):
        try:
            sample = desk.run(*arguments, codes=(0, 4))
        except Failed as error:
            print(f"failed    {desk.checkout}, {size:,} objects: {error}", flush=True)  # noqa: T201
            return
        yield name, sample
        if not sample.ended:
            return


def growth(lab: Lab) -> Iterator[Line]:
    """Measure every command at each size."""
    taken: dict[str, dict[int, dict[str, Sample]]] = {}
    for size in lab.sizes:
        for checkout in lab.checkouts:
            for command, sample in every_command(lab.desk(checkout, size, "life"), size):
                taken.setdefault(command, {}).setdefault(size, {})[checkout] = sample
    for smaller, larger in zip(lab.sizes, lab.sizes[1:], strict=False):
        for command, found in taken.items():
            first, second = found.get(smaller, {}), found.get(larger, {})
            yield Line(
                what=f"{command}: CPU from {smaller:,} to {larger:,} objects",
                unit="times",
                goal=1.1 * larger / smaller,
                figures={
                    name: [sample.cpu / first[name].cpu] for name, sample in whole(second).items() if name in first
                },
                reference=", then ".join(f"{each['now'].cpu:.1f} s" for each in (first, second) if "now" in each),
                remark=stopped(second),
                samples={f"{name}, {larger}": [sample] for name, sample in second.items()},
            )
        for command, found in taken.items():
            second = found.get(larger, {})
            yield Line(
                what=f"{command}: peak of memory at {larger:,} objects",
                unit="MB",
                goal=MEMORY.get(larger, 1024),
                figures={name: [sample.rss] for name, sample in whole(second).items()},
                remark=stopped(second),
            )


def whole(found: Mapping[str, Sample]) -> dict[str, Sample]:
    """Return the samples of commands that ran to their end."""
    return {name: sample for name, sample in found.items() if sample.ended}


def stopped(found: Mapping[str, Sample]) -> str:
    """Say for which checkouts a command was stopped."""
    names = [name for name, sample in found.items() if not sample.ended]
    return f"{' and '.join(names)} stopped at the limit of time" if names else ""


ROWS = {"growth": growth}
