"""The long chaos run of `make chaos`: bounded in time, seeded, and it prints what it came to.

CHAOS_SECONDS bounds it (600), CHAOS_KILLS says how many kills -9 there are to be (200), CHAOS_SEED starts the
seeds (a fresh one otherwise), CHAOS_LANES how many towns are under attack at once (3).
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from chaos_kills import Campaign, Figures

KILLS_EACH = 10


def main() -> int:
    """Run, print the figures, and return 1 where anything was doubled, lost, left behind or not settled."""
    seconds, kills = float(os.environ.get("CHAOS_SECONDS", "600")), int(os.environ.get("CHAOS_KILLS", "200"))
    seed = int(os.environ.get("CHAOS_SEED") or time.time_ns() % 1_000_000)
    deadline = time.monotonic() + seconds
    _say(f"chaos: seed {seed}, {kills} kills, at most {seconds:g} s")
    figures = _kills(seed, kills, deadline, lanes=int(os.environ.get("CHAOS_LANES", "3")))
    _say(str(figures))
    if not figures.spotless:
        _say("replay one town: CHAOS_LANES=1 CHAOS_KILLS=10 CHAOS_SEED=<its seed> make chaos")
    return 0 if figures.spotless else 1


def _kills(seed: int, kills: int, deadline: float, *, lanes: int) -> Figures:
    total = Figures()

    def one(number: int) -> Figures | None:
        if time.monotonic() > deadline:
            return None
        return Campaign(seed=seed + number, kills=KILLS_EACH).run()

    with ThreadPoolExecutor(lanes) as pool:
        for done in pool.map(one, range((kills + KILLS_EACH - 1) // KILLS_EACH)):
            if done is not None:
                total.add(done)
                _say(f"  {total.kills.total()} kills, {'spotless' if total.spotless else 'NOT spotless'}")
    return total


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
