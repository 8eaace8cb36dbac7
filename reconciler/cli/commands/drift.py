"""drift: what changed outside since the last apply; only reads the remote systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import Output, say_problems, show_drift, write
from reconciler.cli.progress import progress
from reconciler.errors import ReconcilerError, UsageError
from reconciler.model.words import count, plural

if TYPE_CHECKING:
    from reconciler import Drift, Problem, Selection
    from reconciler.operations.accept import Acceptance


@click.command(
    epilog=options.examples(
        "drift",
        "drift --unmanaged",
        "drift --accept Session/spring-yoga --diff",
        "drift --format json --output drift.json",
    )
)
@options.connecting
@options.selecting
@options.parallel
@options.limiting
@click.option("--unmanaged", is_flag=True, help="Also report live objects that are not managed.")
@click.option(
    "--no-record", is_flag=True, help="Do not note in the state when each change was first seen. Default: note it."
)
@click.option("--notify", is_flag=True, help="Send a message to the webhooks of the project file if something drifted.")
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=completion.addresses,
    help="Write the live values of this object, or glob, into its manifest or values file (repeatable).",
)
@click.option("--dry-run", is_flag=True, help="With --accept: show the edits without making them.")
@click.option("--diff", is_flag=True, help="With --accept: show the edits as a unified diff.")
@options.formatted(*options.FORMATS, compact=True, paged=True)
def drift(
    common: Common,
    selection: Selection,
    parallelism: int | None,
    timeout: float | None,
    unmanaged: bool,
    no_record: bool,
    notify: bool,
    accepted: tuple[str, ...],
    dry_run: bool,
    diff: bool,
    output: Output,
) -> int:
    """Show what changed outside reconciler since the last apply.

    Exit code 2: something changed, may exist twice, or, with --unmanaged, is not managed; changes that drift.ignore
    covers do not count. Nothing is written to a remote system. The state notes when each change was first seen, if
    it can be written and no other run holds its lock.

    --accept changes files of this project instead: the manifest of an object, or the values file behind it, then
    declares what is live. Comments and layout stay. If one object or field cannot be accepted, no file changes. The
    next apply records the accepted values; until then drift reports them as declared.
    """
    if not accepted and (dry_run or diff):
        raise UsageError("--dry-run and --diff need --accept ADDRESS")
    if accepted and (unmanaged or no_record or notify or not selection.everything or output.stated):
        raise UsageError("--accept cannot be combined with --target, --exclude and the options of the report")
    project = common.open_warned()
    output = output.of(project)
    declared = reconciler.declare(project)
    undelivered: tuple[Problem, ...] = ()
    with common.session(project, parallelism, timeout) as session:
        reading = progress("Reading the live timetable", session.traffic, quiet=common.quiet)
        if accepted:
            with reading:
                acceptance = reconciler.accept(session, declared, accepted)
            return _accept(acceptance, common, dry_run=dry_run, diff=diff or dry_run)
        with reading:
            found = reconciler.drift(session, selection, declared, unmanaged=unmanaged, record=not no_record)
        if notify and found.news:
            undelivered = reconciler.notify(session, found)
    show_drift(found, output, verbose=common.verbose)
    say_problems((*undelivered, *(() if output.is_text else found.warnings)))
    _check_complete(found)
    if found.nothing_managed:
        if not output.is_text:
            from reconciler.render.summary import drift_headline

            common.say(drift_headline(found))
        return Exit.CHANGES
    return Exit.CHANGES if found.news else Exit.DONE


def _accept(acceptance: Acceptance, common: Common, *, dry_run: bool, diff: bool) -> int:
    from reconciler.model.canonical import plain
    from reconciler.render.values import words

    if diff:
        write("".join(each.diff for each in acceptance.edits), None)
    if not dry_run:
        acceptance.write()
    for item in acceptance.accepted:
        shown = words(plain(item.after), zone=item.zone)
        common.say(f"{item.where}: {item.address}: {item.path} is the live value: {shown}")
    if not acceptance.accepted:
        common.say("Nothing to accept: these objects have no drift.")
    elif not acceptance.edits:
        common.say("No file changed: the manifests have these values already, and the next apply records them.")
    elif dry_run:
        common.say("Not done (--dry-run).")
    else:
        names = ", ".join(each.shown for each in acceptance.edits)
        common.say(f"Changed {names}. To see what remains: `reconciler plan`")
    return Exit.DONE


def _check_complete(found: Drift) -> None:
    """Raise ReconcilerError where an object or a list could not be read: then the rest says little."""
    unknown = found.summary["unknown"]
    if unknown:
        verb = plural(unknown, "is", "are")
        raise ReconcilerError(
            f"{count(unknown, 'object')} {verb} unknown, so the drift is incomplete",
            hint="fix what could not be read, and run drift again; the next apply closes calls with an unknown result",
        )
    if any(note.severity == "error" for note in found.notes):
        raise ReconcilerError(
            "not everything could be listed, so it is not known which live objects are not managed",
            hint="fix what could not be read, and run drift again",
        )
