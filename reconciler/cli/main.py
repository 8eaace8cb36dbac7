"""The command group, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from reconciler.cli.exits import Exit
from reconciler.cli.gathering import Decorator
from reconciler.cli.groups import Group
from reconciler.cli.signals import orderly
from reconciler.cli.streams import masked, stdout_lost
from reconciler.commands import chosen, using
from reconciler.errors import OutputFailed
from reconciler.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "demo": ("reconciler.cli.demo.command", "Run a complete example on an embedded sandbox, without set-up."),
    "init": ("reconciler.cli.commands.init", "Write a project to start from."),
    "validate": ("reconciler.cli.commands.validate", "Check manifests offline."),
    "fmt": ("reconciler.cli.commands.fmt", "Write manifests in their canonical form."),
    "render": ("reconciler.cli.commands.render", "Print the final manifests, after templates."),
    "plan": ("reconciler.cli.commands.plan", "Show what would change, and the exact calls."),
    "apply": ("reconciler.cli.commands.apply", "Apply a plan."),
    "show": ("reconciler.cli.commands.show", "Show a saved plan, report or drift document."),
    "drift": ("reconciler.cli.commands.drift", "Show what changed outside reconciler since the last apply."),
    "destroy": ("reconciler.cli.commands.destroy", "Delete all managed objects."),
    "adopt": ("reconciler.cli.commands.adopt", "Start managing an existing live object."),
    "export": ("reconciler.cli.commands.export", "Write live objects as manifests."),
    "state": ("reconciler.cli.commands.state", "Show and change the record of managed objects."),
    "schema": ("reconciler.cli.commands.schema", "Print a JSON Schema."),
    "explain": ("reconciler.cli.commands.explain", "Explain a kind and its fields."),
    "why": ("reconciler.cli.commands.why", "Show where each value of an object comes from."),
    "scaffold": ("reconciler.cli.commands.scaffold", "Print a manifest with every field."),
    "ci": ("reconciler.cli.commands.ci", "Steps of a pipeline at GitHub or GitLab."),
    "sandbox": ("reconciler.cli.commands.sandbox", "Serve emulators of the remote systems on loopback."),
}


class _LazyGroup(Group):
    """A group that imports a command's module when the command is used, so that `--help` is quick."""

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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Offer the commands without importing them."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        offered = [CompletionItem(name, help=words) for name, (_, words) in _COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(item for item in offered if item.value.startswith(incomplete)), *options]


def _completion(ctx: click.Context, param: click.Parameter, shell: str | None) -> None:
    if shell is None or ctx.resilient_parsing:
        return
    from reconciler.cli import install_completion  # noqa: PLC0415 - only with these options

    (install_completion.show if param.name == "show_completion" else install_completion.install)(shell)
    ctx.exit()


def _shell_option(name: str, words: str) -> Decorator:
    return click.option(
        name,
        type=click.Choice(("bash", "zsh", "fish", "auto")),
        is_flag=False,
        flag_value="auto",
        is_eager=True,
        expose_value=False,
        callback=_completion,
        metavar="[bash|zsh|fish]",
        help=f"{words} Default: this shell.",
    )


class _Formatter(click.HelpFormatter):
    """Help whose options leave two thirds of a narrow terminal to their descriptions."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width // 3), col_spacing)


click.Context.formatter_class = _Formatter


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
@_shell_option("--install-completion", "Let the shell complete commands, addresses and other names.")
@_shell_option("--show-completion", "Print the script that --install-completion writes.")
def cli() -> None:
    """Keep a booking business's timetable in Git: plan it on the pull request, apply it on merge."""


def complete() -> NoReturn:
    """Answer the question of a shell's completion script, and end."""
    from reconciler.cli.shells import answer  # noqa: PLC0415 - only for completion

    answer(cli)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; no traceback and no secret ever reaches the user."""
    with masked(), using(chosen(arguments)), orderly():
        return _delivered(_run(arguments))


def _delivered(code: int) -> int:
    """Write what is left of stdout; success without its output is an error, any other end keeps its exit code."""
    try:
        sys.stdout.flush()
    except OutputFailed as error:
        from reconciler.cli.failures import explain  # noqa: PLC0415 - rich, which most commands end without

        explain(error)
    return Exit.ERROR if stdout_lost() and code in {Exit.DONE, Exit.CHANGES} else code


def _run(arguments: Sequence[str]) -> int:
    try:
        result = cli.main(args=list(arguments), prog_name="reconciler", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        from reconciler.cli.habits import advised  # noqa: PLC0415 - only where a command line is wrong

        _show(advised(error, arguments, {name: words for name, (_, words) in _COMMANDS.items()}))
        return Exit.USAGE
    except click.ClickException as error:
        _show(error)
        return Exit.ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a defect is reported in words too
        from reconciler.cli.failures import explain  # noqa: PLC0415 - rich, which most commands end without

        return explain(error)
    return result if isinstance(result, int) else Exit.DONE


def _show(error: click.ClickException) -> None:
    """Print wrong usage as click does, with its code."""
    from reconciler.model.codes import tag  # noqa: PLC0415 - reads a file, which commands without an error do not need
    from reconciler.render.safe import harmless  # noqa: PLC0415 - as above

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return
    code = "usage" if isinstance(error, click.UsageError) else "run-failed"
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", err=True)
    first, *rest = error.format_message().split("\n")
    for line in (f"error[{tag(code)}]: {first}", *rest):
        click.echo(harmless(line), err=True)
