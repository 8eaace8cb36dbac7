"""destroy: all managed objects, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.applying import apply_plan, make_plan
from reconciler.cli.options import Applying, Common
from reconciler.cli.output import Output

if TYPE_CHECKING:
    from reconciler import Overrides, Selection


@click.command(epilog=options.examples("destroy --target 'Block/*'", "destroy --yes --max-deletes 40"))
@options.common
@options.selecting
@options.overriding
@options.applying
@options.formatted(*options.FORMATS)
def destroy(common: Common, selection: Selection, overrides: Overrides, applying: Applying, output: Output) -> int:
    """Delete all managed objects, or only those that --target selects. Asks for confirmation first."""
    project = common.open()
    # The manifests must be valid: they say which objects are protected, and which are no longer managed.
    declared = replace(reconciler.declare(project), problems=())
    with common.session(project, applying.parallelism) as session, session.hold(timeout=applying.lock_timeout):
        planned = make_plan(session, declared, selection, common, destroying=True)
        return apply_plan(session, planned, common=common, overrides=overrides, applying=applying, output=output)
