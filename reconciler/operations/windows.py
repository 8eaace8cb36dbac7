"""Change windows of a run: waiting for one to open, and what happens when it closes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from reconciler.engine.guards import WINDOW_CLOSED
from reconciler.engine.overrides import Overrides
from reconciler.errors import Refused
from reconciler.model.limit import TimeLimit
from reconciler.operations.guard import guard
from reconciler.operations.plan import Planned
from reconciler.operations.session import ProjectSession
from reconciler.windows import Window, gate

_NAP = 30.0
"""Seconds after which a waiting run looks at the clock again: a machine may have slept, or its clock was set."""


def _now() -> datetime:
    return datetime.now(UTC)


def wait_for_window(
    session: ProjectSession,
    planned: Planned,
    overrides: Overrides | None = None,
    *,
    on_wait: Callable[[Window, datetime], None] = lambda _, __: None,
    clock: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until the change windows let a plan be applied; return whether that took time, so that it is an old plan.

    A plan that writes nothing, or that something else stops too, does not wait. `on_wait` receives a window with the
    moment at which the run may start. Refused if that is later than the time limit of the session, or if none opens.
    """
    if planned.unreachable is not None or planned.plan.errors:
        return False
    refusals = guard(session, planned.plan, overrides).refusals
    if [problem.code for problem in refusals] != [WINDOW_CLOSED]:
        return False
    announced: datetime | None = None
    windows = session.project.policy.windows
    while (found := gate(windows, clock())).window is not None:
        opens = found.changes_at
        seconds = (opens - clock()).total_seconds() if opens is not None else None
        if opens is None or seconds is None or seconds > session.limit.left():
            late = "" if opens is None else f", and --timeout ends the run before {found.window.shown(opens)}"
            raise Refused(f"no change window is open{late}; nothing was changed", problems=refusals)
        if opens != announced:
            on_wait(found.window, opens)
            announced = opens
        sleep(min(max(seconds, 0.05), _NAP))
    return True


def limit_of_writes(session: ProjectSession, overrides: Overrides | None = None) -> TimeLimit:
    """Return the time limit of the writing part of a run that is allowed now: its own, or the end of the window."""
    windows = session.project.policy.windows
    if not windows or (overrides is not None and overrides.override_window is not None):
        return session.limit
    moment = _now()
    found = gate(windows, moment)
    if found.changes_at is None:
        return session.limit
    seconds = 0.0 if found.window is not None else (found.changes_at - moment).total_seconds()
    if seconds >= session.limit.left():
        return session.limit
    closed = f"the change window closed on {windows[0].shown(found.changes_at)}"
    return TimeLimit(seconds, words=closed, clock=time.time)  # the clock on the wall goes on while a machine sleeps
