"""What a refusal says of single fields, in each form that APIs use: Rails, Grape, JSON:API and problem details."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.complaint import Complaint
from reconciler.providers.answer import Answer, neutral

_MOST = 20
_DEEPEST = 6
_LONGEST = 200_000
"""Bytes of an answer that is looked at."""

_LEAF = re.compile(r"<(?P<tag>[A-Za-z_][\w-]*+)(?P<more>[^<>]*+)>(?P<text>[^<]*+)</(?P=tag)\s*+>")
_ATTRIBUTE = re.compile(r"\b(?:field|attribute|name|param|path)\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)
_SENTENCES = frozenset(
    {"error", "errors", "message", "messages", "detail", "details", "title", "description", "reason"}
)
_ABOUT = ("field", "attribute", "param", "parameter", "property", "path", "pointer", "name", "key", "propertyName")
"""Keys beside a message that say what it is about."""

_FRAMES = frozenset({"status", "code", "id", "type", "success", "request", "booking", "data", "source", "result"})
"""Keys that are about the answer, not about a field of the object."""


def complaints(answer: Answer) -> tuple[Complaint, ...]:
    """Return the sentences of a refusal, each with what its place in the answer says it is about."""
    text = answer.content[:_LONGEST].decode("utf-8", "replace").strip()
    if answer.is_html or not text:
        return ()
    if text.startswith("<"):
        found = list(_in_xml(text))
    else:
        try:
            found = list(_in_json(json.loads(text), None, 0))
        except (ValueError, RecursionError):
            found = [(None, text)]
    return tuple(Complaint(neutral(words), name) for name, words in found[:_MOST] if neutral(words))


def _in_xml(text: str) -> Iterator[tuple[str | None, str]]:
    for match in _LEAF.finditer(text):
        about = _ATTRIBUTE.search(match["more"])
        plain = match["tag"].lower() in _SENTENCES
        yield (about[1] if about else None if plain else match["tag"]), _unescaped(match["text"].strip())


def _unescaped(text: str) -> str:
    import html  # noqa: PLC0415 - its table of names takes 5 ms, and only a refusal needs it

    return html.unescape(text)


def _in_json(value: Any, name: str | None, depth: int) -> Iterator[tuple[str | None, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for item in value[:_MOST] if depth < _DEEPEST else ():
            yield from _in_json(item, name, depth + 1)
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        about = _about(value) or name
        for key, item in list(value.items())[:_MOST]:
            if key in _ABOUT and about is not name:
                continue
            inner = about if key.lower() in _SENTENCES | _FRAMES else key
            if key.lower() not in _FRAMES or isinstance(item, (Mapping, list)):
                yield from _in_json(item, inner, depth + 1)


def _about(value: Mapping[str, Any]) -> str | None:
    """Return what a mapping with a message is about: `{"field": "price", "message": "…"}`."""
    source = value.get("source")
    for holder in (value, source if isinstance(source, Mapping) else {}):
        if holder is source or any(str(key).lower() in _SENTENCES for key in value):
            found = next((holder[key] for key in _ABOUT if isinstance(holder.get(key), str)), None)
            if found:
                return str(found)
    return None
