"""The command group, and the one place where an error becomes words and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from reconciler import __version__
from reconciler.errors import InvalidInput, ReconcilerError, Refused, StalePlan

EXIT_USAGE = 64
EXIT_INTERRUPTED = 130

_COMMANDS = {
    "demo": ("reconciler.cli.demo.command", "The whole loop on an embedded sandbox, no set-up."),
    "validate": ("reconciler.cli.commands.validate", "Check manifests, offline."),
    "plan": ("reconciler.cli.commands.change", "Show what would change, and the exact calls."),
    "apply": ("reconciler.cli.commands.change", "Carry out a plan."),
    "show": ("reconciler.cli.commands.show", "Show a saved plan, report or drift document."),
    "drift": ("reconciler.cli.commands.drift", "Show what changed outside since the last apply."),
    "destroy": ("reconciler.cli.commands.change", "Delete all that is managed."),
    "adopt": ("reconciler.cli.commands.adopt", "Take an existing live object under management."),
    "export": ("reconciler.cli.commands.export", "Write live objects as manifests."),
    "state": ("reconciler.cli.commands.state", "The record of what is managed."),
    "schema": ("reconciler.cli.commands.schema", "Print a JSON Schema."),
    "explain": ("reconciler.cli.commands.explain", "Say what a kind and its fields mean."),
    "sandbox": ("reconciler.cli.commands.sandbox", "Serve emulators of the remote systems on loopback."),
}


class _LateGroup(click.Group):
    """A group that imports a command's module when that command is asked for, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from reconciler.model.nearest import nearest  # noqa: PLC0415 - only where a command is misspelt

            near = nearest(args[0], _COMMANDS)
            if near is None or near in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near!r}?", ctx) from None


@click.group(cls=_LateGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
def cli() -> None:
    """Keep a booking business's timetable in Git: plan it on the pull request, apply it on merge."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; no traceback and no secret ever reaches the user."""
    from reconciler.cli.output import guarded  # noqa: PLC0415 - only what runs is guarded
    from reconciler.cli.signals import orderly  # noqa: PLC0415 - as above

    with guarded(), orderly():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        result = cli.main(args=list(arguments), prog_name="reconciler", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE if isinstance(error, click.UsageError) else 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a defect of ours must be told in words too
        return _end_with(error)
    return result if isinstance(result, int) else 0


def _end_with(error: Exception) -> int:
    if isinstance(error, ReconcilerError):
        _explain(error)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        # The reader (head, a pager) has gone: nothing is wrong. Keep the interpreter from flushing into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    _explain_defect(error)
    return 1


def _explain(error: ReconcilerError) -> None:
    from reconciler.cli.output import people  # noqa: PLC0415 - only where there is something to say
    from reconciler.render import text  # noqa: PLC0415 - as above
    from reconciler.render.safe import harmless  # noqa: PLC0415 - as above

    console = people()
    if isinstance(error, (InvalidInput, Refused)) and error.problems:
        text.problems(console, error.problems)
    reasons = [f"  {reason}" for reason in error.reasons] if isinstance(error, StalePlan) else []
    hint = [f"  hint: {error.hint}"] if error.hint else []
    for line in (f"error: {error.message}", *reasons, *hint):
        console.print(harmless(line))


def _explain_defect(error: Exception) -> None:
    import traceback  # noqa: PLC0415 - only on a defect

    from reconciler.render.safe import visible  # noqa: PLC0415 - as above

    if os.environ.get("RECONCILER_DEBUG"):
        click.echo("".join(traceback.format_exception(error)), err=True)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    click.echo(
        f"error: internal error ({type(error).__name__}: {visible(str(error))}) at {place}\n"
        "  hint: this is a defect of reconciler; please report it with the output of RECONCILER_DEBUG=1",
        err=True,
    )
