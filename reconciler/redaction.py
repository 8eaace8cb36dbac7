"""Masking known secrets in every output: the second line of defence.

The first line: values are only in `settings.Secret` and in requests. But a remote system may send one back, in a
message or in a field. So every value is registered here when it is resolved, tokens and session ids when they are
obtained, and every output passes through `redacted`.

A value shorter than `SHORTEST` is not masked: `yoga` as a password would garble the timetable, and the masked words
would reveal it. The value is masked, and the forms in which requests and documents carry it (URL, JSON, HTML, base64).
Machine documents are masked value by value, so that they stay valid. Names that the project gives (`NAMES`) and digests
are not masked, because they identify a saved plan.

`escape_commands` keeps output from steering the build agent that prints it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

MASK = "********"

SHORTEST = 8
"""Minimum length of a value that is masked."""

NAMES = frozenset(
    {"address", "blocked_by", "kind", "connection", "action", "project", "environment", "file", "code", "tool_version"}
)
"""Keys of machine documents with texts that the project gives. Everything below the keys `_DATA` is data."""

AGENT_COMMAND = re.compile(r"##(?=\w*\[)")
"""The beginning of a build agent's command, which runs wherever it is printed: `##[group]`, `##vso[`."""

_DATA = frozenset({"before", "after", "live"})
_PERCENT = re.compile("%[0-9A-F]{2}")


class Redactor:
    """The values to mask; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hidden: set[str] = set()
        self._forms: tuple[str, ...] = ()
        self._depth = 0

    def hide(self, value: str) -> None:
        """Mask a value from now on, unless it is too short or only spaces and asterisks."""
        value = value.strip()
        if len(value) < SHORTEST or not value.strip("* \t\r\n"):
            return
        with self._lock:
            if value not in self._hidden:
                self._hidden.add(value)
                # The longest first, because a form may be part of another one.
                self._forms = tuple(sorted({*self._forms, *_forms(value)}, key=lambda form: (-len(form), form)))

    def redacted(self, text: str) -> str:
        """Return a text with every known secret masked."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def redacted_data(self, value: Any, *, named: bool = True) -> Any:
        """Return JSON data with every secret in its texts masked, except in keys, names and digests."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return value if value.startswith("sha256:") else self.redacted(value)
        if isinstance(value, Mapping):
            return {
                key: item
                if named and key in NAMES and isinstance(item, str)
                else self.redacted_data(item, named=named and key not in _DATA)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.redacted_data(item, named=named) for item in value]
        return value

    @contextmanager
    def run(self) -> Iterator[None]:
        """Remember secrets during one command line. A nested command line shares them."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                with self._lock:
                    self._hidden, self._forms = set(), ()


def escape_commands(text: str, sign: str = "\\x23") -> str:
    """Return a text in which no build agent's command begins: `sign` replaces its second `#`."""
    return AGENT_COMMAND.sub(lambda _: f"#{sign}", text)


def _forms(value: str) -> set[str]:
    """Return a value as requests, documents and messages may carry it."""
    import html  # noqa: PLC0415 - late, for a quick --help, which knows no secrets
    import json  # noqa: PLC0415 - as above
    from urllib.parse import quote, quote_plus  # noqa: PLC0415 - as above

    data = value.encode("utf-8", "surrogatepass")
    urls = {quote(value, safe="/", errors="replace"), quote(value, safe="", errors="replace")}
    urls |= {quote_plus(value, errors="replace")}
    escaped = {html.escape(value), html.escape(value, quote=False)}
    return {
        value,
        value.lower(),
        value.upper(),
        *urls,
        *(_PERCENT.sub(lambda match: match[0].lower(), url) for url in urls),
        *escaped,
        *(text.replace("&quot;", "&#34;").replace("&#x27;", "&#39;") for text in escaped),
        *(text.replace("&#x27;", "&apos;") for text in escaped),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        value.encode("unicode_escape", "surrogatepass").decode("ascii"),
        repr(value)[1:-1],
        ascii(value)[1:-1],
        data.hex(),
        data.hex().upper(),
        *_base64(data),
    }


def _base64(data: bytes) -> Iterator[str]:
    """Yield the base64 of the value at each offset in a longer text, such as `user:password`."""
    from base64 import b64encode  # noqa: PLC0415 - as above

    yield b64encode(data).decode("ascii")
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode("ascii").rstrip("=")
        # The characters at both ends also depend on the neighbours.
        first = (0, 2, 3)[before]
        last = len(encoded) - (1 if (before + len(data)) % 3 else 0)
        yield encoded[first:last]
        yield encoded[first:last].replace("+", "-").replace("/", "_")


_KNOWN = Redactor()
hide = _KNOWN.hide
redacted = _KNOWN.redacted
redacted_data = _KNOWN.redacted_data
run = _KNOWN.run
