"""sandbox: emulators of the remote systems on loopback, for trying out and for tests."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.errors import ReconcilerError, UsageError
from reconciler.render.safe import harmless
from reconciler.version import DISTRIBUTION

if TYPE_CHECKING:
    from reconciler.sandbox import Options

_OTHER_PORT = "use another --port, or --port 0 for a free one, and write it into base_url of the project file"


@click.command(
    epilog=options.examples("sandbox", "sandbox --seed company --port 0", "sandbox --option show_fields=all")
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8700,
    show_default=True,
    help="Port on 127.0.0.1; 0 picks a free one.",
)
@click.option(
    "--seed",
    type=click.Choice(["none", "samples", "company", "hostile"]),
    default="none",
    show_default=True,
    help="Initial data: none, the samples of the API documents, a small leisure centre (company), or many objects with "
    "names that are hard to handle (hostile).",
)
@click.option("--db", type=click.Path(path_type=Path), help="Keep the data in this SQLite file. Default: in memory.")
@click.option(
    "--option",
    "choices",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a behaviour that the API documents do not define (repeatable); --option help lists all.",
)
@click.option(
    "--name",
    metavar="NAME",
    help="Name of the sandbox; the same name has the same credentials. Default: new ones, or those of the --db file.",
)
def sandbox(port: int, seed: str, db: Path | None, choices: tuple[str, ...], name: str | None) -> None:
    """Serve emulators of the three booking systems on loopback, from one port, until Ctrl-C.

    Each sandbox has its own credentials, which it prints. Its name is in the header X-Sandbox of each answer.
    """
    with needing_extra("the sandbox"):
        from reconciler.sandbox import Options, occupant, serve, with_own_credentials
    if "help" in choices:
        _list_choices(Options)
        return
    try:
        parsed = Options.parse([*choices, *([f"name={name}"] if name else ())])
        stated = {choice.partition("=")[0].strip().replace("-", "_") for choice in choices} | (
            {"name"} if name else set()
        )
        chosen = with_own_credentials(parsed, stated, name or (None if db is None else str(db.absolute())))
    except ValueError as error:
        raise UsageError(str(error), hint="`reconciler sandbox --option help` lists all options") from None
    try:
        serve(chosen, port=port, seed=seed, db=db, on_ready=_welcome(chosen))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            hint = "check the path of --db" if error.errno == errno.EINVAL else _OTHER_PORT
            raise ReconcilerError(f"the sandbox did not start: {error.strerror}", hint=hint) from None
        message = f"the sandbox did not start: port {port} is in use by {harmless(occupant(port))}"
        raise ReconcilerError(message, hint=f"stop that program, or {_OTHER_PORT}") from None


@contextmanager
def needing_extra(what: str) -> Iterator[None]:
    """Import the sandbox inside this block; ReconcilerError says how to install what is missing."""
    try:
        yield
    except ImportError as error:
        message = f"{what} needs {error.name}, which is not installed"
        raise ReconcilerError(message, hint=f"pip install '{DISTRIBUTION}[sandbox]'") from None


def _welcome(options: Options) -> Callable[[str], None]:
    from reconciler.sandbox import credentials

    def say(url: str) -> None:
        click.echo(f"Sandbox at {url}, company {options.company_id}. Ctrl-C stops it.")
        click.echo(f"Its name is {options.name}. Its credentials (valid only for this sandbox):")
        for variable, value in credentials(options).items():
            click.echo(f"  export {variable}={value}")
        also = f" (or {options.company_alias}, as in the examples)" if options.company_alias else ""
        click.echo(f"In the project file: base_url: {url}, company_id: {options.company_id}{also}")
        click.echo(f"Log of all requests: {url}/_sandbox/log")

    return say


def _list_choices(options: type[Options]) -> None:
    """Print every option with its values and what it is about."""
    for field in fields(options):
        allowed = field.metadata.get("choices")
        values = "|".join(map(str, allowed)) if allowed else str(field.type)
        default = "empty" if field.default == "" else field.default
        click.echo(f"{field.name}={values}  (default {default})\n    {field.metadata.get('about', '')}")
