"""adopt: take an existing live object under management."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import options
from reconciler.errors import UsageError
from reconciler.model.objects import Address


@click.command()
@click.argument("address")
@click.argument("remote_id", required=False, metavar="[ID]")
@options.common
def adopt(
    address: str, remote_id: str | None, project: Path | None, environment: str | None, verbose: bool, quiet: bool
) -> None:
    """Take the live object ID under management as ADDRESS, or the only one with the same natural key.

    Nothing of it changes: the next plan shows what its manifest would change.
    """
    from reconciler import pipeline  # noqa: PLC0415 - late, for a quick --help

    options.log_requests(verbose)
    try:
        wanted = Address.parse(address)
    except ValueError as error:
        raise UsageError(str(error)) from None
    settings = pipeline.open_project(project, environment)
    declared = pipeline.declare(settings)
    with pipeline.Workspace(settings) as workspace:
        record = pipeline.adopt(workspace, declared, wanted, remote_id)
        shown = workspace.kinds[record.address.kind].public_id(record.remote_id)
    if not quiet:
        words = f"{record.address} is now {record.connection} id {shown}. To see what would change:"
        click.echo(f"{words} reconciler plan --target {record.address}", err=True)
