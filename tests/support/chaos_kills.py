"""Killing applies: real processes over real sockets, each killed -9 at an instant that a seed chooses."""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos_town import APPLY, APPLY_SAVED, Town
from desk import until
from git_server import Remote

from reconciler.sandbox import Fault, Options, Sandbox

SERVERS: tuple[dict[str, Any], ...] = (
    {},
    {"create_answer": "location", "show_fields": "all", "resource_fields": "all", "list_order": "newest"},
    {"create_answer": "none", "update_answer": "none", "empty_items": "object"},
    {"resource_delete": "hard", "delete_answer": 204, "delete_again": 200, "json_create_status": 200},
    {"create_answer": "none", "slot_order": "id", "block_owner": "person", "page_size": 7, "line_fields": "all"},
    {"slip_style": "opaque", "slip_echo": "normalised", "line_renumber": "renumber", "block_answer": "booking"},
    {"lag_reads": 2, "show_fields": "all", "resource_fields": "all"},
    {"spells": "crlf,nfd,lower", "page_size": 3, "show_fields": "all"},
    {"lag_seconds": 1, "create_answer": "none", "spells": "strip,nfc"},
)
"""Servers as different as the documents allow."""

SLOW = 0.15
"""Seconds that every second server takes over a writing call before it is carried out: kills fall into them."""

PATIENCE = 60.0
RERUNS = 2


class WriteFault(Fault):
    """A fault of every call that writes, by whatever method."""

    def matches(self, method: str, path: str) -> bool:  # noqa: ARG002 - the interface
        return method != "GET"


@dataclass
class Figures:
    """What a campaign came to."""

    kills: Counter[str] = field(default_factory=Counter)
    finished_first: int = 0
    calls: int = 0
    commits: int = 0
    """Commits of states in Git."""
    duplicates: int = 0
    unreported: int = 0
    losses: int = 0
    orphans: int = 0
    wrong: int = 0
    foreign_touched: int = 0
    not_settled: int = 0
    doubted: int = 0
    doubted_made: int = 0
    trouble: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Add another campaign's figures."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def spotless(self) -> bool:
        """Whether nothing was doubled, lost, left behind, wrong or touched, and every rerun ended the work."""
        return not (
            self.duplicates
            or self.losses
            or self.orphans
            or self.wrong
            or self.foreign_touched
            or self.not_settled
            or self.trouble
        )

    def __str__(self) -> str:
        phases = ", ".join(f"{count} in {phase}" for phase, count in sorted(self.kills.items()))
        fouls = {
            "duplicates": self.duplicates,
            "of them not reported by a plan": self.unreported,
            "losses": self.losses,
            "orphans": self.orphans,
            "wrong values": self.wrong,
            "foreign objects touched": self.foreign_touched,
            f"not settled after {RERUNS} reruns": self.not_settled,
        }
        doubted = (
            f"booking sessions whose creation was cut off: {self.doubted} (the API has no list, so they are left "
            f"unknown until a person decides or 24 h are over); of them the server had made {self.doubted_made}"
        )
        lines = [
            f"kills -9: {self.kills.total()} ({phases}); {self.finished_first} runs ended before their kill",
            f"calls at the server: {self.calls}" + (f"; commits of the state: {self.commits}" if self.commits else ""),
            ", ".join(f"{name} {count}" for name, count in fouls.items()),
            doubted,
            *self.trouble,
        ]
        return "\n".join(lines)


