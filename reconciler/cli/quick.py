"""Answers that need no click, whose import alone takes three times as long as the start of Python.

`help.txt` holds the text that click writes for each command, at the usual widths of a terminal; `completion.txt` the
commands and options that it completes. tests/unit/cli/test_quick.py proves both. Addresses are those that click found
last. Any other width, any other command line and any other word is left to click: each function returns whether it
answered.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = os.path.dirname(__file__)  # noqa: PTH120 - pathlib takes as long as the rest

WIDTHS = (80, 100)
"""Columns: of what is no terminal, and the most that help fills."""

FLAGS = ("-h", "--help")

_FORMS = {"bash_complete": "plain,{0}", "zsh_complete": "plain\n{0}\n{1}", "fish_complete": "plain,{0}\t{1}"}
"""How the script of each shell reads a word and its meaning."""
_NO_MEANING = "_"

_QUOTING = "\"'\\=\v\f\x1c\x1d\x1e\x1f"
"""Characters that make the words of a command line others than what `str.split` finds; so does what is not ASCII."""


def heading(*words: str | int) -> bytes:
    """Return the line above a part of a file."""
    return f"\freconciler {' '.join(map(str, words))}\n".encode()


def help_printed(arguments: Sequence[str]) -> bool:
    """Print the help that is asked for."""
    *words, last = arguments or ("",)
    if last not in FLAGS or not _are_names(words):
        return False
    try:
        return written(_part("help.txt", *words, min(_columns(), max(WIDTHS))))
    except (OSError, ValueError):
        return False  # click says why


def words_offered(environ: Mapping[str, str]) -> bool:
    """Print the commands or options that the word on a command line can become, as a script in `completions/` asks."""
    try:
        asked, line, number = environ["_RECONCILER_COMPLETE"], environ["COMP_WORDS"], environ["COMP_CWORD"]
        if not line.isascii() or any(character in line for character in _QUOTING):
            return False
        words = line.split()
        at = int(number) if asked != "fish_complete" else len(words) - bool(number)
        found = _offered(words[1:at], "".join(words[at : at + 1]))
        if found is None:
            return False
        lines = (_FORMS[asked].format(*each).removesuffix(f"\t{_NO_MEANING}") for each in found)
        return written(f"{chr(10).join(lines)}\n".encode())
    except (KeyError, OSError, ValueError):
        return False


def _offered(before: Sequence[str], typed: str) -> list[tuple[str, str]] | None:
    """Return words and their meanings; None where another value can follow, or what stands before is not understood."""
    path: list[str] = []
    rows, given, values = _rows(), set[str](), dict[str, str]()
    words = iter(before)
    for word in words:
        kind = next((kind for names, kind, _ in rows if word in names), None)
        if kind == "command":
            path.append(word)
            rows, given = _rows(*path), set()
        elif kind == "flag":
            given.add(word)
        elif kind in {"value", "values", "addresses"}:
            value = next(words, None)
            if value is None and kind == "addresses" and not typed.startswith("-"):
                return _addresses(values, typed)
            if value is None or value.startswith("-"):
                return None
            values[word] = value
            if kind == "value":
                given.add(word)
        elif word.startswith("-") or not (arguments := [row for row in rows if not row[0]]):
            return None
        elif arguments[0][1] in {"argument", "address"}:
            rows.remove(arguments[0])
    following = next((kind for names, kind, _ in rows if not names), None)
    if following is not None and not typed.startswith("-"):
        return _addresses(values, typed) if following in {"address", "addresses"} else None
    wanted = [row for row in rows if (row[1] != "command") == typed.startswith("-") and given.isdisjoint(row[0])]
    return [(name, meaning) for names, _, meaning in wanted for name in names if name.startswith(typed)] or None


def _addresses(values: Mapping[str, str], typed: str) -> list[tuple[str, str]] | None:
    """Return the addresses that are known from the last time; None where click must read them."""
    from reconciler.manifests.known_names import known, project_file  # noqa: PLC0415 - only here

    project = project_file(values.get("--project"))
    names, whole = ({}, False) if project is None or "." in typed else known(project, values.get("--env"))
    found = sorted({each for some in names.values() for each in some if each.startswith(typed)})
    return [(each, _NO_MEANING) for each in found] if whole else None


def _rows(*path: str) -> list[tuple[list[str], str, str]]:
    """Return what can follow a command: names of one thing, its kind, and what it means."""
    lines = _part("completion.txt", *path).decode("ascii").splitlines()
    return [(names.split(), kind, meaning) for names, kind, meaning in (line.split("\t") for line in lines)]


def _part(file: str, *words: str | int) -> bytes:
    """Return a part of a file; none where there is none that any encoding of stdout has."""
    with open(f"{FOLDER}/{file}", "rb") as stream:  # noqa: PTH123 - as above
        part = stream.read().partition(heading(*words))[2].partition(b"\f")[0]
    return part if part.isascii() and os.linesep == "\n" else b""


def _are_names(words: Sequence[str]) -> bool:
    return all(word.replace("-", "").isalpha() for word in words)


def _columns() -> int:
    """Return the width of the terminal as click finds it; 0 where that is click's to say."""
    stated = os.environ.get("COLUMNS", "")
    if stated:
        return int(stated) if stated.isascii() and stated.isdigit() else 0
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 80


def written(text: bytes) -> bool:
    """Write an ASCII text, and return whether that was done; not where there is none, or stdout has other bytes."""
    if sys.stdout is None or text.decode("ascii").encode(sys.stdout.encoding) != text:
        return False
    left = text
    while left:
        try:
            left = left[os.write(1, left) :]
        except BlockingIOError:  # the other end of a pipe made it so, and is slow
            import select  # noqa: PLC0415 - hardly ever needed

            select.select((), (1,), ())
    return bool(text)
