"""The answers that the scripts in `completions/` ask for. Click's own scripts complete no value after `--option=`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

VARIABLE = "_RECONCILER_COMPLETE"
"""The variable by which a script asks."""


class _Bash(BashComplete):
    """Bash also splits words at `=`."""

    def get_completion_args(self) -> tuple[list[str], str]:
        words, incomplete = super().get_completion_args()
        args: list[str] = []
        for word in words:
            if args and args[-1].startswith("--") and (word == "=" or args[-1].endswith("=")):
                args[-1] += word
            else:
                args.append(word)
        if args and args[-1].startswith("--") and args[-1].endswith("="):
            args[-1] = args[-1][:-1]
        return args, incomplete


class _Fish(FishComplete):
    """Fish completes whole words, so that a value after `--option=` needs its option."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args = split_arg_string(os.environ["COMP_WORDS"])[1:]
        return (args[:-1], args[-1]) if os.environ["COMP_CWORD"] and args else (args, "")

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": _Fish}
for _name, _class in SHELLS.items():
    add_completion_class(_class, _name)


def answer(cli: click.Command) -> NoReturn:
    """Answer a script, which wants neither errors nor waiting, and end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with suppress(Exception):
        shell_complete(cli, {}, "reconciler", VARIABLE, os.environ[VARIABLE])
        sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and what Python does at its end takes 5 ms
