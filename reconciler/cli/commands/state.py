"""state: the record of what is managed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.output import show
from reconciler.errors import ReconcilerError, UsageError
from reconciler.model.kind import Kind
from reconciler.model.nearest import nearest_address
from reconciler.model.objects import Address, Record
from reconciler.model.plan import Selection


class _InOrder(click.Group):
    """A group whose help lists its commands as they are wanted: looking first, then what changes something."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(cls=_InOrder)
def state() -> None:
    """Look at, and mend, the record of what is managed."""


@state.command("list", short_help="List what is managed, with remote ids.")
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
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help
    from reconciler.operations.select import select  # noqa: PLC0415 - late, for a quick --help

    with _workspace(project, environment) as workspace:
        records = workspace.store.records()
    chosen = select(records.keys(), Selection(targets=targets, excludes=excludes), {}, records.keys())
    shown = [record for address, record in records.items() if address in chosen]
    rows = [_row(record, workspace.kinds) for record in shown]
    document = {"format_version": "1.0", "objects": rows}
    show(form, output, {"json": lambda: codec.dumps(document)}, lambda console: _table(console, rows))


@state.command("show", short_help="Show what is recorded of one object.")
@click.argument("address")
@options.common
@options.formatted("text", "json")
def show_object(
    address: str, project: Path | None, environment: str | None, form: str, output: Path | None, **_: Any
) -> None:
    """Show what is recorded of one object."""
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help

    with _workspace(project, environment) as workspace:
        records = workspace.store.records()
        record = records[_known(records, address)]
        row = _row(record, workspace.kinds)
    document = {"format_version": "1.0", **row, "fields": dict(record.fields)}
    if record.computed:
        document["computed"] = {part: dict(members) for part, members in record.computed.items()}
    show(form, output, {"json": lambda: codec.dumps(document)}, lambda console: _details(console, document))


