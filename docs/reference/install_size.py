#!/usr/bin/env python3
"""Print what each installed dependency weighs, as a table: size on disk, and the CPU time that its import takes.

python docs/reference/install_size.py    with the Python of an environment with the wheel in it
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "booking-reconciler"
ROUNDS = 5
INSIDE = {"lxml": "lxml.etree", "ruamel": "ruamel.yaml"}
"""What is imported of a package that is empty itself."""


def needed(name: str, extras: frozenset[str] = frozenset({"sandbox", "postgres"})) -> dict[str, metadata.Distribution]:
    """Return a distribution with all that it needs and that is installed here."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [name]
    while waiting:
        each = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            distribution = metadata.distribution(each)
        except metadata.PackageNotFoundError:  # for another platform, or an extra that is not installed
            continue
        if each not in found:
            found[each] = distribution
            for line in distribution.requires or ():
                extra = re.search(r"extra == ['\"](\w+)", line)
                if extra is None or (each == name and extra[1] in extras) or (extra[1], each) == ("binary", "psycopg"):
                    waiting.append(re.split(r"[^\w.-]", line)[0])
    return found


def megabytes(distribution: metadata.Distribution) -> float:
    """Return the size of its files, without compiled modules of Python."""
    files = (str(distribution.locate_file(file)) for file in distribution.files or () if file.suffix != ".pyc")
    return sum(file.stat().st_size for file in map(Path, files) if file.exists()) / 1_000_000


def modules(distributions: Mapping[str, metadata.Distribution]) -> dict[str, str]:
    """Return the main module of each distribution."""
    tops: dict[str, list[str]] = {}
    for module, owners in metadata.packages_distributions().items():
        for owner in owners:
            tops.setdefault(re.sub(r"[-_.]+", "-", owner).lower(), []).append(module)
    alike = {name: [top for top in tops.get(name, ()) if not top.startswith("_")] for name in distributions}
    main = {name: min(found, key=lambda top: (top.lower() != name, len(top))) for name, found in alike.items() if found}
    return {name: INSIDE.get(module, module) for name, module in main.items()}


def milliseconds(code: str) -> float | None:
    """Return the CPU time of a new interpreter that runs some code, the best of several; None if the code fails."""
    times = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 - this interpreter
        if done.returncode:
            return None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times) * 1000


def main() -> None:
    """Print the table, the largest first."""
    found = needed(DISTRIBUTION)
    names, bare = modules(found), milliseconds("pass") or 0
    sizes = {name: megabytes(distribution) for name, distribution in found.items()}
    lines = ["| Package | MB | Import, ms |", "| --- | --- | --- |"]
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        cost = milliseconds(f"import {names[name]}") if name in names else None
        lines.append(f"| `{name}` | {size:.1f} | {'' if cost is None else f'{max(0, cost - bare):.0f}'} |")
    sys.stdout.write("\n".join([*lines, f"| together | {sum(sizes.values()):.1f} | |", ""]))


if __name__ == "__main__":
    main()
