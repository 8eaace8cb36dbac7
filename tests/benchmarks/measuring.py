"""Measure commands side by side: what each costs as a process of its own, in turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process cost, with the processes that it waited for."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system."""
    rss: float
    """The peak of resident memory, in MB."""
    requests: int = 0
    ended: bool = True
    """False: it was stopped at the limit of time, so that the true figures are larger."""


class Failed(Exception):
    """A measured command ended with another exit code than expected."""


_STARTER = """
import json, os, signal, sys, time
stopped = []
def stop(*_):
    stopped.append(os.kill(process, signal.SIGKILL))
signal.signal(signal.SIGALRM, stop)
began = time.perf_counter()
process = os.posix_spawnp(sys.argv[3], sys.argv[3:], os.environ)
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
_, status, used = os.wait4(process, 0)
wall = time.perf_counter() - began
figures = [wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), not stopped, *figures], file)
"""
"""Starts the command that is measured: the peak of memory of a process is never less than that of its parent."""


def run(
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    *,
    codes: Sequence[int] = (0,),
    limit: float = 600,
    out: Path | None = None,
) -> Sample:
    """Run a command, and return what it cost."""
    errors, used = folder / "stderr.txt", folder / "used.json"
    started = [sys.executable, "-I", "-S", "-c", _STARTER, str(used), str(limit), *command]
    with (out or Path(os.devnull)).open("wb") as stdout, errors.open("wb") as stderr:
        subprocess.run(started, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, check=True)
    code, ended, *figures = json.loads(used.read_text(encoding="utf-8"))
    if code not in codes and ended:
        words = errors.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise Failed(f"{' '.join(command[-8:])}: exit code {code}\n{words}")
    return Sample(*figures, ended=ended)


def alternate(contenders: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Measure contenders in turns, so that a slow moment of the machine meets all of them."""
    taken: dict[str, list[Sample]] = {name: [] for name in contenders}
    for turn in range(rounds):
        names = list(contenders) if turn % 2 == 0 else list(reversed(contenders))
        for name in names:
            taken[name].append(contenders[name]())
    return taken


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of the table: a figure of each checkout, which a goal limits."""

    what: str
    unit: str
    goal: float
    figures: dict[str, list[float]]
    """By checkout, one for each round."""
    reference: str = ""
    """What the figure is a ratio to, or was computed from, in words."""
    remark: str = ""
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    row: str = ""
    """Which row of the command it is from."""

    def figure(self, checkout: str = "now") -> float | None:
        """Return the median of a checkout."""
        figures = self.figures.get(checkout)
        return statistics.median(figures) if figures else None

    @property
    def verdict(self) -> str:
        """Whether the goal is met."""
        figure = self.figure()
        return "none" if figure is None else "met" if figure <= self.goal else "missed"


def ratios(taken: Mapping[str, Sequence[Sample]], checkouts: Sequence[str], reference: str, of: str) -> dict[str, list]:
    """Return for each checkout and round the ratio to the reference of the same round."""
    return {
        name: [getattr(a, of) / getattr(b, of) for a, b in zip(taken[name], taken[reference], strict=True)]
        for name in checkouts
        if name in taken
    }


def median(samples: Sequence[Sample], of: str) -> float:
    """Return the median of one measure."""
    return statistics.median(getattr(sample, of) for sample in samples)
