"""apply: a fresh plan or a saved one, applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.applying import apply_plan, make_plan
from reconciler.cli.document import read_document
from reconciler.cli.options import Applying, Common
from reconciler.cli.output import Output
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler import Overrides, Selection


@click.command(
    epilog=options.examples(
        "apply", "apply pr.plan --yes", "apply --yes --allow-booked Session/spring-yoga --max-deletes 12"
    )
)
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@options.common
@options.selecting
@options.overriding
@options.applying
@options.formatted(*options.FORMATS)
def apply(
    planfile: Path | None,
    common: Common,
    selection: Selection,
    overrides: Overrides,
    applying: Applying,
    output: Output,
) -> int:
    """Apply a plan: a saved one (PLANFILE), or a fresh one. Asks for confirmation first."""
    if planfile is not None and not selection.everything:
        raise UsageError("a saved plan is applied completely", hint="remove --target and --exclude")
    saved = reconciler.load_plan(read_document(planfile)) if planfile is not None else None
    project = common.open()
    declared = reconciler.declare(project)
    with common.session(project, applying.parallelism) as session, session.hold(timeout=applying.lock_timeout):
        if saved is None:
            planned = make_plan(session, declared, selection, common)
        else:
            planned = reconciler.plan_again(session, declared, saved)
        return apply_plan(session, planned, common=common, overrides=overrides, applying=applying, output=output)
