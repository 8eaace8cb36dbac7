"""What apply and destroy share: showing the plan, asking, progress, and the report."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

import reconciler
from reconciler.cli.annotate import Notes
from reconciler.cli.board import Board
from reconciler.cli.exits import Exit
from reconciler.cli.options import Applying, Common
from reconciler.cli.output import Output, say, say_plan, say_report, show_plan, show_report
from reconciler.cli.progress import progress
from reconciler.cli.signals import stopping
from reconciler.cli.streams import stdout_lost
from reconciler.errors import Interrupted, OutputFailed, Refused
from reconciler.model.words import count

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler import Declared, Overrides, Plan, Planned, ProjectSession, Report, Selection
    from reconciler.model.traffic import Traffic
    from reconciler.operations.apply import Stage
    from reconciler.windows import Window


def make_plan(
    session: ProjectSession,
    declared: Declared,
    selection: Selection,
    common: Common,
    overrides: Overrides,
    *,
    wait: float,
    destroying: bool = False,
) -> Planned:
    """Read what is live and return the plan, with progress on stderr."""
    with progress("Reading the live timetable", session.traffic, quiet=common.quiet):
        return reconciler.plan(
            session,
            declared,
            selection,
            destroying=destroying,
            overrides=overrides,
            wait=wait,
            on_wait=waiting(common),
        )


def narrowed(
    session: ProjectSession, declared: Declared, selection: Selection, common: Common, changed_since: str | None
) -> Selection:
    """Return the selection of what changed since a commit, and say how much that is."""
    if changed_since is None:
        return selection
    chosen, words = reconciler.changed_since(session, declared, changed_since, selection)
    common.say(f"--changed-since: {words}.")
    return chosen


def waiting(common: Common) -> Callable[[float], None]:
    """Return what says how long a run waits for calls of earlier ones."""

    def on_wait(seconds: float) -> None:
        common.say(f"Waiting {seconds:.0f} s: a call of an earlier run may still be in progress at the server.")

    return on_wait


def _on_window(common: Common) -> Callable[[Window, datetime], None]:
    """Return what says until when a run waits for a change window."""

    def on_wait(window: Window, opens: datetime) -> None:
        common.say(f"Waiting until {window.shown(opens)}, when the change window opens. No lock is held.")

    return on_wait


def _in_time(
    session: ProjectSession, make: Callable[[], Planned], common: Common, overrides: Overrides, *, wait: bool
) -> Planned:
    """Make a plan, after a wait for the change window if the user wants to wait and the plan needs to."""
    planned = make()
    waited = wait and reconciler.wait_for_window(session, planned, overrides, on_wait=_on_window(common))
    return make() if waited else planned


def apply_plan(
    session: ProjectSession,
    make: Callable[[], Planned],
    *,
    common: Common,
    overrides: Overrides,
    applying: Applying,
    output: Output,
    notes: Notes,
) -> int:
    """Make a plan and show it, ask, apply it and show the report; return the exit code.

    No other run waits while it reads and asks: it takes the state lock only before it writes. A first attempt ends a
    run at once where another one has the lock.
    """
    with session.hold(timeout=applying.lock_timeout):
        pass
    planned = _in_time(session, make, common, overrides, wait=applying.wait_for_window)
    plan, watch = planned.plan, _Watch(session.traffic, quiet=common.quiet)

    def on_plan(guarded: Plan) -> None:
        nonlocal plan
        plan = guarded
        notes.know(guarded)
        watch.board.know(guarded)
        if not common.quiet:
            show_plan(guarded, output.people, verbose=common.verbose)

    callbacks = reconciler.Callbacks(
        on_plan=on_plan,
        confirm=None if applying.yes else lambda guarded: _confirmed(session, guarded, common, output),
        during=watch.during,
        on_start=watch.board.started,
        on_outcome=watch.board.ended,
        stop=watch.stop,
    )
    try:
        report = reconciler.apply(
            session,
            planned,
            overrides=overrides,
            workers=applying.parallelism,
            verify=applying.verify,
            callbacks=callbacks,
            lock_timeout=applying.lock_timeout,
            replan=make,
        )
    except Refused as error:
        if error.report is not None:
            _shown(error.report, plan, output.documents, verbose=common.verbose)
        raise
    notes.report(report)
    shown = plan.effective or report.verified or not report.clean
    written = _shown(report, plan, output if shown else output.documents, verbose=common.verbose)
    if report.interrupted:
        return Exit.INTERRUPTED
    if not report.clean:
        return Exit.INCOMPLETE
    return Exit.DONE if written else Exit.ERROR


def _shown(report: Report, plan: Plan, output: Output, *, verbose: bool) -> bool:
    """Show a report. Where that fails, it goes to stderr: what was applied must not stay unsaid."""
    failure = None
    try:
        show_report(report, plan, output, verbose=verbose)
    except OutputFailed as error:
        failure = error
    if failure is None and not stdout_lost():
        return True
    if plan.effective:
        say_report(report, plan)
    if failure is not None:
        from reconciler.cli.failures import explain  # noqa: PLC0415 - rich, which `--help` ends without

        explain(failure)
    return False


def question(plan: Plan, hosts: list[str]) -> str:
    """Return what a person is asked before a plan is applied: it says what is deleted by a destroy."""
    deleted, where = sum(not change.bookkeeping for change in plan.effective), ", ".join(hosts)
    if plan.purpose == "destroy" and deleted:
        return f"Delete {count(deleted, 'object')} from {where or 'the state only, without calls'}?"
    return f"Apply {count(len(plan.effective), 'change')} to {where or 'the state only, without calls'}?"


def _confirmed(session: ProjectSession, plan: Plan, common: Common, output: Output) -> bool:
    """Ask whether to apply a plan; the user has seen it."""
    if not sys.stdin.isatty():
        raise Refused(
            "no terminal to ask for confirmation; nothing was changed", hint="add --yes to apply without confirmation"
        )
    if common.quiet or not output.is_text:
        say_plan(plan, output, verbose=common.verbose)
    used = {call.connection for item in plan.effective for call in item.calls}
    # Without the account: to a person, the digest of a user name says nothing.
    hosts = sorted({replace(session.project.connections[name], user=None).target for name in used})
    try:
        click.echo(f"{question(plan, hosts)} Only 'yes' is accepted: ", nl=False, err=True)
        return sys.stdin.readline().strip() == "yes"
    except KeyboardInterrupt:
        click.echo(err=True)
        raise Interrupted("interrupted; nothing was changed") from None


class _Watch:
    """Shows the progress of a run; while it applies, Ctrl-C sets `stop`."""

    def __init__(self, traffic: Traffic, *, quiet: bool) -> None:
        self.stop = threading.Event()
        self.board = Board()
        self._traffic = traffic
        self._quiet = quiet
        self._end: Callable[[], None] = lambda: None

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Show progress during a stage."""
        if stage == "applying":
            applying = progress("Applying", self._traffic, quiet=self._quiet, board=self.board)
            with stopping(self.stop, self._announce), applying as self._end:
                yield
        else:
            with progress("Verifying", self._traffic, quiet=self._quiet):
                yield

    def _announce(self) -> None:
        """Say what an interrupted run waits for, on a screen where nothing moves any more."""
        self._end()
        say(f"Stopping: finishing and recording {self.board.in_flight()}. Press Ctrl-C again to abort.")
