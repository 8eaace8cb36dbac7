"""What apply and destroy share: showing the plan, asking, progress, and the report."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli.exits import Exit
from reconciler.cli.options import Applying, Common
from reconciler.cli.output import Output, say_plan, show_plan, show_report
from reconciler.cli.progress import progress
from reconciler.cli.signals import stopping
from reconciler.errors import Interrupted, Refused
from reconciler.model.words import count

if TYPE_CHECKING:
    from reconciler import Declared, Outcome, Overrides, Plan, Planned, ProjectSession, Selection
    from reconciler.operations.apply import Stage


def make_plan(
    session: ProjectSession, declared: Declared, selection: Selection, common: Common, *, destroying: bool = False
) -> Planned:
    """Read what is live and return the plan, with progress on stderr."""

    def on_wait(seconds: float) -> None:
        common.say(f"Waiting {seconds:.0f} s: a call of an earlier run may still be in progress at the server.")

    with progress("Reading the live timetable", quiet=common.quiet):
        return reconciler.plan(session, declared, selection, destroying=destroying, on_wait=on_wait)


def apply_plan(
    session: ProjectSession,
    planned: Planned,
    *,
    common: Common,
    overrides: Overrides,
    applying: Applying,
    output: Output,
) -> int:
    """Show a plan, ask, apply it and show the report; return the exit code."""
    plan, watch = planned.plan, _Watch(total=len(planned.plan.changes), quiet=common.quiet)

    def on_plan(guarded: Plan) -> None:
        if output.is_text and not common.quiet:
            show_plan(guarded, output, verbose=common.verbose)

    def confirm(guarded: Plan) -> bool:
        return _confirmed(session, guarded, common, output)

    callbacks = reconciler.Callbacks(
        on_plan=on_plan,
        confirm=None if applying.yes else confirm,
        during=watch.during,
        on_outcome=watch.on_outcome,
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
        )
    except Refused as error:
        if error.report is not None and not output.is_text:
            show_report(error.report, plan, output)
        raise
    if plan.effective or not output.is_text or report.verified or not report.clean:
        show_report(report, plan, output)
    if report.interrupted:
        return Exit.INTERRUPTED
    return Exit.DONE if report.clean else Exit.INCOMPLETE


def question(plan: Plan, hosts: list[str]) -> str:
    """Return what a person is asked before a plan is applied: it says what is deleted by a destroy."""
    number, where = len(plan.effective), ", ".join(hosts) or "the state only, without calls"
    if plan.purpose == "destroy":
        return f"Delete {count(number, 'object')} from {where}?"
    return f"Apply {count(number, 'change')} to {where}?"


def _confirmed(session: ProjectSession, plan: Plan, common: Common, output: Output) -> bool:
    """Ask whether to apply a plan; the user has seen it."""
    if not sys.stdin.isatty():
        raise Refused(
            "no terminal to ask for confirmation; nothing was changed", hint="add --yes to apply without confirmation"
        )
    if common.quiet or not output.is_text:
        say_plan(plan, verbose=common.verbose)
    sending = [change for change in plan.effective if not change.bookkeeping]
    hosts = sorted({session.project.connections[change.connection].target for change in sending})
    try:
        click.echo(f"{question(plan, hosts)} Only 'yes' is accepted: ", nl=False, err=True)
        return sys.stdin.readline().strip() == "yes"
    except KeyboardInterrupt:
        click.echo(err=True)
        raise Interrupted("interrupted; nothing was changed") from None


class _Watch:
    """Shows the progress of a run; while it applies, Ctrl-C sets `stop`."""

    def __init__(self, *, total: int, quiet: bool) -> None:
        self.stop = threading.Event()
        self._total = total
        self._quiet = quiet
        self._advance: Callable[[], None] = lambda: None

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Show progress during a stage."""
        if stage == "applying":
            with stopping(self.stop), progress("Applying", self._total, quiet=self._quiet) as self._advance:
                yield
        else:
            with progress("Verifying", quiet=self._quiet):
                yield

    def on_outcome(self, _: Outcome) -> None:
        """Count an outcome."""
        self._advance()
