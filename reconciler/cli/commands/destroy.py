"""destroy: all managed objects, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

import reconciler
from reconciler.cli import options
from reconciler.cli.annotate import Notes, annotating
from reconciler.cli.applying import apply_plan, make_plan
from reconciler.cli.options import Applying, Common
from reconciler.cli.output import Output
from reconciler.cli.overriding import overriding

if TYPE_CHECKING:
    from reconciler import Overrides, Planned, Selection


@click.command(epilog=options.examples("destroy --target 'Block/*'", "destroy --yes --max-deletes 40"))
@options.connecting
@options.selecting
@overriding
@options.applying
@options.formatted(*options.FORMATS, compact=True)
@annotating
def destroy(
    common: Common,
    selection: Selection,
    overrides: Overrides,
    applying: Applying,
    output: Output,
    notes: Notes,
) -> int:
    """Delete all managed objects, or only those that --target selects. Asks for confirmation first."""
    project = common.open()
    output = output.of(project)
    # The manifests must be valid: they say which objects are protected, and which are no longer managed.
    declared = replace(reconciler.declare(project), problems=())
    with common.session(project, applying.parallelism, applying.timeout) as session:

        def planned() -> Planned:
            return make_plan(session, declared, selection, common, overrides, wait=applying.wait, destroying=True)

        return apply_plan(
            session, planned, common=common, overrides=overrides, applying=applying, output=output, notes=notes
        )
