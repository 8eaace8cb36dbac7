"""The manual page `man reconciler`: every command with its options, as roff."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from reconciler.version import __version__

_CHANGES = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
_RELEASE = re.compile(r"^## \[\d\S*\] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)


def man_page(commands: Sequence[click.Context], exits: Mapping[int, str]) -> list[str]:
    """Describe all commands; the first one is the program itself."""
    program, *others = commands
    released = _RELEASE.search(_CHANGES.read_text(encoding="utf-8"))
    title = ("RECONCILER", "1", released[1] if released else "", f"reconciler {__version__}", "User Commands")
    lines = [f".TH {' '.join(_quoted(word) for word in title)}"]
    lines += [".SH NAME", f"reconciler \\- {_text(_first(program))}"]
    lines += [".SH SYNOPSIS", *_usage(program), ".SH DESCRIPTION", *_prose(program.command.help or "")]
    lines += [".PP", *_prose("Data goes to stdout; progress, warnings and errors go to stderr.")]
    lines += [".SH OPTIONS", *_options(program)]
    lines += [".SH COMMANDS"]
    for context in others:
        lines += [f".SS {_quoted(context.command_path)}", *_usage(context)]
        lines += [".PP", *_prose(context.command.help or ""), *_options(context), *_examples(context)]
    lines += [".SH EXIT STATUS"]
    for code, words in exits.items():
        lines += [".TP", f".B {code}", *_prose(words)]
    return [*lines, ".SH SEE ALSO", "The documentation in the folder docs of the repository."]


def _first(context: click.Context) -> str:
    return (context.command.help or "").partition("\n")[0].rstrip(".")


def _usage(context: click.Context) -> list[str]:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return [f".B {_text(context.command_path)}", _text(pieces)]


def _prose(text: str) -> Iterator[str]:
    paragraphs = inspect.cleandoc(text).replace("\b\n", "").replace("`", "").split("\n\n")
    for number, paragraph in enumerate(paragraphs):
        yield from [".PP"] * (number > 0)
        yield from map(_text, textwrap.wrap(paragraph, 78, break_long_words=False, break_on_hyphens=False))


def _options(context: click.Context) -> Iterator[str]:
    for option in context.command.get_params(context):
        record = option.get_help_record(context)
        if isinstance(option, click.Option) and record is not None:
            yield from (".TP", f".B {_text(record[0])}", *_prose(record[1]))


def _examples(context: click.Context) -> Iterable[str]:
    shown = [line.strip() for line in (context.command.epilog or "").splitlines() if line.startswith("  ")]
    return [".PP", "Examples:", ".PP", ".nf", ".RS 4", *map(_text, shown), ".RE", ".fi"] if shown else []


def _quoted(text: str) -> str:
    return f'"{_text(text)}"' if " " in text or not text else _text(text)


def _text(text: str) -> str:
    """Return a text without what roff would act on."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return re.sub(r"^(?=[.'])", r"\\&", escaped)
