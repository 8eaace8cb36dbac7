"""What an apply shows of its objects while it runs: the state of each, or of those that matter where there are many."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from reconciler import render
from reconciler.model.words import count, listed

if TYPE_CHECKING:
    from reconciler.model.change import Change
    from reconciler.model.objects import Address
    from reconciler.model.plan import Plan
    from reconciler.model.report import Outcome
    from reconciler.render.console import Piece

_FAILURES = 5
"""Last failures that are shown where there are too many objects to show all."""

_NAMED = 3
"""Objects in flight that a message names."""


class Board:
    """The states of the objects that a plan changes. One thread reports ends, several report starts."""

    def __init__(self) -> None:
        self._changes: dict[Address, Change] = {}
        self._running: dict[Address, float] = {}
        self._ended: dict[Address, Outcome] = {}
        self._failures: deque[Address] = deque(maxlen=_FAILURES)

    def know(self, plan: Plan) -> None:
        """Take the plan that will be applied."""
        self._changes = {change.address: change for change in plan.effective}

    def started(self, change: Change) -> None:
        """Note that the calls of a change begin."""
        if change.address in self._changes:
            self._running[change.address] = time.monotonic()

    def ended(self, outcome: Outcome) -> None:
        """Note how a change ended."""
        self._running.pop(outcome.address, None)
        if outcome.address in self._changes:
            self._ended[outcome.address] = outcome
            if outcome.state in {"failed", "unknown"}:
                self._failures.append(outcome.address)

    @property
    def total(self) -> int:
        """Objects that the plan changes."""
        return len(self._changes)

    @property
    def done(self) -> int:
        """Those that have ended, well or not."""
        return len(self._ended)

    def facts(self) -> list[str]:
        """Return how many objects are in which state, those that have ended well aside."""
        states = Counter(outcome.state for outcome in list(self._ended.values()))
        bad = [f"{states[state]} {state}" for state in ("failed", "unknown", "blocked") if states[state]]
        return [*bad, f"{len(self._running)} running"] if self._running else bad

    def in_flight(self) -> str:
        """Say which objects are being changed: what an interrupted run still waits for."""
        running = list(self._running)
        named = f" ({listed([str(address) for address in running], _NAMED)})" if running else ""
        return f"{count(len(running), 'object')} in flight{named}"

    def rows(self, room: int) -> list[tuple[Piece, ...]]:
        """Return the objects: all of them where there is room, else the last failures and those that are running."""
        if self.total <= room:
            return [self._row(address) for address in self._changes]
        return [self._row(address) for address in (*list(self._failures), *list(self._running))][:room]

    def _row(self, address: Address) -> tuple[Piece, ...]:
        label, outcome = str(address), self._ended.get(address)
        if outcome is not None:
            mark = render.marks.STATES[outcome.state]
            return (
                "  ",
                (mark.sign, f"bold {mark.style}"),
                f" {label} ",
                (render.phrases.outcome_words(outcome), mark.style),
            )
        since = self._running.get(address)
        if since is None:
            return "  ", ("· ", "dim"), label, (" waiting", "dim")
        return "  ", ("→ ", "bold cyan"), label, (f" running, {time.monotonic() - since:.0f} s", "cyan")
