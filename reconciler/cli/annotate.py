"""`--annotate github`: the problems of a run on the lines of the manifests, also those of an error that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING

import click
from msgspec import Struct

import reconciler
from reconciler.cli.gathering import Command
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.objects import Address, Problem, SourceRef
    from reconciler.model.plan import Plan
    from reconciler.model.report import Outcome, Report


class Notes(Struct):
    """The problems that a run annotates at its end."""

    wanted: bool = False
    problems: dict[Problem, None] = {}
    """Each once, in the order in which they were found."""
    sources: dict[Address, SourceRef] = {}
    """Where the manifests declare the objects of the plan: the place of a problem that has none."""

    def know(self, plan: Plan) -> None:
        """Use the places of a plan."""
        self.sources |= {change.address: change.source for change in plan.changes if change.source is not None}

    def plan(self, plan: Plan, refusals: Iterable[Problem] = ()) -> None:
        """Add the problems of a plan, and as errors why apply would refuse it."""
        refused = tuple(refusals)
        of_guards = {item.code for item in refused}
        self.know(plan)
        self._add([*refused, *(item for item in plan.problems if item.code not in of_guards)])

    def report(self, report: Report) -> None:
        """Add what failed, and what may exist twice."""
        failed = [_problem(outcome) for outcome in report.outcomes if not outcome.complete]
        self._add([*(() if report.refused else failed), *report.problems])

    def error(self, error: ReconcilerError) -> None:
        """Add the problems of an error, or the error itself where it has none."""
        reasons = f": {'; '.join(error.reasons)}" if error.reasons else ""
        ended = reconciler.Problem(code=error.code, summary=f"{error.message}{reasons}", hint=error.hint)
        self._add(error.problems or (ended,))

    def _add(self, problems: Iterable[Problem]) -> None:
        for item in problems:
            where = item.where or (None if item.address is None else self.sources.get(item.address))
            self.problems.setdefault(replace(item, where=where))

    def write(self, root: Path) -> None:
        """Print the annotations on stderr, where the runner reads them too."""
        if self.wanted and self.problems:
            from reconciler.operations.places import placed  # noqa: PLC0415 - only where they are wanted
            from reconciler.render.github import commands  # noqa: PLC0415 - as above

            click.echo(commands(placed(self.problems, root)), err=True, nl=False)


def annotating(command: Command) -> Command:
    """Add `--annotate`, as `notes`. It needs `common`, so it stands below the options of the project."""

    @click.option(
        "--annotate",
        type=click.Choice(["github"]),
        help="Also print problems, refusals and failed objects as annotations of a pull request, on stderr. GitHub "
        "shows 10 errors and 10 warnings per step. Default: none.",
    )
    @wraps(command)
    def call(**values: object) -> int | None:
        notes, common = Notes(wanted=values.pop("annotate") is not None), values["common"]
        try:
            return command(**values, notes=notes)
        except ReconcilerError as error:
            notes.error(error)
            raise
        finally:
            if notes.wanted:
                notes.write(common.root())  # type: ignore[attr-defined] # the options of the project

    return call


def _problem(outcome: Outcome) -> Problem:
    from reconciler.render.phrases import outcome_words  # noqa: PLC0415 - `--help` renders nothing

    return reconciler.Problem(
        code=f"apply-{outcome.state}",
        summary=outcome_words(outcome),
        severity="warning" if outcome.state == "blocked" else "error",
        address=outcome.address,
    )
