"""The long chaos run of `make chaos`: bounded in time, seeded, and it prints what it came to.

CHAOS_SECONDS bounds it (600); CHAOS_KILLS says how many kills -9 the kill suite is to make (200, 0 for none) and
CHAOS_LANES in how many towns at once (3); CHAOS_SEED is the first seed (a fresh one otherwise).
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
    total = Figures()
    lanes = int(os.environ.get("CHAOS_LANES", "3"))
    killing = threading.Thread(target=_kills, args=(total, seed, kills, deadline, lanes))
    killing.start()
    broken = _storms(seed, deadline)
    killing.join()
    _say(f"\nState machine\n{FIGURES}\n{broken or 'every example came to what is declared'}")
    if kills:
        _say(f"\nKill suite\n{total}")
    if not total.spotless:
        _say("replay one town: CHAOS_SECONDS=1 CHAOS_LANES=1 CHAOS_KILLS=10 CHAOS_SEED=<its seed> make chaos")
    return 1 if broken or not total.spotless else 0


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


def _kills(total: Figures, seed: int, kills: int, deadline: float, lanes: int) -> None:
    """Have towns attacked in processes of their own: a run in this process takes its output and folder for itself."""
    jobs = [(seed + number, deadline) for number in range((kills + KILLS_EACH - 1) // KILLS_EACH)]
    with ProcessPoolExecutor(lanes, mp_context=get_context("spawn")) as pool:
        for done in pool.map(_town, jobs):
            total.add(done)
            _say(f"  {total.kills.total()} kills, {'spotless' if total.spotless else 'NOT spotless'}")


def _town(job: tuple[int, float]) -> Figures:
    seed, deadline = job
    return Campaign(seed=seed, kills=KILLS_EACH).run() if time.monotonic() < deadline else Figures()


def _say(words: str) -> None:
    stdout = sys.__stdout__ or sys.stdout
    stdout.write(words + "\n")
    stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
