"""The log of requests and answers, for assertions in tests and for people."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

_KEPT_ENTRIES = 50_000
_KEPT_BODY = 200_000


class LogEntry(Struct, kw_only=True):
    """One request and its answer. Headers are not stored, because they contain credentials."""

    number: int
    time: str
    """UTC, ISO 8601."""

    method: str
    path: str
    query: str
    status: int | None
    """None while the answer is pending, and if the connection was dropped."""

    request_body: str
    response_body: str
    content_type: str
    fault: str = ""
    """The kinds of the injected faults, joined by +."""


class RequestLog:
    """The latest requests in order of arrival. Other threads can read it."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=_KEPT_ENTRIES)
        self._count = 0
        self._lock = threading.Lock()

    def open(self, *, method: str, path: str, query: str, body: bytes, content_type: str) -> LogEntry:
        """Add a request that has arrived. The caller fills in the answer."""
        with self._lock:
            self._count += 1
            entry = LogEntry(
                number=self._count,
                time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                method=method,
                path=path,
                query=query,
                status=None,
                request_body=readable(body),
                response_body="",
                content_type=content_type,
            )
            self._entries.append(entry)
            return entry

    def entries(self) -> list[LogEntry]:
        """Return the entries, oldest first."""
        with self._lock:
            return list(self._entries)

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return the entries as plain JSON values."""
        return [asdict(entry) for entry in self.entries()]

    def clear(self) -> None:
        """Remove all entries. Numbers continue, so that parts of a test can be distinguished."""
        with self._lock:
            self._entries.clear()


def readable(body: bytes) -> str:
    """Return any body as text of limited size for the log."""
    return body[:_KEPT_BODY].decode("utf-8", errors="replace")
