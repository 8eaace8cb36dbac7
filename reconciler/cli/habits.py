"""What people type who know another tool: the command or option that they meant.

It is loaded only after a wrong command line. What this program has itself, or nearly, needs no entry here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import click

from reconciler.cli.groups import NoSuchCommand
from reconciler.model.nearest import nearest

COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(("import", "claim", "add", "manage"), "adopt"),
    **dict.fromkeys(("diff", "preview", "dry-run", "whatif", "what-if"), "plan"),
    **dict.fromkeys(("up", "sync", "deploy", "push", "update", "create", "converge", "reconcile", "run"), "apply"),
    **dict.fromkeys(("check", "lint", "test", "verify"), "validate"),
    **dict.fromkeys(("template", "build", "synth", "compile"), "render"),
    **dict.fromkeys(("refresh", "status"), "drift"),
    **dict.fromkeys(("delete", "down", "teardown", "undeploy", "remove"), "destroy"),
    **dict.fromkeys(("pull", "dump", "backup", "download", "generate"), "export"),
    **dict.fromkeys(("get", "list", "ls"), "state list"),
    **dict.fromkeys(("unlock", "force-unlock", "state force-unlock"), "state unlock"),
    **dict.fromkeys(("mv", "move", "rename", "state move", "state rename"), "state mv"),
    **dict.fromkeys(("rm", "forget", "state remove", "state delete", "state forget"), "state rm"),
    **dict.fromkeys(("describe", "cat", "view", "state get", "state describe"), "state show"),
    **dict.fromkeys(("new", "start", "setup"), "init"),
    **dict.fromkeys(("serve", "server", "mock", "emulator"), "sandbox"),
    **dict.fromkeys(("docs", "doc"), "explain"),
    "state ls": "state list",
    "version": "--version",
    "help": "--help",
}
"""Commands of other tools, and ours. `state ls` is `ls` typed after `state`."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("auto-approve", "approve", "assume-yes", "force", "confirm", "input", "no-input"), ("--yes",)),
    **dict.fromkeys(("json", "o"), ("--format", "--output")),
    **dict.fromkeys(("config", "chdir", "dir", "C", "c"), ("--project",)),
    **dict.fromkeys(("environment", "workspace", "stage", "profile", "context", "e"), ("--env",)),
    **dict.fromkeys(("only", "filter", "selector", "resource", "t", "l"), ("--target",)),
    **dict.fromkeys(("ignore", "skip", "except"), ("--exclude",)),
    **dict.fromkeys(("concurrency", "jobs", "threads", "workers", "j"), ("--parallelism",)),
    **dict.fromkeys(("debug", "log-level", "trace"), ("--verbose",)),
    **dict.fromkeys(("silent", "s"), ("--quiet",)),
    **dict.fromkeys(("check", "exit-code", "exitcode"), ("--detailed-exitcode",)),
    **dict.fromkeys(("overwrite", "replace-existing"), ("--force",)),
    "V": ("--version",),
}
"""Options of other tools, without dashes, and ours: the first one that the command has is named."""

NOTES: Mapping[str, str] = {
    **dict.fromkeys(
        ("dry-run", "what-if", "preview", "n"),
        "`reconciler plan` shows what would change, and never writes to a remote system.",
    ),
    **dict.fromkeys(
        ("var", "var-file", "set", "values"),
        "The values of templates come from the files that `values` names in reconciler.yaml.",
    ),
    **dict.fromkeys(
        ("refresh", "refresh-only"),
        "`reconciler plan` always reads the live objects; `reconciler drift` shows what changed outside.",
    ),
    **dict.fromkeys(
        ("username", "user", "password", "token", "api-key"),
        "Credentials come from the sources that `auth` of a connection names in reconciler.yaml.",
    ),
    **dict.fromkeys(
        ("f", "file", "filename", "manifest"),
        "The manifests are those that `manifests` names in reconciler.yaml; to check others: `reconciler validate`.",
    ),
    **dict.fromkeys(("rollback", "undo", "revert"), "Revert the commit in Git, then use `reconciler apply`."),
    **dict.fromkeys(
        ("login", "config", "configure"),
        "Connections and their credentials are described in reconciler.yaml: `reconciler explain Project`.",
    ),
    "destroy": "To delete all managed objects, or those of --target: `reconciler destroy`.",
    "prune": "`reconciler apply` always deletes what the manifests no longer declare.",
}
"""What replaces a command or option of other tools that has no counterpart."""

_EXTRA = re.compile(r"Got unexpected extra arguments? \((?P<first>\S+)[^)]*\)")
"""The words of click for an argument too many, which is a plain UsageError."""

_DASHES = re.compile("^[\N{HYPHEN}-\N{HORIZONTAL BAR}\N{MINUS SIGN}]+")
"""Dashes that text processors and web pages write instead of hyphens."""

