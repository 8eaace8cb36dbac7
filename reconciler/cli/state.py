"""state: the record of what is managed."""

from __future__ import annotations

import difflib
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
    chosen = select(records.keys(), options.selection(targets, excludes), {}, records.keys())
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
        record = records[_found(records, address)]
        row = _row(record, workspace.kinds)
    document = {"format_version": "1.0", **row, "fields": dict(record.fields)}
    if record.computed:
        document["computed"] = {part: dict(members) for part, members in record.computed.items()}
    show(form, output, {"json": lambda: machine.dumps(document)}, lambda console: _details(console, document))


@state.command("rm")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@options.common
def remove(addresses: tuple[str, ...], project: Path | None, environment: str | None, quiet: bool, **_: Any) -> None:
    """Forget objects: they stay as they are on the remote system, and are no longer managed."""
    with _workspace(project, environment) as workspace:
        store = workspace.store
        records = store.records()
        doubtful = {intent.address for intent in store.open_intents()} | store.forgotten().keys()
        chosen = [_found(records, address, doubtful - records.keys()) for address in addresses]
        for address in chosen:
            words = _forget(workspace, address, records.get(address))
            if not quiet:
                click.echo(words, err=True)


def _forget(workspace: Any, address: Address, record: Record | None) -> str:
    """Forget an object; what an interrupted creation or an expiry left behind goes where there is no other trace."""
    kind = workspace.kinds[address.kind]
    if record is None or kind.ephemeral is not None:
        workspace.store.settle(address)
    if record is None:
        return f"Forgot {address} (what an earlier run left unfinished or given up)"
    workspace.store.remove(address)
    return f"Forgot {address} ({record.connection} id {kind.public_id(record.remote_id)} is left alone)"


def _workspace(project: Path | None, environment: str | None) -> Any:
    from reconciler import pipeline  # noqa: PLC0415 - late, for a quick --help

    return pipeline.Workspace(pipeline.open_project(project, environment))


def _found(records: Any, text: str, further: Collection[Address] = ()) -> Address:
    """Return an address that is managed, or among `further`; errors in words for any other text."""
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if address not in records and address not in further:
        near = difflib.get_close_matches(text, [str(item) for item in records], n=1)
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


def _table(console: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - only for people
    from rich.text import Text  # noqa: PLC0415 - only for people

    table = Table(box=None, pad_edge=False)
    for name in ("ADDRESS", "CONNECTION", "ID", "UPDATED", ""):
        table.add_column(name, no_wrap=True)
    for row in rows:
        cells = (*(row[name] for name in ("address", "connection", "remote_id", "updated_at")),)
        cells = (*cells, "protected" if row["protect"] else "")
        table.add_row(*(Text(cell) for cell in cells))
    if table.row_count:
        console.print(table)
    else:
        console.print("Nothing is managed yet.")


def _details(console: Any, document: dict[str, Any]) -> None:
    from reconciler.render.safe import visible  # noqa: PLC0415 - only for people

    for name, value in document.items():
        if name == "format_version":
            continue
        if isinstance(value, dict):
            console.print(f"{name}:")
            for key, item in value.items():
                console.print(visible(f"  {key}: {item}"))
        else:
            console.print(visible(f"{name}: {', '.join(value) if isinstance(value, list) else value}"))
