"""drift: what changed outside since the last apply; reads only."""

from __future__ import annotations

from pathlib import Path

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.output import progress, show_drift
from reconciler.errors import ReconcilerError
from reconciler.model.plan import Selection

EXIT_CHANGES = 2


@click.command(epilog=options.examples("drift", "drift --format json --output drift.json"))
@options.common
@options.selecting
@options.parallel
@options.formatted(*options.FORMATS)
def drift(
    project: Path | None,
    environment: str | None,
    verbose: bool,
    quiet: bool,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    parallelism: int | None,
    form: str,
    output: Path | None,
) -> int:
    """Show what changed outside since the last apply. Exits 2 where something did."""
    options.log_requests(verbose)
    settings = reconciler.open_project(project, environment)
    with (
        reconciler.ProjectSession(settings, parallelism=parallelism) as workspace,
        progress("Reading the live timetable", None, quiet=quiet),
    ):
        found = reconciler.drift(workspace, Selection(targets=targets, excludes=excludes))
    show_drift(found, form, output, verbose=verbose)
    if found.summary["unknown"]:
        count = found.summary["unknown"]
        noun = "1 object" if count == 1 else f"{count} objects"
        raise ReconcilerError(f"{noun} could not be read, so not all drift is known")
    return EXIT_CHANGES if any(item.status != "in_sync" for item in found.objects) else 0
