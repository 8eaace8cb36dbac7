"""Values to YAML text that our own loader and any plain YAML 1.1 loader read back unchanged.

PyYAML's dumper lays the text out and quotes what YAML 1.1 reads as another type: `11:00` is 660, `No` is false. Added
here is what other loaders, templates and build agents read as something else (decision 011).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from reconciler.manifests.scalars import plain_scalar
from reconciler.model.characters import unseen
from reconciler.redaction import AGENT_COMMAND, escape_commands

MAX_TEMPLATE = 8 * 1024
"""Maximum length of a text with `{{` that can be written: it becomes a template, and templates are limited."""

_NUMERIC = re.compile(r"[0-9][0-9a-fA-FxXoO_.,:+/ TtZz-]*")
_TIME = re.compile(r"[0-9]{1,4}[-:][0-9]{2}(?:[-T:Z+.0-9]*[0-9Z])?")
_ONE_LETTER = frozenset("yYnN")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPE_WIDTHS = (("x", 2), ("u", 4), ("U", 8))
_FLOW_WIDTH = 100
_NEVER = 1 << 30
"""A width at which no line is broken."""
_TAG = "tag:yaml.org,2002:"


class Digits(str):
    """A number as text, written without quotes: `35.00` keeps its pence."""

    __slots__ = ()


class Verbatim(str):
    """A text with `{{` that is a template already."""

    __slots__ = ()


def unwritable(value: Any) -> str | None:
    """Return why a value cannot be written as YAML; None if it can."""
    if isinstance(value, Mapping):
        return next((why for item in (*value.keys(), *value.values()) if (why := unwritable(item))), None)
    if isinstance(value, (list, tuple)):
        return next((why for item in value if (why := unwritable(item))), None)
    if not isinstance(value, str):
        return None
    if any("\ud800" <= char <= "\udfff" for char in value):
        return "it contains half of a character (a lone surrogate), which YAML does not allow"
    if "{{" in value and len(value) > MAX_TEMPLATE:
        return "it contains {{ and is longer than the limit for templates"
    return None


def entry(name: str, value: object, depth: int) -> Iterator[str]:
    """Yield the lines of one key with its value, two spaces a level."""
    text = yaml.dump(
        {name: value}, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=_NEVER
    )
    for line in text.removesuffix("\n").split("\n"):
        yield "  " * depth + line if line else ""


def under(text: str) -> list[str]:
    """Return a text as the lines of a value after its key: the first without indentation, the others two deep."""
    lines = list(entry("k", text, 0))
    return [lines[0].removeprefix("k:").lstrip(), *lines[1:]]


def inline(text: str) -> str:
    """Return a text as a value inside brackets, on one line."""
    dumped = yaml.dump([text], Dumper=_Inline, default_flow_style=True, allow_unicode=True, width=_NEVER)
    return dumped.rstrip("\n")[1:-1]


def quoted(text: str, quote: str) -> str:
    """Return a text in the quotes of its author, or in double quotes where single ones cannot hold it."""
    text = literal(text)
    plain = text.isprintable() and not unseen(text) and not AGENT_COMMAND.search(text)
    return "'" + text.replace("'", "''") + "'" if quote == "'" and plain else f'"{_spelled(text)}"'


def is_plain_enough(text: str) -> bool:
    """Whether a text is a time or a date that this program reads without quotes, although other loaders may not."""
    return _TIME.fullmatch(text) is not None and plain_scalar(text) is text


def comment(text: str) -> str:
    """Return a comment that no build agent reads as a command."""
    return escape_commands(text)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - as above
        super().increase_indent(flow, indentless=False)

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        """Write a text with our escapes, its lines one below the other: a backslash joins them."""
        lines = re.findall(r"[^\n]*\n|[^\n]+", text) if split and not self.flow_level else [text]
        self.write_indicator('"', need_whitespace=True)
        for number, line in enumerate(lines):
            spelled = _spelled(line)
            if number:
                self._write("\\")
                self.write_indent()
                # A space at the beginning would count as indentation, and `::` as a workflow command.
                if spelled.startswith(" "):
                    spelled = f"\\{spelled}"
                if spelled.lstrip("\\ ").startswith("::"):
                    spelled = spelled.replace(":", "\\x3a", 1)
            self._write(spelled)
        self.write_indicator('"', need_whitespace=False)

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.column += len(text)
        self.whitespace = self.indention = False


def _text_node(dumper: _Dumper, text: str) -> yaml.Node:
    text = literal(text)
    return dumper.represent_scalar(f"{_TAG}str", text, style=_style(text))


def _verbatim_node(dumper: _Dumper, text: Verbatim) -> yaml.Node:
    return dumper.represent_scalar(f"{_TAG}str", str(text), style=_style(text))


def _digits_node(dumper: _Dumper, digits: Digits) -> yaml.Node:
    text = str(digits)
    # With the tag that PyYAML itself finds, none is written. To it, `1e5` is a text.
    tag = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call] # PyYAML has no types
    return dumper.represent_scalar(tag, text)


def _mapping_node(dumper: _Dumper, data: Mapping[str, object]) -> yaml.Node:
    return dumper.represent_mapping(f"{_TAG}map", data, flow_style=False)


def _list_node(dumper: _Dumper, data: Iterable[object]) -> yaml.Node:
    node = dumper.represent_sequence(f"{_TAG}seq", data, flow_style=False)
    for item in node.value:
        if isinstance(item, yaml.MappingNode):
            item.flow_style = _fits_line(item)
    return node


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(Digits, _digits_node)
_Dumper.add_representer(Verbatim, _verbatim_node)
_Dumper.add_multi_representer(Mapping, _mapping_node)  # type: ignore[type-abstract] # any mapping is meant
_Dumper.add_representer(dict, _mapping_node)
_Dumper.add_representer(list, _list_node)
_Dumper.add_representer(tuple, _list_node)


class _Inline(_Dumper):
    """Writes every text on one line."""


_Inline.add_representer(
    str, lambda dumper, text: dumper.represent_scalar(f"{_TAG}str", literal(text), style=_one_line_style(literal(text)))
)


_Inline.add_representer(list, lambda dumper, items: dumper.represent_sequence(f"{_TAG}seq", items, flow_style=True))


def _one_line_style(text: str) -> str | None:
    style = _style(text)
    return '"' if style == "|" else style


def _fits_line(node: yaml.MappingNode) -> bool:
    """Whether a mapping in a list fits on one line: `{date: '2027-03-01', duration: 60}`."""
    width = 0
    for part in (part for pair in node.value for part in pair):
        if not isinstance(part, yaml.ScalarNode) or part.style not in {None, "'"}:
            return False
        width += len(part.value) + 2
    quotes: int = 2 * sum(value.tag == f"{_TAG}str" for _, value in node.value)
    return width + quotes <= _FLOW_WIDTH


def _style(text: str) -> str | None:
    """Return the style that a text needs, None where PyYAML decides between plain and single quotes."""
    if _fits_block(text):
        return "|"
    if not text.isprintable() or unseen(text) or AGENT_COMMAND.search(text):
        return '"'
    other = text in _ONE_LETTER or _NUMERIC.fullmatch(text) or plain_scalar(text) is not text
    return "'" if other else None


def _fits_block(text: str) -> bool:
    """Whether a text of several lines can be a block: nothing that an editor strips or that needs an escape."""
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and "{{" not in text
        and bool(lines[0] and lines[-1])
        and not lines[0].startswith(" ")
        and not AGENT_COMMAND.search(text)
        and not unseen(text)
        and all(line.isprintable() and not line.endswith(" ") and not line.strip().startswith("::") for line in lines)
    )


def literal(text: str) -> str:
    """Return a text with `{{` as a template that renders to this text."""
    return '{{ "' + _spelled(text) + '" }}' if "{{" in text else text


def _spelled(text: str) -> str:
    """Return a text as double quotes hold it, without a build agent's command."""
    missed = unseen(text)
    return escape_commands("".join(_escaped(char, hidden=index in missed) for index, char in enumerate(text)))


def _escaped(char: str, *, hidden: bool) -> str:
    """Return a character as double quotes hold it, both in YAML and in a template."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable() and not hidden:
        return char
    number = ord(char)
    letter, width = next((letter, width) for letter, width in _ESCAPE_WIDTHS if number < 16**width)
    return f"\\{letter}{number:0{width}x}"
