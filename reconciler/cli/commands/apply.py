"""apply: a fresh plan or a saved one, applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.annotate import Notes, annotating
from reconciler.cli.applying import apply_plan, make_plan, narrowed, waiting
from reconciler.cli.document import read_document, signature_words
from reconciler.cli.options import Applying, Common
from reconciler.cli.output import Output
from reconciler.cli.overriding import overriding
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler import Overrides, Planned, Selection
    from reconciler.model.plan import SavedPlan


@click.command(
    epilog=options.examples(
        "apply", "apply pr.plan --yes", "apply --yes --allow-booked Session/spring-yoga --max-deletes 12"
    )
)
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@options.connecting
@options.selecting
@options.changed_since
@overriding
@options.applying
@options.formatted(*options.FORMATS, compact=True)
@annotating
def apply(
    planfile: Path | None,
    common: Common,
    selection: Selection,
    changed_since: str | None,
    overrides: Overrides,
    applying: Applying,
    output: Output,
    notes: Notes,
) -> int:
    """Apply a plan: a saved one (PLANFILE), or a fresh one. Asks for confirmation first."""
    if planfile is not None and not (selection.everything and changed_since is None):
        raise UsageError("a saved plan is applied completely", hint="remove --target, --exclude and --changed-since")
    saved = _saved(planfile, common) if planfile is not None else None
    project = common.open()
    output = output.of(project)
    declared = reconciler.declare(project)
    with common.session(project, applying.parallelism, applying.timeout) as session:
        limited = narrowed(session, declared, selection, common, changed_since)

        def planned() -> Planned:
            if saved is None:
                return make_plan(session, declared, limited, common, overrides, wait=applying.wait)
            return reconciler.plan_again(
                session, declared, saved, overrides=overrides, wait=applying.wait, on_wait=waiting(common)
            )

        return apply_plan(
            session, planned, common=common, overrides=overrides, applying=applying, output=output, notes=notes
        )


def _saved(planfile: Path, common: Common) -> SavedPlan:
    """Read a saved plan; a signature that nothing can check is no reason to refuse it, but to say so."""
    if planfile.suffix.lower() in {".yaml", ".yml"}:
        hint = "`reconciler apply` reads the manifests that reconciler.yaml names; to select some objects: --target"
        raise UsageError(f"{planfile} is a manifest; expected a saved plan, or nothing", hint=hint)
    key, saved = reconciler.plan_key(), reconciler.load_plan(read_document(planfile))
    if key is None and saved.signature is not None:
        common.say(signature_words(saved, key))
    return saved
