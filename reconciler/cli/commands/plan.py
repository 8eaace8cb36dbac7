"""plan: what would change; only reads."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.applying import make_plan
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import Output, check_writable, save_plan, show_plan
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.model.words import count

if TYPE_CHECKING:
    from reconciler import Declared, Overrides, Planned, Project, Selection


@click.command(
    epilog=options.examples(
        "plan",
        "plan --target Session/spring-yoga --target 'Block/*'",
        "plan --out pr.plan",
        "plan --format markdown --output comment.md",
    )
)
@options.common
@options.selecting
@options.overriding
@options.parallel
@options.formatted(*options.FORMATS)
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan to this file, for apply PLANFILE.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit 2 if there are changes, 4 if apply would refuse them. Default: exit 0.",
)
def plan(
    common: Common,
    selection: Selection,
    overrides: Overrides,
    parallelism: int | None,
    output: Output,
    out: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what would change, field by field, and the exact calls. Never writes to a remote system."""
    if out is not None:
        check_writable(out)
    project = common.open()
    declared = _declared(project, selection, output)
    with common.session(project, parallelism) as session:
        planned = make_plan(session, declared, selection, common)
        verdict = reconciler.guard(session, planned.plan, overrides)
        shown = verdict.marked(planned.plan, warn=True)
        if planned.unreachable is not None and output.form == "text":
            raise planned.unreachable
        show_plan(shown, output, verbose=common.verbose)
        incomplete = planned.unreachable or _incomplete(planned)
        if incomplete is not None:
            raise incomplete
        if out is not None:
            save_plan(shown, out)
            if verdict.refusals:
                common.say(f"Saved to {out}. Apply would refuse it, for the reasons above.")
            else:
                command = shlex.join(["reconciler", "apply", str(out), *common.flags()])
                common.say(f"Saved to {out}. To apply exactly this plan: {' '.join([command, *overrides.flags()])}")
    if not detailed_exitcode or not shown.effective:
        return Exit.DONE
    return Exit.REFUSED if verdict.refusals else Exit.CHANGES


def _declared(project: Project, selection: Selection, output: Output) -> Declared:
    """Return what is declared; a program that asked for a document gets one of the problems too."""
    try:
        return reconciler.declare(project)
    except InvalidInput as error:
        if output.form != "text":
            show_plan(reconciler.invalid_plan(project, error.problems, selection), output)
        raise


def _incomplete(planned: Planned) -> ReconcilerError | None:
    """Return the error with which a plan ends that could not read or express everything."""
    if planned.plan.errors:
        return ReconcilerError("the plan has problems; it cannot be applied")
    unknown = planned.plan.summary["unknown"]
    if unknown:
        return ReconcilerError(
            f"{count(unknown, 'object')} could not be read; the plan leaves unknown objects unchanged"
        )
    return None
