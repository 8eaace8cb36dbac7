"""The text of a JSON document, an item of its lists at a time: of thousands of objects, only one is text at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import encode_basestring as quoted
from typing import Any

from reconciler.model.characters import UNSEEN
from reconciler.model.objects import Address, Ref
from reconciler.redaction import escape_commands, shows_none

Members = Iterable[tuple[str, Any]]
"""The members of a document in their order. A value that is an iterator is a list whose items are made one by one."""

_UNSAFE = re.compile(f"[\x7f-\x9f\u2028\u2029\ud800-\udfff]|(?![\u200c\u200d\ufe0e\ufe0f]){UNSEEN.pattern}")
"""Lone surrogates are not UTF-8; the others could steer the terminal that shows a document, or are not seen there.

Emoji keep their selectors and joiners, which a program that reads the document may show.
"""


def pieces(members: Members) -> Iterator[str]:
    """Yield the text of a document: keys in the order given, an indent of two blanks, a newline at the end.

    Control, bidi, invisible and lone surrogate characters become JSON escapes, which read back the same.
    """
    before = "{"
    for key, value in members:
        head = f"{before}\n  {_string(key)}: "
        before = ","
        if not isinstance(value, Iterator):
            yield head + _encoded(value, "\n  ")
            continue
        opening = f"{head}["
        for item in value:
            yield f"{opening}{_DEEP}{_encoded(item, _DEEP)}"
            opening = ","
        yield "\n  ]" if opening == "," else f"{opening}]"
    yield "\n}\n" if before == "," else "{}\n"


_DEEP = "\n    "
"""Before each line of an item in a list of the document."""


def _encoded(value: Any, line: str) -> str:
    """Return a value as JSON, as `json.dumps` indents it, in a third of its time; `line` begins each line of it."""
    kind = type(value)
    if kind is str:
        return _string(value)
    if kind is dict or isinstance(value, Mapping):
        inner = f"{line}  "
        found = [f"{_string(key)}: {_encoded(item, inner)}" for key, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(found)}{line}}}" if found else "{}"
    if kind is list or kind is tuple:
        inner = f"{line}  "
        found = [_encoded(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(found)}{line}]" if found else "[]"
    return _string(str(value)) if kind is Ref or kind is Address else _text(json.dumps(value, ensure_ascii=False))


def _string(text: str) -> str:
    return _text(quoted(text))


def _text(text: str) -> str:
    """Return the JSON of one value without characters that are not seen, and without a build agent's command."""
    if not text.isascii() or "\x7f" in text:
        text = _UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)
    return escape_commands(text, "\\u0023")


def canonical(
    members: Mapping[str, Any], many: str, items: Iterable[Any], mask: Callable[[Any], Any]
) -> Iterator[tuple[bytes, Any]]:
    """Yield the canonical JSON of a document in pieces, each item of its list `many`, masked, beside its own piece.

    `members` are all others. Joined, the pieces are what `model.canonical.digest` reads: keys sorted, no blanks.
    """
    keys = sorted({*members, many})
    before, after = keys[: keys.index(many)], keys[keys.index(many) + 1 :]
    yield _bytes(_compact({key: members[key] for key in before})[:-1] + ("," if before else "")), None
    opening = f"{_compact(many)}:["
    for item in items:
        text, masked = _compact(item), item
        if not shows_none(text):
            masked = mask(item)
            text = _compact(masked)
        yield _bytes(opening + text), masked
        opening = ","
    closing = "]" if opening == "," else f"{opening}]"
    yield _bytes(closing + ("," if after else "") + _compact({key: members[key] for key in after})[1:]), None


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