@dataclass
class Campaign:
    """One town, built up, changed and taken down, with kills in each of the three phases."""

    seed: int
    kills: int = 9
    objects: tuple[int, int, int, int] = (20, 10, 14, 6)
    git: bool = False
    """Whether the state is on a branch of a Git remote, instead of in a file."""
    figures: Figures = field(default_factory=Figures)

    def run(self) -> Figures:
        """Carry it out; whatever is wrong is in the figures, with the seed."""
        draw = random.Random(self.seed)
        server = SERVERS[self.seed % len(SERVERS)]
        with tempfile.TemporaryDirectory() as folder, Sandbox(Options().changed(**server)) as box:
            (Path(folder) / "town").mkdir()
            remote = Remote.made(Path(folder) / "state.git") if self.git else None
            state = remote.url if remote is not None else None
            town = Town(folder=Path(folder) / "town", box=box, rng=draw, hurried=True, state=state)
            try:
                self._story(town, draw)
                if remote is not None:
                    self.figures.commits += remote.audited()
            except AssertionError as error:
                self._note(f"{error}")
            self.figures.calls += len(box.log())
        return self.figures

    def _story(self, town: Town, draw: random.Random) -> None:
        town.fill(*self.objects)
        share = [self.kills // 3 + (1 if phase < self.kills % 3 else 0) for phase in range(3)]
        self._phase("create", town, draw, share[0], writes=sum(self.objects))
        town.edit_all()
        self._phase("update", town, draw, share[1], writes=sum(self.objects))
        doomed = sorted(town.declared)
        for key in draw.sample(doomed, len(doomed) * 3 // 4):
            if key[0] != "Resource":
                town.drop(key)
        for name in town.names("Resource"):
            if not any(town.declared[("Block", block)]["resource"] == name for block in town.names("Block")):
                town.drop(("Resource", name))
        self._phase("delete", town, draw, share[2], writes=sum(self.objects) - len(town.declared))

    def _phase(self, phase: str, town: Town, draw: random.Random, kills: int, *, writes: int) -> None:
        saved = bool(self.seed // 2 % 2)
        server = town.box.options
        for left in range(kills, 0, -1):
            has_plan = saved and town.save_plan()  # none can be saved while the creation of a booking is in doubt
            command = APPLY_SAVED if has_plan else APPLY
            sent = self._kill(town, draw, command, most=max(1, 2 * writes // (left + 1)))
            if sent is None:
                self.figures.finished_first += 1
                break
            self.figures.kills[f"{phase} from a saved plan" if has_plan else phase] += 1
            writes = max(0, writes - sent)
        town.box.set_options(lag_reads=0, lag_seconds=0)  # by now, reads show what was written
        self._settle(phase, town, saved=saved)
        town.box.set_options(lag_reads=server.lag_reads, lag_seconds=server.lag_seconds)

    def _kill(self, town: Town, draw: random.Random, command: list[str], *, most: int) -> int | None:
        """Start an apply and kill it; return how many calls it sent, None where it had ended already.

        One kill in five falls at any moment from the process' start on, the others around a writing call. The server
        holds that call and those after it, or their answers, until the process is dead: it never ends before.
        """
        before = _writes(town)
        by_time, wanted, delay = draw.random() < 0.2, draw.randint(1, most), draw.random()
        wanted = most if by_time else wanted
        if self.seed % 2:
            town.box.fault(WriteFault(kind="latency", seconds=SLOW, times=None))
        held = draw.choice(["hold", "hold_answer"])
        town.box.fault(WriteFault(kind=held, seconds=2 * PATIENCE, after=wanted - 1, times=None))
        process = town.start(command)
        deadline = time.monotonic() + (1.5 * delay if by_time else PATIENCE)
        while process.poll() is None and time.monotonic() < deadline:
            if _writes(town) - before >= wanted:
                time.sleep(delay * 0.03)
                break
            time.sleep(0.002)
        ended = process.poll()
        process.kill()
        process.wait(timeout=PATIENCE)
        town.box.clear_faults()
        until(lambda: all(entry.status for entry in town.box.log() if "hold" in entry.fault))
        return _writes(town) - before if ended is None else None

    def _settle(self, phase: str, town: Town, *, saved: bool) -> None:
        """Rerun at most twice, then compare what is live with what is declared."""
        last = None
        for _ in range(RERUNS):
            last = town.apply(saved=saved)
            if last.code in {0, 3} and not _unfinished(last.json):
                break
        doubted = _doubted(last.json) if last is not None and last.code in {0, 3} else []
        self.figures.doubted += len(doubted)
        for name in doubted:
            if len(town.live(("BookingSession", name))) > 1:
                self._note(f"{phase}: a booking in doubt was made more than once: {name}")
        self.figures.doubted_made += town.forget_doubted(doubted)
        if doubted:
            last = town.apply(saved=saved)
        plan = town.desk.run("plan", "--wait", "--detailed-exitcode", "--format", "json")
        if plan.code != 0 or last is None or last.code != 0:
            self.figures.not_settled += 1
            self._note(f"{phase}: not settled: {_open(plan)} {last and last.err[-300:]}")
        found = town.differences()
        self.figures.duplicates += len(found.duplicates)
        self.figures.unreported += len(town.unreported())
        self.figures.losses += len(found.losses)
        self.figures.orphans += len(found.orphans)
        self.figures.wrong += len(found.wrong)
        if found:
            self._note(f"{phase}: {found}")
        if not town.untouched():
            self.figures.foreign_touched += 1
            self._note(f"{phase}: a foreign object is not as it was")

    def _note(self, what: str) -> None:
        self.figures.trouble.append(f"seed {self.seed}: {what}")


def _writes(town: Town) -> int:
    return sum(1 for entry in town.box.log() if entry.method != "GET")


def _doubted(report: dict[str, Any]) -> list[str]:
    return [
        item["address"].partition("/")[2]
        for item in report["outcomes"]
        if item["state"] == "unknown" and item["address"].startswith("BookingSession/")
        and "cannot list" in (item["error"] or "")
    ]  # fmt: skip


def _unfinished(report: dict[str, Any]) -> list[str]:
    doubted = {f"BookingSession/{name}" for name in _doubted(report)}
    return [
        item["address"]
        for item in report["outcomes"]
        if item["state"] not in {"applied", "noop"} and item["address"] not in doubted
    ]


def _open(plan: Any) -> list[str]:
    with contextlib.suppress(json.JSONDecodeError, KeyError):
        return [
            f"{change['action']} {change['address']}: {change['reason']}"
            for change in plan.json["changes"]
            if change["action"] != "noop"
        ]
    return [plan.err[-500:]]
