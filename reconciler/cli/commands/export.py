"""export: live objects as manifests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

import reconciler
from reconciler import redaction
from reconciler.cli import completion, options
from reconciler.cli.commands.export_files import check_folder, elsewhere, save
from reconciler.cli.exits import Exit
from reconciler.cli.gathering import gathered
from reconciler.cli.options import Common
from reconciler.cli.output import is_stdout, say_problems, write
from reconciler.cli.progress import progress
from reconciler.errors import UsageError
from reconciler.model import moments
from reconciler.model.words import count

if TYPE_CHECKING:
    from reconciler import Declared, Export, ExportRequest, Project
    from reconciler.operations.export import Exported


_YEAR = 365
_NAMED = 10
"""Files and objects that are named one by one."""


def _day(text: str) -> date:
    """Return a date as manifests write it; the error says what is wrong with it."""
    try:
        return moments.day(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _request(*, first: date | None, last: date | None, **chosen: tuple[str, ...]) -> ExportRequest:
    return reconciler.ExportRequest(window=_window(first, last), **chosen)


def _window(first: date | None, last: date | None) -> tuple[str, str]:
    """Return the days of the window as instants: from the start of the first to the end of the last."""
    begin = first if first is not None else datetime.now(UTC).date()
    try:
        end = last if last is not None else begin + timedelta(days=_YEAR)
        after = end + timedelta(days=1)
    except OverflowError:
        raise UsageError("--until is too late; expected a day before 9999-12-31") from None
    if end < begin:
        raise UsageError(f"--until {end} is before --from {begin}; expected the same day or later")
    return _midnight(begin), _midnight(after)


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


_requesting = gathered(
    "request",
    _request,
    click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=completion.addresses),
    click.option(
        "--connection",
        "connections",
        multiple=True,
        metavar="NAME",
        shell_complete=completion.connections,
        help="Limit to this connection (repeatable).",
    ),
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        metavar="KIND",
        shell_complete=completion.kinds,
        help="Limit to this kind (repeatable).",
    ),
    click.option(
        "--match",
        "matches",
        multiple=True,
        metavar="GLOB",
        help="Limit to objects whose live name or address matches this glob (repeatable).",
    ),
    click.option("--from", "first", type=_day, metavar="DATE", help="First day of blocks to export. Default: today."),
    click.option(
        "--until",
        "last",
        type=_day,
        metavar="DATE",
        help="Last day of blocks to export. Default: one year after the first.",
    ),
    click.option(
        "--id",
        "ids",
        multiple=True,
        metavar="ID",
        help="Export the held booking with this id; the API cannot list held bookings (repeatable).",
    ),
)


@click.command(
    epilog=options.examples(
        "export --out manifests",
        "export --kind Session --match '*yoga*'",
        "export --out manifests --kind Block --from 2027-01-01 --until 2027-12-31",
    )
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, allow_dash=True),
    help="Write files to this folder; - is stdout. Default: stdout.",
)
@click.option("--force", is_flag=True, help="Overwrite files that have different content.")
@_requesting
@options.connecting
@options.parallel
@options.limiting
def export(
    out: Path | None,
    force: bool,
    request: ExportRequest,
    common: Common,
    parallelism: int | None,
    timeout: float | None,
) -> int:
    """Write live objects as manifests: to stdout, or with --out to one file for each object.

    Only reads. A managed or declared object keeps its address; the address of any other object is made from its live
    name. A manifest contains the fields that the API returns, without documented defaults. Comments list the fields
    that the API does not return, and values that a manifest cannot contain. Blocks are exported for a range of days,
    because the API has no list of all blocks. A held booking is exported if it is managed or selected by --id; its
    own id is never written.

    Afterwards, `reconciler adopt --all` starts managing all of the objects, and the next plan is empty. If several
    live objects have the same natural key, the annotation `adopt-id` identifies each of them.

    With --out, nothing is written if a file already exists with different content, unless --force is given. An
    object that the project declares in another file is skipped, unless an ADDRESS selects it. Exit code 1: some
    objects could not be read; all others are written.
    """
    if out is not None and is_stdout(out):
        out = None
    if force and out is None:
        raise UsageError("--force needs --out")
    if out is not None:
        check_folder(out)
    project = common.open_warned()
    declared = reconciler.check(project)
    for number in request.ids:
        redaction.hide(number)  # a session id works like a password
    with (
        common.session(project, parallelism, timeout) as session,
        progress("Reading the live objects", session.traffic, quiet=common.quiet),
    ):
        made = reconciler.export(session, declared, request)
    say_problems(made.problems)
    said = _notes(declared, made, request.window, out)
    if out is None:
        write(lambda: (("---\n" if number else "") + item.text for number, item in enumerate(made.manifests)), None)
        said.append(f"Exported {_counted(made.manifests)}.")
    else:
        items, words = _save(project, declared, made, out, request, force=force)
        said += words
        if any(item.complete and not item.known for item in items):
            said.append("To manage the new objects (spec.manifests must include them): `reconciler adopt --all`")
    for line in said:
        common.say(line)
    return Exit.DONE if made.complete else Exit.ERROR


def _notes(declared: Declared, made: Export, window: tuple[str, str], out: Path | None) -> list[str]:
    notes = []
    if made.windowed:
        last = date.fromisoformat(window[1][:10]) - timedelta(days=1)
        notes.append(f"Blocks from {window[0][:10]} until {last}; for other days: --from DATE --until DATE.")
    # The first export creates the folder that spec.manifests names.
    errors = [item for item in declared.errors if item.code != "path-missing" or out is None or out.exists()]
    if errors:
        words = count(len(errors), "problem")
        notes.append(
            f"The manifests have {words}. Objects that cannot be read from them count as not declared. "
            "To see the problems: `reconciler validate`"
        )
    return notes


def _save(
    project: Project, declared: Declared, made: Export, out: Path, request: ExportRequest, *, force: bool
) -> tuple[list[Exported], list[str]]:
    """Write the files; return what they contain, and what to say about it."""
    from reconciler.operations.schemas import modeline

    skipped = elsewhere(project, declared, made.manifests, out, request.choice)
    # A comment instead of a manifest would make the next plan delete the managed object.
    kept = [item for item in made.manifests if item.known and not item.complete]
    items = [
        replace(item, text=modeline(out / item.path, project.root) + item.text)
        for item in made.manifests
        if str(item.address) not in skipped and item not in kept
    ]
    written, unchanged = save(out, items, force=force)
    said = [f"Kept the manifest of {item.address}: a manifest cannot express its live state." for item in kept]
    said += [f"Skipped {address}: {file} already declares it." for address, file in sorted(skipped.items())[:_NAMED]]
    if len(skipped) > _NAMED:
        said.append(f"Skipped {count(len(skipped) - _NAMED, 'more object')} already declared.")
    said += [f"Wrote {file}" for file in written[:_NAMED]]
    if len(written) > _NAMED:
        said.append(f"Wrote {len(written) - _NAMED} more files")
    said.append(f"Exported {_counted(items)} to {out}: {len(written)} written, {unchanged} unchanged.")
    return items, said


def _counted(items: Sequence[Exported]) -> str:
    kinds = Counter(item.address.kind for item in items)
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return count(len(items), "object") + (f" ({counted})" if counted else "")
