"""state: the record of what is managed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.output import show
from reconciler.errors import ReconcilerError, UsageError
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Record
from reconciler.model.plan import Selection


@click.group()
def state() -> None:
    """Look at, and mend, the record of what is managed."""


@state.command("list")
@options.common
@options.selecting
@options.formatted("text", "json")
def list_objects(
    project: Path | None,
    environment: str | None,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    form: str,
    output: Path | None,
    **_: Any,
) -> None:
    """List every managed object with its remote id."""
    from reconciler.render import machine  # noqa: PLC0415 - late, for a quick --help
    from reconciler.select import select  # noqa: PLC0415 - late, for a quick --help

    with _workspace(project, environment) as workspace:
        records = workspace.store.records()
    chosen = select(records.keys(), Selection(targets=targets, excludes=excludes), {}, records.keys())
    shown = [record for address, record in records.items() if address in chosen]
    rows = [_row(record, workspace.kinds) for record in shown]
    document = {"format_version": "1.0", "objects": rows}
    show(form, output, {"json": lambda: machine.dumps(document)}, lambda console: _table(console, rows))


@state.command("show")
@click.argument("address")
@options.common
@options.formatted("text", "json")
def show_object(
    address: str, project: Path | None, environment: str | None, form: str, output: Path | None, **_: Any
) -> None:
    """Show what is recorded of one object."""
    from reconciler.render import machine  # noqa: PLC0415 - late, for a quick --help

    with _workspace(project, environment) as workspace:
        records = workspace.store.records()
        record = _found(records, address)
        row = _row(record, workspace.kinds)
    document = {"format_version": "1.0", **row, "fields": dict(record.fields)}
    if record.computed:
        document["computed"] = {part: dict(members) for part, members in record.computed.items()}
    show(form, output, {"json": lambda: machine.dumps(document)}, lambda console: _details(console, document))


@state.command("rm")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@options.common
def remove(addresses: tuple[str, ...], project: Path | None, environment: str | None, quiet: bool, **_: Any) -> None:
    """Forget objects: they stay as they are on the remote system, and are no longer managed.

    Calls to them whose result was never known, and what an expiry left behind, are forgotten too.
    """
    with _workspace(project, environment) as workspace, workspace.hold():
        store = workspace.store
        records = store.records()
        doubtful = {item.address for item in store.open_intents()} | store.forgotten().keys()
        for address in [_known({*records, *doubtful}, text) for text in addresses]:
            store.remove(address)
            store.settle(address)
            if not quiet:
                click.echo(_forgot(workspace, address, records.get(address)), err=True)
        store.tidy()


def _forgot(workspace: Any, address: Address, record: Record | None) -> str:
    if record is None:
        return f"Forgot {address} (what an earlier run left unfinished or given up)"
    public_id = workspace.kinds[address.kind].public_id(record.remote_id)
    return f"Forgot {address} ({record.connection} id {public_id} is left alone)"


@state.command("unlock")
@click.argument("run_id", metavar="ID")
@options.common
def unlock(run_id: str, project: Path | None, environment: str | None, quiet: bool, **_: Any) -> None:
    """Take the lease from the run ID, which must be dead: two writing runs at once could double things."""
    with _workspace(project, environment) as workspace:
        if not workspace.store.release(run_id):
            hint = "the id is in the message that said who holds it; it may have ended meanwhile"
            raise ReconcilerError(f"no run {run_id} holds this project's state", hint=hint)
    if not quiet:
        click.echo(f"Run {run_id} no longer holds the state.", err=True)


def _workspace(project: Path | None, environment: str | None) -> Any:
    from reconciler import pipeline  # noqa: PLC0415 - late, for a quick --help

    return pipeline.Workspace(pipeline.open_project(project, environment))


def _found(records: Mapping[Address, Record], text: str) -> Record:
    return records[_known(records, text)]


def _known(addresses: Collection[Address], text: str) -> Address:
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if address not in addresses:
        near = difflib.get_close_matches(text, sorted(map(str, addresses)), n=1)
        hint = f"did you mean {near[0]}?" if near else "reconciler state list shows what is managed"
        raise ReconcilerError(f"{text} is not managed", hint=hint)
    return address


def _row(record: Record, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return what is recorded, but for its values; an id that is a credential is masked."""
    row = {name: value for name, value in asdict(record).items() if name not in {"address", "fields", "computed"}}
    return {
        "address": str(record.address),
        **row,
        "remote_id": kinds[record.address.kind].public_id(record.remote_id),
        "depends_on": [str(item) for item in record.depends_on],
    }


def _table(console: Any, shown: Iterable[Mapping[str, Any]]) -> None:
    from reconciler.render.safe import visible  # noqa: PLC0415 - only for people

    names = ("address", "connection", "remote_id", "updated_at")
    rows = [(*(str(row[name]) for name in names), "protected" if row["protect"] else "") for row in shown]
    if not rows:
        console.print("Nothing is managed yet.")
        return
    # Never cut: an address is there to be copied.
    table = [("ADDRESS", "CONNECTION", "ID", "UPDATED", ""), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(visible(line.rstrip()))


def _details(console: Any, document: dict[str, Any]) -> None:
    from reconciler.render.safe import visible  # noqa: PLC0415 - only for people

    for name, value in document.items():
        if name == "format_version":
            continue
        if isinstance(value, dict):
            console.print(f"{name}:")
            for key, item in value.items():
                console.print(visible(f"  {key}: {_words(item)}"))
        else:
            console.print(
                visible(f"{name}: {', '.join(value) or 'nothing' if isinstance(value, list) else _words(value)}")
            )


def _words(value: Any) -> str:
    """Return a value as JSON, and plain text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
