"""sandbox: emulators of the remote systems on loopback, for trying out and for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from reconciler.cli.options import examples
from reconciler.errors import ReconcilerError, UsageError


@click.command(epilog=examples("sandbox", "sandbox --seed company --port 0", "sandbox --option show_fields=all"))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8700,
    show_default=True,
    help="Port on 127.0.0.1; 0 picks a free one.",
)
@click.option(
    "--seed",
    type=click.Choice(["none", "samples", "company"]),
    default="none",
    show_default=True,
    help="What is there at the start: nothing, the documents' samples, or a whole company.",
)
@click.option("--db", type=click.Path(path_type=Path), help="Keep the data in this SQLite file.")
@click.option(
    "--option",
    "choices",
    multiple=True,
    metavar="KEY=VALUE",
    help="Decide what the documents leave open; --option help lists every choice.",
)
def sandbox(port: int, seed: str, db: Path | None, choices: tuple[str, ...]) -> None:
    """Serve emulators of the three booking systems on loopback, from one port, until Ctrl-C."""
    try:
        from reconciler.sandbox import Options, serve  # noqa: PLC0415 - Starlette, only here
    except ImportError as error:
        message = f"the sandbox needs {error.name}, which is not installed"
        raise ReconcilerError(message, hint="in the checkout: pip install '.[sandbox]'") from None
    if "help" in choices:
        _list_choices(Options)
        return
    try:
        options = Options.parse(list(choices))
    except ValueError as error:
        raise UsageError(str(error), hint="reconciler sandbox --option help lists every choice") from None
    try:
        serve(options, port=port, seed=seed, db=db, on_ready=_welcome(options))
    except OSError as error:
        message = f"cannot listen on 127.0.0.1:{port}: {error.strerror}"
        raise ReconcilerError(message, hint="choose another with --port, or --port 0 for a free one") from None


def _welcome(options: object) -> Callable[[str], None]:
    def say(url: str) -> None:
        settings = {
            "BB_USERNAME": "username",
            "BB_PASSWORD": "password",
            "BB_APP_ID": "app_id",
            "BB_APP_KEY": "app_key",
            "BB_TOKEN": "auth_token",
            "CF_KEY": "checkfront_key",
            "CF_SECRET": "checkfront_secret",
        }
        click.echo(f"Sandbox at {url}, company {getattr(options, 'company_id')}. Ctrl-C ends it.")  # noqa: B009
        click.echo("Its credentials (they open nothing else):")
        for variable, name in settings.items():
            click.echo(f"  export {variable}={getattr(options, name)}")
        click.echo(f"Every request it got: {url}/_sandbox/log")

    return say


def _list_choices(options: type) -> None:
    """Print every choice with its values and what it is about."""
    from dataclasses import fields  # noqa: PLC0415 - only for this list

    for field in fields(options):
        allowed = field.metadata.get("choices")
        values = "|".join(map(str, allowed)) if allowed else str(field.type)
        default = "empty" if field.default == "" else field.default
        click.echo(f"{field.name}={values}  (default {default})\n    {field.metadata.get('about', '')}")
