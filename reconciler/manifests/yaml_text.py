"""Values to YAML text that our own loader and any plain YAML 1.1 loader read as what was meant.

A plain YAML 1.1 loader takes `11:00` for 660 and `No` for false, ours takes `1e5` for a number and `{{` for a
template: what any of them would read otherwise is quoted, or spelled so that it stays itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from reconciler.manifests.scalars import plain_scalar

MAX_TEMPLATE = 8 * 1024
"""Characters of a text with `{{` that can be written: it becomes a template, and those are bounded."""

_RESOLVERS: Mapping[str | None, Sequence[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers
_NUMERIC = re.compile(r"[0-9][0-9a-fA-FxXoO_.,:+/ TtZz-]*")
_ONE_LETTER = frozenset("yYnN")
_FLOW_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPE_WIDTHS = (("x", 2), ("u", 4), ("U", 8))
_FLOW_WIDTH = 100
_RUNNER = re.compile(r"##(?=\w*\[)")
"""How a build agent's command begins, which carries out what an export prints where it runs (`##[group]`, `##vso[`)."""


class Digits(str):
    """A number as text, to be written without quotes: `35.00` keeps its pence."""

    __slots__ = ()


def unwritable(value: Any) -> str | None:
    """Say why a value cannot be written as YAML at all; None where it can."""
    if isinstance(value, Mapping):
        return next((why for item in (*value.keys(), *value.values()) if (why := unwritable(item))), None)
    if isinstance(value, (list, tuple)):
        return next((why for item in value if (why := unwritable(item))), None)
    if not isinstance(value, str):
        return None
    if any("\ud800" <= char <= "\udfff" for char in value):
        return "it holds half of a character (a lone surrogate), which no YAML file can carry"
    if "{{" in value and len(value) > MAX_TEMPLATE:
        return "it holds {{ and is longer than a template may be"
    return None


def entry(name: str, value: Any, depth: int) -> Iterator[str]:
    """Yield the lines of one key with its value, two blanks a level."""
    pad, key = "  " * depth, scalar(name)
    if isinstance(value, Mapping) and value:
        yield f"{pad}{key}:"
        for inner, item in value.items():
            yield from entry(inner, item, depth + 1)
    elif isinstance(value, (list, tuple)) and value:
        yield f"{pad}{key}:"
        for item in value:
            yield from _item(item, depth + 1)
    elif isinstance(value, str) and _fits_block(value):
        yield f"{pad}{key}: {'|' if value.endswith(chr(10)) else '|-'}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{pad}  {line}" if line else ""
    elif isinstance(value, str) and "\n" in value and "{{" not in value:
        yield from _folded(f"{pad}{key}: ", value, f"{pad}  ")
    else:
        yield f"{pad}{key}: {scalar(value)}"


def _folded(key: str, text: str, pad: str) -> Iterator[str]:
    """Yield a text in double quotes, its own lines below one another: a backslash joins them again."""
    lines = [line for line in re.split(r"(?<=\n)", text) if line]
    for number, line in enumerate(lines):
        spelled = _spelled(line)
        if spelled.lstrip(" ").startswith("::"):
            spelled = spelled.replace(":", "\\x3a", 1)  # a line that begins so is a workflow command
        # A blank that begins a line would be taken for its indentation.
        begin = f'{key}"' if number == 0 else pad + ("\\" if line.startswith(" ") else "")
        yield begin + spelled + ('"' if number == len(lines) - 1 else "\\")


def _item(item: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    flow = _flow(item) if isinstance(item, Mapping) else scalar(item)
    if flow is not None:
        yield f"{pad}- {flow}"
        return
    lines = [line for name, value in item.items() for line in entry(name, value, 0)]
    yield f"{pad}- {lines[0]}"
    for line in lines[1:]:
        yield f"{pad}  {line}" if line else ""


def _flow(item: Mapping[str, Any]) -> str | None:
    """Return a mapping on one line, None where it is too long or nested."""
    if any(isinstance(value, (Mapping, list, tuple)) for value in item.values()):
        return None
    line = (
        "{" + ", ".join(f"{scalar(name, flow=True)}: {scalar(value, flow=True)}" for name, value in item.items()) + "}"
    )
    return line if len(line) <= _FLOW_WIDTH else None


def scalar(value: Any, *, flow: bool = False) -> str:
    """Return one value on one line; in a `flow` mapping, commas and brackets are quoted too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    if isinstance(value, (int, Digits)):
        return str(value)
    return _text(_literal(str(value)), flow=flow)


def _text(text: str, *, flow: bool) -> str:
    plain = _FLOW_PLAIN.fullmatch(text) is not None if flow else _fits_plain(text)
    if plain and not _read_otherwise(text):
        return text
    if text.isprintable() and not _RUNNER.search(text):
        return "'" + text.replace("'", "''") + "'"
    return f'"{_spelled(text)}"'


def _literal(text: str) -> str:
    """Return a text with `{{` as a template that renders to this very text."""
    if "{{" not in text:
        return text
    return '{{ "' + _spelled(text) + '" }}'


def _spelled(text: str) -> str:
    """Return a text as it stands in double quotes, with no build agent's command in it."""
    return _RUNNER.sub(r"#\\x23", "".join(_escaped(char) for char in text))


def comment(text: str) -> str:
    """Return a comment with no build agent's command in it."""
    return _RUNNER.sub(r"#\\x23", text)


def _escaped(char: str) -> str:
    """Return a character as it stands in double quotes, the same in YAML and in a template."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    number = ord(char)
    letter, width = next((letter, width) for letter, width in _ESCAPE_WIDTHS if number < 16**width)
    return f"\\{letter}{number:0{width}x}"


def _fits_plain(text: str) -> bool:
    if _RUNNER.search(text):
        return False
    return text.isprintable() and text[:1].isalnum() and text[-1] not in " :" and ": " not in text and " #" not in text


def _read_otherwise(text: str) -> bool:
    """Whether some loader reads a text without quotes as something else than itself."""
    if text in _ONE_LETTER or _NUMERIC.fullmatch(text) or plain_scalar(text) is not text:
        return True
    resolvers = [*_RESOLVERS.get(text[0], ()), *_RESOLVERS.get(None, ())]
    return any(pattern.match(text) for _, pattern in resolvers)


def _fits_block(text: str) -> bool:
    """Whether a text of several lines can stand as a block: nothing an editor strips, nothing that needs an escape."""
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and "{{" not in text
        and bool(lines[0] and lines[-1])
        and not lines[0].startswith(" ")
        and not _RUNNER.search(text)
        and all(line.isprintable() and not line.endswith(" ") and not line.strip().startswith("::") for line in lines)
    )
