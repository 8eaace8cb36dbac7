"""plan: what would change; only reads."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.annotate import Notes, annotating
from reconciler.cli.applying import make_plan, narrowed
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import Output, check_writable, is_stdout, save_plan, say_plan, show_plan
from reconciler.cli.overriding import overriding
from reconciler.errors import InvalidInput, OutputFailed, ReconcilerError, UsageError
from reconciler.model.words import count, plural

if TYPE_CHECKING:
    from reconciler import Declared, Overrides, Planned, Project, Selection


@click.command(
    epilog=options.examples(
        "plan",
        "plan --target Session/spring-yoga --target 'Block/*'",
        "plan --changed-since origin/main",
        "plan --env prod --compare staging",
        "plan --out pr.plan",
        "plan --format markdown --output comment.md",
    )
)
@options.connecting
@options.selecting
@options.changed_since
@overriding
@options.waiting
@options.parallel
@options.limiting
@options.formatted(*options.FORMATS, compact=True, paged=True)
@click.option(
    "--out",
    type=options.DESTINATION,
    metavar="FILE",
    help="Save the plan to this file, for apply PLANFILE; - is stdout, and the text goes to stderr. "
    "Signed if RECONCILER_PLAN_KEY is set.",
)
@click.option(
    "--compare",
    metavar="NAME",
    shell_complete=completion.environments,
    help="Also compare with another environment: what differs, and what was applied there and not here.",
)
@click.option(
    "--stamp",
    is_flag=True,
    help="Also write the time, commit, branch and CI run into the plan document. "
    "Default: the same manifests and live objects give the same document.",
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit 2 if there are changes or possible duplicates, 4 if apply would refuse the changes. Default: exit 0.",
)
@click.option(
    "--ignore-windows",
    is_flag=True,
    help="Only note that no change window is open: apply may run later. Default: apply would refuse the plan.",
)
@annotating
def plan(
    common: Common,
    selection: Selection,
    changed_since: str | None,
    overrides: Overrides,
    wait: float,
    parallelism: int | None,
    timeout: float | None,
    output: Output,
    out: Path | None,
    compare: str | None,
    stamp: bool,
    detailed_exitcode: bool,
    ignore_windows: bool,
    notes: Notes,
) -> int:
    """Show what would change, field by field, and the exact calls. Never writes to a remote system.

    Warns about new objects that are already in the past. RECONCILER_TODAY sets the current day (YYYY-MM-DD).
    """
    key = None
    if out is not None:
        output, key = _beside(out, output), reconciler.plan_key()
    project, other = common.open(), _other(common, compare)
    output = output.of(project)
    declared = _declared(project, selection, output)
    with common.session(project, parallelism, timeout) as session:
        selection = narrowed(session, declared, selection, common, changed_since)
        planned = make_plan(session, declared, selection, common, overrides, wait=wait)
        if other is not None:
            compared = reconciler.compare_environment(session, declared, planned.plan, other)
            planned = replace(planned, plan=compared)
        verdict = reconciler.guard(session, planned.plan, overrides, ignore_windows=ignore_windows)
        from reconciler.model.canonical import now

        shown = verdict.marked(replace(planned.plan, made_at=now() if stamp else None), warn=True)
        notes.plan(shown, verdict.refusals)
        if planned.unreachable is not None and not output.forms - {"text"}:
            raise planned.unreachable
        show_plan(shown, output, verbose=common.verbose)
        if not output.sinks and not common.quiet:
            say_plan(shown, output, verbose=common.verbose)
        if out is not None and planned.unreachable is None and not planned.plan.errors:
            save_plan(shown, None if is_stdout(out) else out, key)
            saved = f"Saved to {out}{', signed' if key is not None else ''}."
            if verdict.refusals:
                common.say(f"{saved} Apply would refuse it, for the reasons above.")
            elif out.is_file() and not is_stdout(out):  # apply reads no pipe or device
                words = " ".join([shlex.quote(str(out)), *overrides.flags()])
                common.say(f"{saved} To apply exactly this plan: `reconciler apply {words}`")
        incomplete = planned.unreachable or _incomplete(planned)
        if incomplete is not None:
            raise incomplete
    if not detailed_exitcode or not (shown.effective or shown.possible_duplicates):
        return Exit.DONE
    return Exit.REFUSED if verdict.refusals else Exit.CHANGES


def _other(common: Common, name: str | None) -> Project | None:
    """Return the project in the environment to compare with."""
    if name is None:
        return None
    if name == common.environment:
        raise UsageError(f"--compare {name} is the environment itself", hint="name another environment of the project")
    return replace(common, environment=name).open()


def _beside(out: Path, output: Output) -> Output:
    """Check where the plan is saved, and return where it is shown: not on the same stdout."""
    if not is_stdout(out):
        check_writable(out)
        options.check_distinct([*(sink.file for sink in output.sinks), out])
        return output
    if output.stated and output.uses_stdout:
        raise UsageError("--out - saves the plan to stdout, where the output goes too", hint="add --output FILE")
    return output if output.stated else replace(output, sinks=())


def _declared(project: Project, selection: Selection, output: Output) -> Declared:
    """Return what is declared; a program that asked for a document gets one of the problems too."""
    try:
        return reconciler.declare(project)
    except InvalidInput as error:
        if output.forms - {"text"}:
            with suppress(OutputFailed):  # the problems of the manifests are the reason of the end
                show_plan(reconciler.invalid_plan(project, error.problems, selection), output.documents)
        raise


def _incomplete(planned: Planned) -> ReconcilerError | None:
    """Return the error with which a plan ends that could not read or express everything."""
    if planned.plan.errors:
        return ReconcilerError("the plan has problems; it cannot be applied")
    unknown = planned.plan.summary["unknown"]
    if unknown:
        verb = plural(unknown, "is", "are")
        return ReconcilerError(f"{count(unknown, 'object')} {verb} unknown; the plan leaves unknown objects unchanged")
    return None
