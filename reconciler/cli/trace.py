"""`--trace FILE`: all calls of a run as a HAR file, which the developer tools of every browser open."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import click

from reconciler.cli.output import check_writable, is_stdout, say, write
from reconciler.errors import OutputFailed, UsageError
from reconciler.model.traffic import Call
from reconciler.redaction import MASK, redacted
from reconciler.version import __version__

_MOST = 32 * 1024 * 1024
"""Characters of bodies that are kept: those of the latest calls."""
_LONGEST = 64 * 1024
"""Characters of one body; a longer one is left out, because a part of it could hold a part of a secret."""
_BEGINS = re.compile(rb'\s*\{\s*"log"\s*:')
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]++(@|%40)[\w-]++(\.[\w-]++)+")


class Trace:
    """Keeps the calls of a run, and writes them at its end, however that comes."""

    def __init__(self, file: Path) -> None:
        """Take the file, if it is new, empty, a device, or a HAR file."""
        if is_stdout(file):
            raise UsageError(f"--trace {file}: stdout is for the output of the command", hint="name a file")
        check_writable(file)
        if not _is_replaceable(file):
            raise UsageError(f"--trace {file}: the file exists and is not a HAR file", hint="choose another name")
        self._file = file
        self._calls: deque[Call] = deque()
        self._size = self._dropped = 0
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Keep a call, and the earlier ones only while there is room."""
        with self._lock:
            self._calls.append(call)
            self._size += _weight(call)
            while self._size > _MOST:
                self._size -= _weight(self._calls.popleft())
                self._dropped += 1

    def write(self) -> None:
        """Write the file. A failure is reported and changes nothing else: the run is over."""
        with self._lock:
            calls, dropped = sorted(self._calls, key=lambda call: call.began), self._dropped
        log: dict[str, object] = {
            "version": "1.2",
            "creator": {"name": "reconciler", "version": __version__},
            "entries": [_entry(call) for call in calls],
        }
        if dropped:
            log["comment"] = f"{dropped} earlier calls are left out."
        if not _is_replaceable(self._file):
            say(f"warning: --trace: {self._file} is also another output of this command; the trace was not written")
            return
        try:
            write(json.dumps({"log": log}, ensure_ascii=False, indent=1) + "\n", self._file, private=True)
        except OutputFailed as error:
            say(f"warning: --trace: {error.message}")


def traced(ctx: click.Context, file: Path) -> Trace:
    """Return the trace of the option, which is written when the command ends."""
    trace = Trace(file)
    ctx.call_on_close(trace.write)
    return trace


def _is_replaceable(file: Path) -> bool:
    """Whether a file is new, empty, a device, or a HAR file."""
    if not file.is_file():
        return True
    with file.open("rb") as opened:
        begin = opened.read(64)
    return not begin or _BEGINS.match(begin) is not None


def _weight(call: Call) -> int:
    return 2000 + sum(len(body or "") for body in (call.request_body, call.response_body))


def _entry(call: Call) -> dict[str, object]:
    url, error, sent, got = _shown(call.url), _shown(call.error), call.request_body, call.response_body
    request: dict[str, object] = {
        "method": call.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(call.request_headers.items()),
        "queryString": _pairs(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": -1 if sent is None else len(sent.encode("utf-8", "replace")),
    }
    if sent is not None:
        request["postData"] = {"mimeType": call.request_headers.get("content-type", ""), **_body(sent)}
    phases = {phase: round(seconds * 1000, 3) for phase, seconds in call.timings.items()}
    ssl = phases.get("ssl", -1)
    # HAR counts the time of TLS in `connect` too.
    timings = {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 0, "receive": 0, **phases}
    timings["connect"] = phases["connect"] + max(ssl, 0) if "connect" in phases else -1
    return {
        "startedDateTime": datetime.fromtimestamp(call.began, UTC).isoformat(timespec="milliseconds"),
        "time": round(sum(phases.values()), 3),
        "request": request,
        "response": {
            "status": call.status or 0,
            "statusText": _phrase(call.status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(call.response_headers.items()),
            "content": {
                "size": call.response_size,
                "mimeType": call.response_headers.get("content-type", ""),
                **(_body(got) if got is not None else {}),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": timings,
        "comment": f"connection {call.connection}, attempt {call.attempt}" + (f": {error}" if error else ""),
    }


def _body(text: str) -> dict[str, str]:
    if len(text) > _LONGEST:
        return {"text": "", "comment": f"left out: longer than {_LONGEST // 1024} kB"}
    return {"text": _shown(text)}


def _pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": _shown(value)} for name, value in items]


def _shown(text: str) -> str:
    """Mask what became known as a secret after the call, and mail addresses of people."""
    return _MAIL.sub(MASK, redacted(text))


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
