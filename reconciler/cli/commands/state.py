"""state: the record of the managed objects."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import click
from msgspec.structs import asdict

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.groups import Group
from reconciler.cli.options import Common
from reconciler.cli.output import Output, show, versioned_json
from reconciler.commands import kept
from reconciler.errors import ReconcilerError, UsageError
from reconciler.model.nearest import meant, nearest_address
from reconciler.model.words import count

if TYPE_CHECKING:
    from reconciler import Address, ProjectSession, Selection
    from reconciler.model.kind import Kind
    from reconciler.model.objects import Record
    from reconciler.render.console import Console
    from reconciler.state.store import Store

Row = dict[str, object]


@click.group(cls=Group)
def state() -> None:
    """Show and change the record of managed objects."""


@state.command("list", short_help="List the managed objects with their remote ids.")
@options.common
@options.selecting
@options.formatted("text", "json")
def list_objects(common: Common, selection: Selection, output: Output) -> None:
    """List every managed object with its remote id."""
    with common.session(common.open_warned()) as session:
        records = session.store.records()
    chosen = reconciler.select(records.keys(), selection, {}, records.keys())
    rows = [_row(record, session.kinds) for address, record in records.items() if address in chosen]
    show(
        output,
        text=lambda console: _table(console, rows),
        json=lambda: versioned_json({"objects": rows}),
    )


@state.command("show", short_help="Show what is recorded about one object.")
@click.argument("address", shell_complete=completion.addresses)
@options.common
@options.formatted("text", "json")
def show_object(address: str, common: Common, output: Output) -> None:
    """Show what is recorded about one object."""
    with common.session(common.open_warned()) as session:
        records = session.store.records()
        record = records[_known(records, address)]
        row = _row(record, session.kinds)
    row["fields"] = dict(record.fields)
    if record.computed:
        row["computed"] = {part: dict(members) for part, members in record.computed.items()}
    show(
        output,
        text=lambda console: _details(console, row),
        json=lambda: versioned_json(row),
    )


@state.command(
    "mv",
    short_help="Rename a managed object.",
    epilog=options.examples("state mv Session/yoga Session/spring-yoga"),
)
@click.argument("source", metavar="FROM", shell_complete=completion.addresses)
@click.argument("target", metavar="TO", shell_complete=completion.addresses)
@options.common
@options.locking
@options.dry_run
def move(source: str, target: str, common: Common, lock_timeout: float, dry_run: bool) -> None:
    """Rename a managed object, so that its renamed manifest neither deletes nor creates an object.

    References to it are renamed too. No call is sent to the remote system.
    """
    with common.session(common.open_warned()) as session, _held(session, dry_run, lock_timeout):
        records, known = _recorded(session.store)
        old, new = _known(known, source), _parsed(target)
        if old.kind != new.kind:
            hint = f"expected {old.kind}/NAME: the kind of an object cannot change"
            raise UsageError(f"{old} cannot be renamed to {new}", hint=hint)
        if new in known:
            whose = f" ({_place(session, records[new])})" if new in records else ""
            raise ReconcilerError(
                f"{new} is already managed{whose}", hint=f"to stop managing it: `reconciler state rm {new}`"
            )
        dependents = sorted(str(item.address) for item in records.values() if old in item.depends_on)
        if not dry_run:
            session.backup("mv")
            session.store.rename(old, new)
        whose = f" ({_place(session, records[old])})" if old in records else " (left unfinished by an earlier run)"
        common.say(f"{_done(dry_run, 'Renamed', 'rename')} {old} to {new}{whose}; rename it in its manifest too")
        if dependents:
            common.say(f"{_done(dry_run, 'Renamed', 'rename')} the reference to it in: {', '.join(dependents)}")


@state.command(
    "rm",
    short_help="Stop managing objects; the remote objects are unchanged.",
    epilog=options.examples("state rm Session/spring-yoga", "state rm 'Block/*' --dry-run"),
)
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...", shell_complete=completion.addresses)
@options.common
@options.locking
@options.dry_run
def remove(addresses: tuple[str, ...], common: Common, lock_timeout: float, dry_run: bool) -> None:
    """Stop managing objects (globs). The remote objects are unchanged.

    Also removes the records of their calls with an unknown result, and of expired objects.
    """
    with common.session(common.open_warned()) as session, _held(session, dry_run, lock_timeout):
        store = session.store
        records, known = _recorded(store)
        known = {*known, *(item.address for item in store.doubts())}
        chosen = sorted({address for text in addresses for address in _matching(known, text)}, key=str)
        if not dry_run:
            session.backup("rm")
            store.unmanage(chosen)
        for address in chosen:
            common.say(f"{_done(dry_run, 'Removed', 'remove')} {_left(session, address, records.get(address))}")


@state.command(
    "restore",
    short_help="Restore a backup of the state.",
    epilog=options.examples("state restore .reconciler/backups/state-20270301T090000.000000Z-rm.db"),
)
@click.argument("file", type=click.Path(path_type=Path))
@options.common
@options.locking
def restore(file: Path, common: Common, lock_timeout: float) -> None:
    """Restore the state from FILE: a backup, or the state file of another installation.

    Calls with an unknown result stay recorded, so that the next run looks for their effect.
    """
    with common.session(common.open_warned()) as session, session.hold(timeout=lock_timeout):
        session.store.restorable(file)
        session.backup("restore")
        found = session.store.restore(file)
    calls = f" and {count(found.intents, 'call')} with an unknown result" if found.intents else ""
    common.say(f"Restored {count(found.objects, 'object')}{calls} from {file}. To check it: `reconciler plan`")


@state.command(
    "migrate",
    short_help="Copy the state to another place.",
    epilog=options.examples(
        "state migrate --to git+https://github.com/acme/timetable.git#reconciler-state --dry-run",
        "state migrate --to postgresql://reconciler@db.example.com/reconciler",
    ),
)
@click.option("--to", "url", metavar="URL", required=True, help="The new state, as spec.state takes it.")
@options.common
@options.locking
@options.dry_run
def migrate(url: str, common: Common, lock_timeout: float, dry_run: bool) -> None:
    """Copy everything that is recorded of this project and environment to another state, and read it back.

    The present state stays as it is, and no call is sent to a remote system. Then set spec.state to the new URL.
    """
    project = common.open_warned()
    with common.session(project) as session:
        found = reconciler.migrate_state(session, url, dry_run=dry_run, lock_timeout=lock_timeout, notice=common.say)
    calls = f", {count(found.intents, 'call')} with an unknown result" if found.intents else ""
    others = count(found.others, "other record")
    common.say(
        f"{_done(dry_run, 'Copied', 'copy')} {count(found.objects, 'object')}{calls} and {others} to {found.target}"
    )
    if not dry_run:
        where = project.state_at or f"spec in {project.file.name}"
        common.say(f"The state {found.source} is unchanged. To use the new one, write at {where}:")
        common.say(f"  state: {found.target}")
        common.say(
            "Do this on every machine and branch before the next apply: two states would both manage the objects."
        )


@state.command("unlock", short_help="Release the state lock of a dead run.")
@click.argument("run_id", metavar="ID")
@options.common
def unlock(run_id: str, common: Common) -> None:
    """Release the state lock of the run ID. The run must be dead: two concurrent runs could create duplicates."""
    with common.session(common.open_warned()) as session:
        living = session.store.living(run_id)
        if not session.store.release(run_id):
            hint = "the error message about the lock shows the run id; that run may have ended already"
            raise ReconcilerError(f"run {run_id} does not hold the state lock", hint=hint)
    still = "" if living is None else f" Its process {living.pid} still exists, and stops before its next call."
    common.say(f"Run {run_id} no longer holds the state lock.{still}")


def _held(session: ProjectSession, dry_run: bool, timeout: float) -> AbstractContextManager[object]:
    return nullcontext() if dry_run else session.hold(timeout=timeout)


def _done(dry_run: bool, done: str, verb: str) -> str:
    return f"Would {verb}" if dry_run else done


def _recorded(store: Store) -> tuple[Mapping[Address, Record], Collection[Address]]:
    """Return the records, and every address about which anything is recorded."""
    records = store.records()
    return records, {*records, *(item.address for item in store.open_intents()), *store.forgotten()}


def _place(session: ProjectSession, record: Record) -> str:
    return f"{record.connection} id {session.kinds[record.address.kind].public_id(record.remote_id)}"


def _left(session: ProjectSession, address: Address, record: Record | None) -> str:
    if record is None:
        return f"{address} (left unfinished by an earlier run, or expired)"
    return f"{address} ({_place(session, record)} is unchanged)"


def _parsed(text: str) -> Address:
    try:
        return reconciler.Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _known(addresses: Collection[Address], text: str) -> Address:
    address = _parsed(text)
    if address not in addresses:
        hint = meant(nearest_address(text, addresses), "to see the managed objects: `reconciler state list`")
        raise ReconcilerError(f"{text} is not managed", hint=hint)
    return address


def _matching(addresses: Collection[Address], text: str) -> Collection[Address]:
    """Return the addresses that an address or a glob names; ReconcilerError where there is none."""
    if not set(text) & set("*?["):
        return [_known(addresses, text)]
    found = [address for address in addresses if address.matches(text)]
    if not found:
        raise ReconcilerError(
            f"{text} matches no managed object", hint="to see the managed objects: `reconciler state list`"
        )
    return found


def _row(record: Record, kinds: Mapping[str, Kind]) -> Row:
    """Return what is recorded, without its values; an id that is a credential is masked."""
    row = {name: value for name, value in asdict(record).items() if name not in {"address", "fields", "computed"}}
    return {
        "address": str(record.address),
        **row,
        "remote_id": kinds[record.address.kind].public_id(record.remote_id),
        "depends_on": [str(item) for item in record.depends_on],
    }


def _table(console: Console, shown: Iterable[Row]) -> None:
    from reconciler.render.console import say

    names = ("address", "connection", "remote_id", "updated_at")
    rows = [(*(str(row[name]) for name in names), "protected" if row["protect"] else "") for row in shown]
    if not rows:
        say(console, "No objects are managed.")
        return
    # Never truncated, so that an address can be copied: where a row is too wide, it takes two lines.
    table = [("ADDRESS", "CONNECTION", "ID", "UPDATED", ""), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    narrow = sum(widths) + 2 * len(widths) > console.width
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        for line in (cells[0], f"  {'  '.join(cells[1:])}") if narrow else ("  ".join(cells),):
            say(console, line.rstrip())


def _details(console: Console, row: Row) -> None:
    from reconciler.render.console import say

    for name, value in row.items():
        if isinstance(value, dict):
            say(console, f"{name}:")
            for key, item in value.items():
                say(console, f"  {key}:{'' if _listed(item) else f' {_text(item)}'}")
                for part in item if _listed(item) else ():
                    members = part.items() if isinstance(part, Mapping) else ()
                    words = ", ".join(f"{key}: {_text(value)}" for key, value in members) or _text(part)
                    say(console, f"    - {words}")
        else:
            shown = ", ".join(value) or "nothing" if isinstance(value, list) else _text(value)
            say(console, f"{name}: {shown}")


def _listed(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is shown with each of its items in a line."""
    return isinstance(value, (list, tuple)) and len(value) > 1


def _text(value: object) -> str:
    """Return a value as JSON, and plain text without its quotes."""
    return kept(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