VALUES: Mapping[str, str] = {"md": "markdown", "htm": "html", "txt": "text", "plain": "text", "demo": "company"}
"""Other words for the values of an option that has few."""

_SPAN = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smh])[a-z]*", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}

_ADDRESS = re.compile(r"[A-Z*]\w*/\S+")


def advised(error: click.UsageError, arguments: Sequence[str], commands: Mapping[str, str]) -> click.UsageError:
    """Return a usage error that also says what was probably meant. `commands` are ours, with their descriptions."""
    message = error.message
    if isinstance(error, click.NoSuchOption):
        typed = _typed(error.option_name, arguments)
        message = f"No such option {typed!r}."
        advice = _option(typed, error.ctx, arguments, commands)
    elif isinstance(error, NoSuchCommand):
        advice = _command(error, arguments, commands)
    elif found := _EXTRA.match(message):
        message += "."
        advice = _argument(found["first"], _options(error.ctx))
    elif isinstance(error, click.BadParameter) and (advice := _value(error, arguments)):
        message = error.format_message()
    else:
        return error
    # Without the suggestions of click, which compares dashes too: `--check` is near `--help`.
    return click.UsageError(f"{message} {advice}".rstrip(), error.ctx)


def _command(error: NoSuchCommand, arguments: Sequence[str], commands: Mapping[str, str]) -> str:
    word, own = error.word, error.own
    path = f"{error.ctx.info_name} " if error.ctx is not None and error.ctx.parent is not None else ""
    ours = COMMANDS.get(path + word.lower()) or COMMANDS.get(word.lower())
    if ours is None:
        near = nearest(word, own)
        return NOTES.get(word.lower()) or (f"Did you mean {near!r}?" if near else "")
    if ours.startswith("--"):
        after = next((each for each in arguments[arguments.index(word) + 1 :] if each in own), None)
        return f"Did you mean 'reconciler {path}{f'{after} ' if after and ours == '--help' else ''}{ours}'?"
    about = f"\n  reconciler {ours}: {commands[ours]}" if ours in commands else ""
    return f"Did you mean '{ours.removeprefix(path) if ours.startswith(path) else f'reconciler {ours}'}'?{about}"


def _option(typed: str, ctx: click.Context | None, arguments: Sequence[str], commands: Mapping[str, str]) -> str:
    known, word = _options(ctx), typed.lstrip("-")
    if f"--{word}" in known:
        return f"Did you mean '--{word}'? Options of more than one letter begin with two hyphens."
    if ctx is not None and ctx.parent is None and word not in OPTIONS:
        after = next((each for each in arguments if each in commands), None)
        return f"Options follow the command: reconciler {after} {typed}" if after else ""
    ours = next((each for each in OPTIONS.get(word, ()) if each in known), None)
    if ours is not None:
        return f"Did you mean '{ours}{' json' if (word, ours) == ('json', '--format') else ''}'?"
    if word in NOTES:
        return NOTES[word]
    near = nearest(word, [each.removeprefix("--") for each in known if each.startswith("--")])
    return f"Did you mean '--{near}'?" if near else ""


def _typed(name: str, arguments: Sequence[str]) -> str:
    """Return an option as it was typed, without its value: click reads `-out` as `-o`, `-u` and `-t`."""
    if name.startswith("--"):
        return name
    clusters = (each for each in arguments if re.match("-[^-].", each) and name[1:] in each)
    return next(clusters, name).partition("=")[0]


def _argument(word: str, known: Iterable[str]) -> str:
    dashes = _DASHES.match(word)
    if dashes is not None:
        option = f"--{word[dashes.end() :]}".partition("=")[0]
        return f"It begins with a dash that is not a hyphen: did you mean '{option}'?"
    if word == "help":
        return "Did you mean '--help'?"
    if _ADDRESS.fullmatch(word) and "--target" in known:
        return f"Did you mean '--target {word}'?"
    return ""


def _value(error: click.BadParameter, arguments: Sequence[str]) -> str:
    """Return what was meant by a value of an option with few values, or with a number of seconds."""
    option = error.param
    if option is None:
        return ""
    text = " ".join(arguments)
    typed = re.search(rf"(?:^| )(?:{'|'.join(map(re.escape, option.opts))})[ =](\S+)", text)
    value = typed[1] if typed else ""
    if isinstance(option.type, click.Choice):
        near = VALUES.get(value.lower()) or nearest(value, option.type.choices)
        return f"Did you mean {near!r}?" if near in option.type.choices else ""
    unit = _SPAN.fullmatch(value)
    if unit is None or option.metavar not in {"SECONDS", "[SECONDS]"}:
        return ""
    return f"Did you mean {int(unit['number']) * _SECONDS[unit['unit']]}? It is a number of seconds."


def _options(ctx: click.Context | None) -> list[str]:
    """Return every option of the command of a context, `--help` among them."""
    if ctx is None:
        return []
    return sorted({name for each in ctx.command.get_params(ctx) for name in (*each.opts, *each.secondary_opts)})