@state.command(
    "mv",
    short_help="Give a managed object another name.",
    epilog=options.examples("state mv Session/yoga Session/spring-yoga"),
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@options.common
@options.locking
@options.dry
def move(
    source: str,
    target: str,
    project: Path | None,
    environment: str | None,
    quiet: bool,
    lock_timeout: float,
    dry_run: bool,
    **_: Any,
) -> None:
    """Give a managed object another name, so that its renamed manifest is neither deleted nor created.

    What refers to it is renamed too; the remote system is not asked.
    """
    say = options.notice(quiet)
    with _workspace(project, environment, quiet) as workspace, _held(workspace, dry_run, lock_timeout):
        records, known = _recorded(workspace.store)
        old, new = _known(known, source), _parsed(target)
        if old.kind != new.kind:
            hint = f"expected {old.kind}/NAME: an object keeps its kind"
            raise UsageError(f"{old} cannot become {new}", hint=hint)
        if new in known:
            whose = f" ({_place(workspace, records[new])})" if new in records else ""
            raise ReconcilerError(f"{new} is managed already{whose}", hint=f"reconciler state rm {new} forgets it")
        dependents = sorted(str(item.address) for item in records.values() if old in item.depends_on)
        if not dry_run:
            workspace.backup("mv")
            workspace.store.rename(old, new)
        whose = f" ({_place(workspace, records[old])})" if old in records else " (what an earlier run left unfinished)"
        say(f"{_would(dry_run, 'Renamed')} {old} to {new}{whose}; its manifest needs the same name")
        if dependents:
            say(f"{_would(dry_run, 'Renamed')} it in what depends on it: {', '.join(dependents)}")


@state.command(
    "rm",
    short_help="Forget objects; they stay on the remote system.",
    epilog=options.examples("state rm Session/spring-yoga", "state rm 'Block/*' --dry-run"),
)
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@options.common
@options.locking
@options.dry
def remove(
    addresses: tuple[str, ...],
    project: Path | None,
    environment: str | None,
    quiet: bool,
    lock_timeout: float,
    dry_run: bool,
    **_: Any,
) -> None:
    """Forget objects (globs): they stay as they are on the remote system, and are no longer managed.

    Calls to them whose result was never known, and what an expiry left behind, are forgotten too.
    """
    say = options.notice(quiet)
    with _workspace(project, environment, quiet) as workspace, _held(workspace, dry_run, lock_timeout):
        store = workspace.store
        records, known = _recorded(store)
        chosen = sorted({address for text in addresses for address in _matching(known, text)}, key=str)
        if not dry_run:
            workspace.backup("rm")
        for address in chosen:
            if not dry_run:
                store.remove(address)
                store.settle(address)
            say(f"{_would(dry_run, 'Forgot')} {_left(workspace, address, records.get(address))}")
        if not dry_run:
            store.prune()


@state.command(
    "restore",
    short_help="Bring a backup of the state back.",
    epilog=options.examples("state restore .reconciler/backups/state-20270301T090000.000000Z-rm.db"),
)
@click.argument("file", type=click.Path(path_type=Path))
@options.common
@options.locking
def restore(
    file: Path, project: Path | None, environment: str | None, quiet: bool, lock_timeout: float, **_: Any
) -> None:
    """Bring back what was recorded when FILE was kept: a backup, or a state's file of another place.

    Calls that are open now stay open, so that the next run looks for what they did.
    """
    with _workspace(project, environment, quiet) as workspace, workspace.hold(timeout=lock_timeout):
        workspace.store.restorable(file)
        workspace.backup("restore")
        found = workspace.store.restore(file)
    if not quiet:
        objects = "1 object" if found.objects == 1 else f"{found.objects} objects"
        calls = f" and {found.intents} calls of unknown result" if found.intents else ""
        options.say(f"Restored {objects}{calls} from {file}. To see how that fits: reconciler plan")


def _held(workspace: Any, dry_run: bool, timeout: float) -> Any:
    return nullcontext() if dry_run else workspace.hold(timeout=timeout)


def _would(dry_run: bool, done: str) -> str:
    return f"Not done (--dry-run): {done}" if dry_run else done


def _recorded(store: Any) -> tuple[Mapping[Address, Record], Collection[Address]]:
    """Return the records, and every address of which anything is recorded."""
    records = store.records()
    return records, {*records, *(item.address for item in store.open_intents()), *store.forgotten()}


def _place(workspace: Any, record: Record) -> str:
    return f"{record.connection} id {workspace.kinds[record.address.kind].public_id(record.remote_id)}"


def _left(workspace: Any, address: Address, record: Record | None) -> str:
    if record is None:
        return f"{address} (what an earlier run left unfinished or given up)"
    return f"{address} ({_place(workspace, record)} is left alone)"


@state.command("unlock", short_help="Take the lease from a dead run.")
@click.argument("run_id", metavar="ID")
@options.common
def unlock(run_id: str, project: Path | None, environment: str | None, quiet: bool, **_: Any) -> None:
    """Take the lease from the run ID, which must be dead: two writing runs at once could double things."""
    with _workspace(project, environment, quiet) as workspace:
        if not workspace.store.release(run_id):
            hint = "the id is in the message that said who holds it; it may have ended meanwhile"
            raise ReconcilerError(f"no run {run_id} holds this project's state", hint=hint)
    if not quiet:
        options.say(f"Run {run_id} no longer holds the state.")


def _workspace(project: Path | None, environment: str | None, quiet: bool = False) -> Any:
    return reconciler.ProjectSession(reconciler.open_project(project, environment), notice=options.notice(quiet))


def _parsed(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _known(addresses: Collection[Address], text: str) -> Address:
    address = _parsed(text)
    if address not in addresses:
        near = nearest_address(text, addresses)
        hint = f"did you mean {near}?" if near else "reconciler state list shows what is managed"
        raise ReconcilerError(f"{text} is not managed", hint=hint)
    return address


def _matching(addresses: Collection[Address], text: str) -> Collection[Address]:
    """Return what an address or a glob names; an error where that is nothing."""
    if not set(text) & set("*?["):
        return [_known(addresses, text)]
    found = [address for address in addresses if fnmatchcase(str(address), text)]
    if not found:
        raise ReconcilerError(f"{text} matches nothing that is managed", hint="reconciler state list shows what is")
    return found


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
    from reconciler.render.safe import harmless  # noqa: PLC0415 - only for people

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
        console.print(harmless(line.rstrip()))


def _details(console: Any, document: dict[str, Any]) -> None:
    from reconciler.render.safe import harmless  # noqa: PLC0415 - only for people

    for name, value in document.items():
        if name == "format_version":
            continue
        if isinstance(value, dict):
            console.print(harmless(f"{name}:"))
            for key, item in value.items():
                console.print(harmless(f"  {key}: {_words(item)}"))
        else:
            console.print(
                harmless(f"{name}: {', '.join(value) or 'nothing' if isinstance(value, list) else _words(value)}")
            )


def _words(value: Any) -> str:
    """Return a value as JSON, and plain text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
