"""What clients asked and were answered, so that tests can assert on calls and people can see them."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_KEPT_ENTRIES = 50_000
_KEPT_BODY = 200_000


@dataclass(slots=True, kw_only=True)
class LogEntry:
    """One request and its answer.

    `status` is None while the answer is pending and for ever when none was given (dropped
    connection). `time` is UTC, ISO 8601. Headers are not kept: they hold the credentials. `fault`
    names the injected fault, if one fired.
    """

    number: int
    time: str
    method: str
    path: str
    query: str
    status: int | None
    request_body: str
    response_body: str
    content_type: str
    fault: str = ""


class RequestLog:
    """The latest requests in order of arrival; safe to read from another thread."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=_KEPT_ENTRIES)
        self._count = 0
        self._lock = threading.Lock()

    def open(self, *, method: str, path: str, query: str, body: bytes, content_type: str) -> LogEntry:
        """Note a request that has just arrived; the caller fills in the answer."""
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
        """Forget all entries; numbers go on, so that two halves of a test can be told apart."""
        with self._lock:
            self._entries.clear()


def readable(body: bytes) -> str:
    """Return a body as text that can be logged, whatever its bytes, and bounded in size."""
    return body[:_KEPT_BODY].decode("utf-8", errors="replace")
