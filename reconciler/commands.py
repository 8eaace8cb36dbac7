"""The commands that messages name: each is to work for the project and environment of the run that names it.

A message holds a command between backticks, without the options that choose project and environment: so a plan is the
same value however it was asked for. Those options are added where a message leaves the program: `render.safe.visible`
adds those of the command line (`using`), and a document states its own environment.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Options = tuple[tuple[str, str], ...]
"""Options with their values, as in `(("--env", "prod"),)`."""

CONNECTING = frozenset({"plan", "apply", "drift", "destroy", "adopt", "export", "why"})
"""The commands that take every option of `CHOOSING`."""
OFFLINE = frozenset({"validate", "fmt", "render", "state"})
"""The commands that connect to no remote system, and so take no `TRUST_HOST`. All others have no project."""

TRUST_HOST = "--trust-host"
CHOOSING = ("--project", "--env", "--trusted-config", "--allow-path", TRUST_HOST)
"""The options that choose what a command works on, and what it may use for that."""

START = "`reconciler "
"""What the name of a command starts with."""

NAMED = re.compile(r"`(reconciler [a-z]+[^`\n]*)`")
"""A named command, as the messages hold it."""
_KEPT = "`\ufdd0reconciler "
"""`START` in a value, until the value is written. The added character is one that no text has."""

_using: list[Options] = []


def in_environment(name: str | None) -> Options:
    """Return the options that choose an environment of the project, or none."""
    return () if name is None else (("--env", name),)


@contextmanager
def using(options: Options) -> Iterator[None]:
    """Add these options to each command that is shown in the block; inside another block, those of both."""
    _using.append((*(_using[-1] if _using else ()), *options))
    try:
        yield
    finally:
        _using.pop()


def shown(text: str) -> str:
    """Return a text with the options of this run added to the commands that it names."""
    return completed(text, _using[-1]) if _using else text


def kept(value: str) -> str:
    """Return a value of a manifest or live object so that a message that holds it shows it as it is."""
    return value.replace(START, _KEPT)


def written(text: str) -> str:
    """Return a text as it leaves the program: without what `kept` added to its values."""
    return text.replace(_KEPT, START)


def completed(text: str, options: Options) -> str:
    """Return a text with options added to the commands that it names."""
    return NAMED.sub(lambda found: f"`{extended(found[1], options)}`", text)


def extended(line: str, options: Options) -> str:
    """Return a command line with those of the options that its command takes and that it does not have."""
    words = line.split()
    taken = CHOOSING if words[1] in CONNECTING else CHOOSING[:-1] if words[1] in OFFLINE else ()
    stated = {word.partition("=")[0] for word in words}
    added = [word for option in options if option[0] in taken and option[0] not in stated for word in option]
    return f"{line} {shlex.join(added)}" if added else line


def chosen(arguments: Sequence[str]) -> Options:
    """Return the options of a command line that choose what it works on; the last one of those that are not repeated.

    They are read from its words, so that the message about wrong usage knows them too.
    """
    found: dict[tuple[str, str | None], tuple[str, str]] = {}
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name in CHOOSING:
            value = value if equals else next(rest, "")
            found[name, value if name in {"--allow-path", TRUST_HOST} else None] = (name, value)
    return tuple(found.values())
