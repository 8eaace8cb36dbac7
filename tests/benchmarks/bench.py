"""Measure every goal beside its reference, in one run: make bench, or python tests/benchmarks/bench.py [ROW...]

    --against CHECKOUT   measure another checkout as well, in turns
    --rounds N           how often each is measured (3)
    --sizes N,N,...      numbers of objects (1000,10000); add 100000 for the largest
    --limit SECONDS      stop a command that takes longer (300)

    --record FILE...     keep the medians of these files, runs of this command, for the page of the documentation

A ROW is a word of `ROWS`. The table shows medians; build/bench.json has every sample.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import ROOT, Lab, Server
from measuring import Failed, Line
from rows import applying, counts, network, offline, peers, scale

ROWS = {
    **offline.ROWS,
    **network.ROWS,
    **peers.ROWS,
    **counts.ROWS,
    **applying.ROWS,
    **scale.ROWS,
}
OUT = ROOT / "build" / "bench.json"
RECORDED = Path(__file__).parent / "recorded.json"
ABOUT_RUN = ("date", "machine", "python", "commits", "rounds", "seconds")


def commit(checkout: Path) -> str:
    """Return the commit of a checkout; `+` if files differ from it."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--abbrev=8", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or "unknown"


def machine() -> dict[str, Any]:
    """Describe the machine."""
    cpus = [
        line.partition(":")[2].strip() for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")
    ]
    return {
        "system": platform.platform(),
        "processor": cpus[0] if cpus else platform.machine(),
        "cores": os.cpu_count(),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def as_json(lines: list[Line], lab: Lab, seconds: float) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "python": platform.python_version(),
        "commits": {name: commit(path) for name, path in lab.checkouts.items()},
        "rounds": lab.rounds,
        "seconds": round(seconds),
        "lines": [{**dataclasses.asdict(line), "median": line.figure(), "verdict": line.verdict} for line in lines],
    }


def show(line: Line) -> None:
    """Print one line of the table."""

    def cell(name: str) -> str:
        figures = line.figures.get(name)
        if not figures:
            return "-"
        spread = f" ({min(figures):.2f}–{max(figures):.2f})" if len(figures) > 1 else ""
        return f"{line.figure(name):.2f}{spread}"

    goal = f"≤ {line.goal:.4g} {line.unit}"
    remark = "; ".join(filter(None, (line.reference, line.remark)))
    before = f"before {cell('before')}" if line.figures.get("before") else ""
    cells = (line.verdict.ljust(8), line.what.ljust(62), cell("now").rjust(18), goal.ljust(31), before, remark)
    print(*cells, sep="  ", flush=True)  # noqa: T201


def record(files: list[Path]) -> None:
    """Keep the medians of several runs, and write the page that shows them."""
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    lines: dict[str, dict[str, Any]] = {}
    for run in runs:
        for line in run["lines"]:
            about = {key: line[key] for key in ("row", "what", "unit", "goal", "reference", "remark")}
            kept = lines.setdefault(line["what"], {**about, "now": [], "before": []})
            for checkout, figures in line["figures"].items():
                kept[checkout].append(round(statistics.median(figures), 4))
    order = list(ROWS)
    found = {
        "runs": [{key: run[key] for key in ABOUT_RUN} for run in runs],
        "lines": sorted(lines.values(), key=lambda line: order.index(line["row"])),
    }
    RECORDED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, ROOT / "docs" / "reference" / "generate.py"], check=True, timeout=300)


def main(words: list[str]) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--record", type=Path, nargs="+", metavar="FILE")
    given = parser.parse_args(words)
    if given.record:
        record(given.record)
        return
    if unknown := set(given.rows) - ROWS.keys():
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    checkouts = {"now": ROOT} | ({"before": given.against.resolve()} if given.against else {})
    began = time.monotonic()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Server() as server:
        lab = Lab(
            folder=Path(folder),
            server=server,
            checkouts=checkouts,
            rounds=given.rounds,
            limit=given.limit,
            sizes=tuple(int(size) for size in given.sizes.split(",")),
        )
        for name in given.rows or ROWS:
            try:
                for line in ROWS[name](lab):
                    line.row = name
                    lines.append(line)
                    show(line)
            except Failed as error:
                print(f"failed       {name}: {error}", flush=True)  # noqa: T201
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(as_json(lines, lab, time.monotonic() - began), indent=1), encoding="utf-8")
    print(f"{OUT}: {time.monotonic() - began:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
