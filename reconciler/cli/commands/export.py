"""export: live objects as manifests."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler import redaction
from reconciler.cli import options
from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler import Declared
    from reconciler.engine.export import Choice
    from reconciler.operations.export import Export, Exported, ExportRequest
    from reconciler.settings import Project

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_YEAR = 365
_NAMED = 10
"""Files and objects that are named one by one."""


@click.command(
    epilog=options.examples(
        "export --out manifests",
        "export --kind Session --match '*yoga*'",
        "export --out manifests --kind Block --from 2027-01-01 --until 2027-12-31",
    )
)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write files below this folder.")
@click.option("--force", is_flag=True, help="Replace files that have another content.")
@click.option("--connection", "connections", multiple=True, metavar="NAME", help="Only of this connection.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind.")
@click.option("--match", "matches", multiple=True, metavar="GLOB", help="Only what has such a live name or address.")
@click.option("--from", "first", type=_DAY, metavar="DATE", help="First day of blocks. Default: today.")
@click.option("--until", "last", type=_DAY, metavar="DATE", help="Last day of blocks. Default: a year after the first.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="A held booking, whose system has no list.")
@options.common
@options.parallel
def export(
    addresses: tuple[str, ...],
    out: Path | None,
    force: bool,
    first: datetime | None,
    last: datetime | None,
    project: Path | None,
    environment: str | None,
    verbose: bool,
    quiet: bool,
    parallelism: int | None,
    **chosen: tuple[str, ...],
) -> int:
    """Write live objects as manifests: one stream to stdout, or with --out one file for each object.

    Reads only. What is managed or declared keeps its address; anything else is named after what it is called. A
    manifest states what the API answers, without its documented defaults; comments say what it does not answer and
    what no manifest may hold. Blocks are looked for between two days, because there is no list of all of them. A
    held booking is written where it is managed or named by --id; its own id is never written.

    After it, `reconciler adopt --all` takes all of it under management, and the next plan is empty. Where several
    live objects have the same natural key, the annotation `adopt-id` tells them apart.

    With --out nothing is written if a file with another content stands in the way, unless --force is given, and
    what the project declares in another file is left out unless an ADDRESS names it. Exit code 1: something could
    not be read; all the rest is written.
    """
    from reconciler.cli.output import people, write  # noqa: PLC0415 - rich, only where there is something to say
    from reconciler.render import text  # noqa: PLC0415 - late, for a quick --help

    options.log_requests(verbose)
    if force and out is None:
        raise UsageError("--force goes with --out")
    window = _window(first, last)
    settings = reconciler.open_project(project, environment)
    _, declared = reconciler.check(settings)
    request = _request(addresses, window, **chosen)
    for number in request.ids:
        redaction.hide(number)  # a session id works like a password
    with reconciler.Workspace(settings, parallelism=parallelism) as workspace:
        made = reconciler.export(workspace, declared, request)
    text.problems(people(), made.problems)
    said = _notes(declared, made, window, out)
    if out is None:
        write(_stream(made.manifests), None)
        said.append(f"Exported {_counted(made.manifests)}.")
    else:
        said += _save(settings, declared, made, out, request.choice, force=force)
    for line in () if quiet else said:
        options.say(line)
    return 0 if made.complete else 1


def _request(
    addresses: tuple[str, ...], window: tuple[str, str], *, matches: tuple[str, ...], **more: tuple[str, ...]
) -> ExportRequest:
    from reconciler.engine.export import Choice  # noqa: PLC0415 - late, for a quick --help
    from reconciler.operations.export import ExportRequest  # noqa: PLC0415 - late, for a quick --help

    return ExportRequest(choice=Choice(addresses=addresses, matches=matches), window=window, **more)


def _window(first: datetime | None, last: datetime | None) -> tuple[str, str]:
    """Return the days of the window as instants: from the first one's beginning to the last one's end."""
    begin = first.date() if first is not None else datetime.now(UTC).date()
    try:
        end = last.date() if last is not None else begin + timedelta(days=_YEAR)
        after = end + timedelta(days=1)
    except OverflowError:
        raise UsageError("--until is too late; expected a day before 9999-12-31") from None
    if end < begin:
        raise UsageError(f"--until {end} is before --from {begin}; expected the same day or later")
    return _midnight(begin), _midnight(after)


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _notes(declared: Declared, made: Export, window: tuple[str, str], out: Path | None) -> list[str]:
    notes = []
    if made.windowed:
        last = date.fromisoformat(window[1][:10]) - timedelta(days=1)
        notes.append(f"Blocks from {window[0][:10]} until {last}; for other days: --from DATE --until DATE.")
    # The first export makes the folder that spec.manifests names.
    errors = [item for item in declared.errors if item.code != "path-missing" or out is None or out.exists()]
    if errors:
        count = len(errors)
        words = "1 problem" if count == 1 else f"{count} problems"
        notes.append(
            f"The manifests have {words}; what cannot be read of them counts as not declared: reconciler validate"
        )
    return notes


def _save(settings: Project, declared: Declared, made: Export, out: Path, choice: Choice, *, force: bool) -> list[str]:
    """Write the files and return what to say about it."""
    from reconciler.cli.commands.export_files import elsewhere, save  # noqa: PLC0415 - late, for a quick --help

    skipped = elsewhere(settings, declared, made.manifests, out, choice)
    # A comment in the place of a manifest would have the next plan delete what is managed.
    kept = [item for item in made.manifests if item.known and not item.complete]
    items = [item for item in made.manifests if str(item.address) not in skipped and item not in kept]
    written, unchanged = save(out, items, force=force)
    said = [f"Left {item.address} as it is declared: what is live of it cannot be." for item in kept]
    said += [f"Left out {address}: {file} declares it." for address, file in sorted(skipped.items())[:_NAMED]]
    if len(skipped) > _NAMED:
        said.append(f"Left out {len(skipped) - _NAMED} more that are declared already.")
    said += [f"Wrote {file}" for file in written[:_NAMED]]
    if len(written) > _NAMED:
        said.append(f"Wrote {len(written) - _NAMED} more files")
    said.append(f"Exported {_counted(items)} to {out}: {len(written)} written, {unchanged} unchanged.")
    if any(item.complete and not item.known for item in items):
        said.append("To manage what is new from now on (spec.manifests has to name it): reconciler adopt --all")
    return said


def _stream(items: Sequence[Exported]) -> str:
    """Return the manifests as one stream; ReconcilerError where stdout cannot carry their characters."""
    body = "---\n".join(item.text for item in items)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        body.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        hint = "write files with --out DIR, or set PYTHONIOENCODING=utf-8"
        raise ReconcilerError(f"this output's encoding ({encoding}) cannot carry the manifests", hint=hint) from None
    return body


def _counted(items: Sequence[Exported]) -> str:
    from collections import Counter  # noqa: PLC0415 - only here

    kinds = Counter(item.address.kind for item in items)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{len(items)} object{'' if len(items) == 1 else 's'}" + (f" ({counted})" if counted else "")
