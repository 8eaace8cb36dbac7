"""plan, apply and destroy: three commands that stop at different places of one story."""

from __future__ import annotations

import shlex
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

import reconciler
from reconciler.cli import guarding, options
from reconciler.cli.document import read_document
from reconciler.cli.output import check_writable, people, progress, show_plan, show_report, write_private
from reconciler.cli.signals import stopping
from reconciler.errors import Interrupted, InvalidInput, ReconcilerError, Refused, UsageError
from reconciler.model.plan import Plan, SavedPlan, Selection
from reconciler.model.report import Report, Verification

EXIT_CHANGES = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked of one of the three commands."""

    project: Path | None
    environment: str | None
    verbose: bool
    quiet: bool
    form: str
    output: Path | None
    chosen: Selection
    overrides: Mapping[str, Any]
    yes: bool = False
    workers: int | None = None
    verify: bool = False


def _settings(arguments: dict[str, Any]) -> Settings:
    overrides = {name: arguments.pop(name) for name in guarding.OVERRIDES}
    chosen = Selection(targets=arguments.pop("targets"), excludes=arguments.pop("excludes"))
    workers = arguments.pop("parallelism", None)
    settings = Settings(chosen=chosen, overrides=overrides, workers=workers, **arguments)
    options.log_requests(settings.verbose)
    if settings.output is not None:
        check_writable(settings.output)
    return settings


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
@options.guarded
@options.parallel
@options.formatted(*options.FORMATS)
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan, to be carried out by apply PLANFILE.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there are changes.")
def plan(out: Path | None, detailed_exitcode: bool, **arguments: Any) -> int:
    """Show what would change, field by field, and the exact calls. Never writes to a remote system."""
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help

    settings = _settings(arguments)
    if out is not None:
        check_writable(out)
    project = reconciler.open_project(settings.project, settings.environment)
    declared = _declare(project, settings)
    with _workspace(project, settings) as workspace:
        planned = _make_plan(workspace, declared, settings)
        verdict = guarding.judge(workspace, planned.plan, settings.overrides)
        shown = verdict.marked(planned.plan, warn=True)
        failure = reconciler.unreachable(planned.snapshot)
        if failure is not None and settings.form == "text":
            raise failure
        show_plan(shown, settings.form, settings.output, verbose=settings.verbose)
        incomplete = failure or _incomplete(planned)
        if incomplete is not None:
            raise incomplete
        if out is not None:
            write_private(out, codec.dumps(codec.plan_document(shown)))
            if verdict.refusals:
                _say(settings, f"Saved to {out}; apply would refuse it as it stands, for the reasons above.")
            else:
                command = shlex.join(["reconciler", "apply", str(out), *_same_project(settings)])
                command = " ".join([command, *guarding.flags(settings.overrides)])
                _say(settings, f"Saved to {out}. To carry out exactly this plan: {command}")
    return EXIT_CHANGES if detailed_exitcode and shown.effective else 0


@click.command(
    epilog=options.examples(
        "apply", "apply pr.plan --yes", "apply --yes --allow-booked Session/spring-yoga --max-deletes 12"
    )
)
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@options.common
@options.selecting
@options.guarded
@options.parallel
@options.formatted(*options.FORMATS)
@options.locking
@options.verifying
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def apply(planfile: Path | None, lock_timeout: float, **arguments: Any) -> int:
    """Carry out a plan: a saved one (PLANFILE), or a fresh one after asking."""
    settings = _settings(arguments)
    if planfile is not None and not settings.chosen.everything:
        raise UsageError("a saved plan is carried out as it is", hint="leave --target and --exclude out")
    saved = _load(planfile) if planfile is not None else None
    project = reconciler.open_project(settings.project, settings.environment)
    declared = reconciler.declare(project)
    with _workspace(project, settings) as workspace, workspace.hold(timeout=lock_timeout):
        if saved is None:
            planned = _make_plan(workspace, declared, settings)
        else:
            planned = reconciler.plan_again(workspace, declared, saved)
        return _carry_out(workspace, declared, planned, settings)


@click.command(epilog=options.examples("destroy --target 'Block/*'", "destroy --yes --max-deletes 40"))
@options.common
@options.selecting
@options.guarded
@options.parallel
@options.formatted(*options.FORMATS)
@options.locking
@options.verifying
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def destroy(lock_timeout: float, **arguments: Any) -> int:
    """Delete all that is managed, or what is chosen with --target."""
    settings = _settings(arguments)
    project = reconciler.open_project(settings.project, settings.environment)
    # Nothing that they declare is made, yet what they protect or leave alone must be known, all of it.
    declared = replace(reconciler.declare(project), problems=())
    with _workspace(project, settings) as workspace, workspace.hold(timeout=lock_timeout):
        planned = _make_plan(workspace, declared, settings, destroying=True)
        return _carry_out(workspace, declared, planned, settings)


def _declare(project: Any, settings: Settings) -> Any:
    """Return what is declared; a program that asked for a document gets one of what is wrong with it, too."""
    try:
        return reconciler.declare(project)
    except InvalidInput as error:
        if settings.form != "text":
            show_plan(reconciler.unplanned(project, error.problems, settings.chosen), settings.form, settings.output)
        raise


def _workspace(project: Any, settings: Settings) -> Any:
    return reconciler.ProjectSession(project, parallelism=settings.workers, notice=options.notice(settings.quiet))


def _make_plan(workspace: Any, declared: Any, settings: Settings, *, destroying: bool = False) -> Any:
    with progress("Reading the live timetable", None, quiet=settings.quiet):
        return reconciler.plan(workspace, declared, settings.chosen, destroying=destroying, on_wait=_announce(settings))


def _announce(settings: Settings) -> Callable[[float], None]:
    def say(seconds: float) -> None:
        _say(settings, f"Waiting {seconds:.0f} s: a call of an earlier run may still be under way at the server.")

    return say


def _load(planfile: Path) -> SavedPlan:
    from reconciler.documents.load import load_plan_document  # noqa: PLC0415 - late, for a quick --help
    from reconciler.documents.rebuild import saved  # noqa: PLC0415 - late, for a quick --help

    return saved(load_plan_document(read_document(planfile)))


def _incomplete(planned: Any) -> ReconcilerError | None:
    """Return the error with which a plan ends that could not see or word everything."""
    if planned.plan.errors:
        return ReconcilerError("the plan has problems; it cannot be carried out")
    unknown = planned.plan.summary["unknown"]
    if unknown:
        noun = "1 object" if unknown == 1 else f"{unknown} objects"
        return ReconcilerError(f"{noun} could not be read; the plan leaves what is unknown alone")
    return None


def _carry_out(workspace: Any, declared: Any, planned: Any, settings: Settings) -> int:
    """Guard, ask, apply and report; shared by apply and destroy."""
    failure = reconciler.unreachable(planned.snapshot)
    if failure is not None:
        raise failure
    if planned.plan.errors:
        raise InvalidInput("the plan has problems; nothing was written", planned.plan.problems)
    verdict = guarding.judge(workspace, planned.plan, settings.overrides)
    planned = replace(planned, plan=verdict.marked(planned.plan, warn=False))
    text_to_people = settings.form == "text" and settings.output is None
    if text_to_people and not settings.quiet:
        show_plan(planned.plan, "text", None, verbose=settings.verbose)
    if verdict.refusals:
        guarding.refuse(verdict, planned.plan, settings.form, settings.output)
    if planned.plan.effective and not settings.yes:
        planned = _confirm(workspace, declared, planned, settings)
        verdict = guarding.judge(workspace, planned.plan, settings.overrides)
        if verdict.refusals:  # of what came to be while a person thought
            guarding.refuse(verdict, planned.plan, settings.form, settings.output)
    report = verdict.recorded(_apply(workspace, planned, settings))
    if settings.verify and not report.interrupted:
        report = _verified(workspace, declared, planned.plan, report, settings)
    if planned.plan.effective or not text_to_people or report.verified or not report.clean:
        show_report(report, planned.plan, settings.form, settings.output)
    if report.interrupted:
        return EXIT_INTERRUPTED
    return 0 if report.clean else EXIT_INCOMPLETE


def _confirm(workspace: Any, declared: Any, planned: Any, settings: Settings) -> Any:
    """Ask, and look again at what the plan touches: a person may have thought for an hour."""
    from reconciler.documents.codec import plan_document  # noqa: PLC0415 - late, for a quick --help
    from reconciler.documents.rebuild import saved  # noqa: PLC0415 - late, for a quick --help

    if not sys.stdin.isatty():
        raise Refused("there is no terminal to ask on; nothing was changed", hint="add --yes to carry it out")
    if settings.form != "text" or settings.quiet or settings.output is not None:
        from reconciler.render import text  # noqa: PLC0415 - late, for a quick --help

        text.plan(people(), planned.plan, verbose=settings.verbose)
    count = len(planned.plan.effective)
    sending = [change for change in planned.plan.effective if not change.bookkeeping]
    hosts = sorted({workspace.project.connections[change.connection].target for change in sending})
    where = f"at {', '.join(hosts)}" if hosts else "in the state alone, without any call"
    noun = "1 change" if count == 1 else f"{count} changes"
    try:
        click.echo(f"Carry out {noun} {where}? Only 'yes' is accepted: ", nl=False, err=True)
        answer = sys.stdin.readline().strip()
    except KeyboardInterrupt:
        click.echo(err=True)
        raise Interrupted("interrupted; nothing was changed") from None
    if answer != "yes":
        raise ReconcilerError("not confirmed; nothing was changed")
    again = reconciler.plan_again(workspace, declared, saved(plan_document(planned.plan)))
    kept = tuple(change for change in planned.plan.changes if not change.writes)
    changes = sorted((*again.plan.changes, *kept), key=lambda change: str(change.address))
    return replace(again, plan=replace(again.plan, changes=tuple(changes)))


def _verified(workspace: Any, declared: Any, done: Plan, report: Report, settings: Settings) -> Report:
    """Look at everything once more: what a new plan would still do has not converged."""
    from reconciler.render.phrases import not_converged  # noqa: PLC0415 - late, for a quick --help

    with progress("Verifying", None, quiet=settings.quiet):
        fresh = reconciler.verify(workspace, declared, done)
    left = (change for change in fresh.changes if change.writes or change.action == "unknown")
    found = tuple((change.address, not_converged(change)) for change in left)
    return replace(report, verified=Verification(summary=fresh.summary, left=found))


def _apply(workspace: Any, planned: Any, settings: Settings) -> Report:
    stop = threading.Event()
    with (
        stopping(stop),
        progress("Applying", len(planned.plan.changes), quiet=settings.quiet) as advance,
    ):
        return reconciler.apply(
            workspace,
            planned,
            workers=settings.workers,
            signals=reconciler.Signals(stop=stop, on_outcome=advance),
        )


def _same_project(settings: Settings) -> list[str]:
    """Return the options that lead another command to the project and environment of this one."""
    where = ["--project", str(settings.project)] if settings.project is not None else []
    return [*where, "--env", settings.environment] if settings.environment is not None else where


def _say(settings: Settings, words: str) -> None:
    if not settings.quiet:
        options.say(words)
