"""Form bodies, urlencoded or multipart, and names with brackets, as PHP and Rails read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from reconciler.sandbox.api import Call

_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_NAME = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?")


def is_form(call: Call) -> bool:
    """Return whether the body of a request is a form."""
    return call.media_type in {_URLENCODED, _MULTIPART}


def read(call: Call) -> dict[str, Any]:
    """Return the fields of a form body; ValueError if it is not the form that its type announces."""
    if call.media_type == _MULTIPART:
        return unflatten(_parts(call))
    return from_query(call.body.decode("utf-8", errors="replace"))


def from_query(text: str) -> dict[str, Any]:
    """Return the fields of a query string."""
    return unflatten(parse_qsl(text, keep_blank_values=True))


def unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Collect `name[key]=value` under `name`; `name[]` counts up. A plain name keeps its last value."""
    values: dict[str, Any] = {}
    for key, value in pairs:
        name = _NAME.fullmatch(key)
        if name is None or name[2] is None:
            values[key] = value
            continue
        if not isinstance(values.get(name[1]), dict):
            values[name[1]] = {}
        inner = values[name[1]]
        inner[name[2] or str(len(inner))] = value
    return values


def _parts(call: Call) -> list[tuple[str, str]]:
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode("latin-1", errors="replace")
    message = message_from_bytes(head + call.body, policy=HTTP)
    if not message.is_multipart():
        msg = "the body has no parts"
        raise ValueError(msg)
    pairs = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            pairs.append((name, content.decode("utf-8", errors="replace")))
    return pairs
