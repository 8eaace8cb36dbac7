"""drift: what changed outside since the last apply; only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import Output, show_drift
from reconciler.cli.progress import progress
from reconciler.errors import ReconcilerError
from reconciler.model.words import count

if TYPE_CHECKING:
    from reconciler import Selection


@click.command(epilog=options.examples("drift", "drift --format json --output drift.json"))
@options.common
@options.selecting
@options.parallel
@options.formatted(*options.FORMATS)
def drift(common: Common, selection: Selection, parallelism: int | None, output: Output) -> int:
    """Show what changed outside reconciler since the last apply. Exit code 2: something changed."""
    with (
        common.session(common.open(), parallelism) as session,
        progress("Reading the live timetable", quiet=common.quiet),
    ):
        found = reconciler.drift(session, selection)
    show_drift(found, output, verbose=common.verbose)
    if found.summary["unknown"]:
        unread = count(found.summary["unknown"], "object")
        raise ReconcilerError(f"{unread} could not be read, so the drift is incomplete")
    return Exit.CHANGES if any(item.status != "in_sync" for item in found.objects) else Exit.DONE
