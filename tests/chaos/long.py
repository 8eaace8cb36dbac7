"""The long chaos run of `make chaos`: bounded in time, seeded, and it prints what it came to.

CHAOS_SECONDS bounds it (600); CHAOS_KILLS says how many kills -9 the kill suite is to make (200, 0 for none), half of
them with a state in Git (CHAOS_GIT=1 or 0: all or none), and CHAOS_LANES in how many towns at once (3); CHAOS_SEED is
the first seed (a fresh one otherwise).
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from chaos_kills import Campaign, Figures
from chaos_machine import FIGURES, storm

KILLS_EACH = 10
EXAMPLES_EACH = 20
STEPS = 8


def main() -> int:
    """Run both suites side by side, print the figures, and return 1 where anything went wrong."""
    seconds, kills = float(os.environ.get("CHAOS_SECONDS", "600")), int(os.environ.get("CHAOS_KILLS", "200"))
    seed = int(os.environ.get("CHAOS_SEED") or time.time_ns() % 1_000_000)
    deadline = time.monotonic() + seconds
    _say(f"chaos: seed {seed}, {kills} kills, at most {seconds:g} s and what is then under way")
    files, branches = Figures(), Figures()
    lanes = int(os.environ.get("CHAOS_LANES", "3"))
    killing = threading.Thread(target=_kills, args=((files, branches), seed, kills, deadline, lanes))
    killing.start()
    broken = _storms(seed, deadline)
    killing.join()
    _say(f"\nState machine\n{FIGURES}\n{broken or 'every example came to what is declared'}")
    for name, total in (("a file", files), ("Git", branches)):
        if total.kills:
            _say(f"\nKill suite, state in {name}\n{total}")
    spotless = files.spotless and branches.spotless
    if not spotless:
        _say("replay one town: CHAOS_SECONDS=1 CHAOS_LANES=1 CHAOS_KILLS=10 CHAOS_SEED=<its seed> make chaos")
    return 1 if broken or not spotless else 0


def _storms(seed: int, deadline: float) -> str:
    """Run storm after storm until the time is over; return what broke, with how to replay it."""
    broken: list[str] = []
    while time.monotonic() < deadline:
        try:
            storm(seed, examples=EXAMPLES_EACH, steps=STEPS, kills=1)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest goes on and the seed is told
            traceback.print_exc()
            broken.append(f"BROKEN: {error}\nreplay: CHAOS_SECONDS=1 CHAOS_KILLS=0 CHAOS_SEED={seed} make chaos")
        seed += 1
    return "\n".join(broken)


def _kills(totals: tuple[Figures, Figures], seed: int, kills: int, deadline: float, lanes: int) -> None:
    """Have towns attacked in processes of their own: a run in this process takes its output and folder for itself."""
    asked = os.environ.get("CHAOS_GIT")
    jobs = [
        (seed + number, deadline, bool(number % 2) if asked is None else asked == "1")
        for number in range((kills + KILLS_EACH - 1) // KILLS_EACH)
    ]
    with ProcessPoolExecutor(lanes, mp_context=get_context("spawn")) as pool:
        for (_, _, git), done in zip(jobs, pool.map(_town, jobs), strict=True):
            totals[git].add(done)
            made = sum(total.kills.total() for total in totals)
            _say(f"  {made} kills, {'spotless' if all(total.spotless for total in totals) else 'NOT spotless'}")


def _town(job: tuple[int, float, bool]) -> Figures:
    seed, deadline, git = job
    return Campaign(seed=seed, kills=KILLS_EACH, git=git).run() if time.monotonic() < deadline else Figures()


def _say(words: str) -> None:
    stdout = sys.__stdout__ or sys.stdout
    stdout.write(words + "\n")
    stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
