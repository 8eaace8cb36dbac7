"""The options that allow one run more than the policy of the project: one for each field of `Overrides`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import completion
from reconciler.cli.gathering import gathered
from reconciler.cli.number_range import NumberRange
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.model.decision import Decision

LONGEST_REASON = 200


def _reason(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a reason that says nothing, or that could not be shown on one line."""
    if value is not None and not (value.strip() and value.isprintable() and len(value) <= LONGEST_REASON):
        raise UsageError(
            f"{param.opts[0]}: expected a reason of 1 to {LONGEST_REASON} characters on one line",
            hint=f"for example: {param.opts[0]} 'the pool is closed today'",
        )
    return value


def _decisions(ctx: click.Context, _param: click.Parameter, value: Path | None) -> tuple[Decision, ...]:
    if value is None or ctx.resilient_parsing:
        return ()
    from reconciler.cli.document import read_document  # noqa: PLC0415 - only with this option
    from reconciler.documents.decisions import load_decisions  # noqa: PLC0415 - only with this option

    return load_decisions(read_document(value), str(value))


allow_shared = click.option(
    "--allow-shared",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=completion.addresses,
    help="Allow this object although another project manages it, or others use its address (repeatable, globs).",
)

overriding = gathered(
    "overrides",
    lambda **values: reconciler.Overrides(**values),  # noqa: PLW0108 - loaded on first use
    click.option(
        "--allow-booked",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=completion.addresses,
        help="Allow this object's change despite booked places (repeatable, globs).",
    ),
    click.option(
        "--decisions",
        type=click.Path(path_type=Path),
        callback=_decisions,
        metavar="FILE",
        help="Allow what people decided in a pull request: a file that `reconciler ci` wrote. The report says who.",
    ),
    allow_shared,
    click.option(
        "--allow-missing",
        multiple=True,
        metavar="CONNECTION",
        shell_complete=completion.connections,
        help="Allow a run although all managed objects of this connection are missing (repeatable, globs).",
    ),
    click.option(
        "--allow-unknown",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=completion.addresses,
        help="Allow a run without this object, which could not be read (repeatable, globs).",
    ),
    click.option(
        "--max-deletes",
        type=click.IntRange(0),
        metavar="N",
        help="Refuse to delete more than N objects (overrides policy.max_deletes).",
    ),
    click.option(
        "--max-change-percent",
        type=NumberRange(0, 100),
        metavar="N",
        help="Refuse to change more than N % of the managed objects (overrides policy.max_change_percent).",
    ),
    click.option("--allow-empty", is_flag=True, help="Allow a run although the manifests declare no objects."),
    click.option(
        "--override-window",
        metavar="REASON",
        callback=_reason,
        help="Apply outside of policy.windows; the report and the state record the REASON.",
    ),
)
"""One option for each field of `Overrides`, as `overrides`."""
