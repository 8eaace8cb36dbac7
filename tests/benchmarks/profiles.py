"""Where the time of five commands goes: python tests/benchmarks/profiles.py [--against CHECKOUT]

The ten functions with the most CPU time of their own, in all threads, for 1,000 sessions that all exist and
are managed, and for the same sessions created. The profiler slows calls of Python functions most, so that its shares
say where to look, and `make bench` what was gained.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab import ROOT, Desk, Lab, Server
from measuring import run

SIZE, TOP = 1_000, 10
COMMANDS = {
    "validate": ("validate",),
    "plan": ("plan",),
    "drift": ("drift",),
    "export": ("export", "--out", "exported", "--force", "--quiet"),
    "apply": ("apply", "--yes"),
}
PROFILED = """
import cProfile, pstats, sys, threading, time
profiles, run = [], threading.Thread.run
def profiled(self):
    profile = cProfile.Profile(time.thread_time)
    profiles.append(profile)
    profile.runcall(run, self)
threading.Thread.run = profiled
sys.argv[0] = "reconciler"
from reconciler.cli.main import run as command
main = cProfile.Profile(time.thread_time)
main.runcall(command, sys.argv[1:])
stats = pstats.Stats(main)
for each in profiles:
    stats.add(each)
rows = sorted(((own, calls, name) for name, (_, calls, own, _, _) in stats.stats.items()), reverse=True)
total = sum(own for own, _, _ in rows)
for own, calls, (file, line, name) in rows[:TOP]:
    place = "/".join(file.split("/")[-2:]) if line else "built in"
    print(f"  {own:6.3f} s {own / total:5.1%} {calls:>9,}  {name} ({place})", file=sys.stderr)
print(f"  {total:6.3f} s in all", file=sys.stderr)
"""


def show(desk: Desk, arguments: Sequence[str]) -> None:
    """Run one command under the profiler, and print what it costs."""
    code = PROFILED.replace("TOP", str(TOP))
    run([sys.executable, "-P", "-c", code, *arguments], desk.folder, desk.lab.env(desk.checkout), codes=(0, 2))
    print((desk.folder / "stderr.txt").read_text(encoding="utf-8"), flush=True)  # noqa: T201


def main() -> None:
    """Print the profiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    against = parser.parse_args().against
    checkouts = {**({"before": against.resolve()} if against else {}), "now": ROOT}
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        lab = Lab(folder=Path(folder), server=server, checkouts=checkouts)
        for name, arguments in COMMANDS.items():
            for checkout in checkouts:
                desk = lab.adopted(checkout, SIZE)
                if name == "apply":
                    server.control("fill/0")
                    desk = lab.desk(checkout, SIZE, "applied")
                print(f"{name}, {checkout}: CPU seconds without what it calls, share, calls")  # noqa: T201
                show(desk, arguments)


if __name__ == "__main__":
    main()
