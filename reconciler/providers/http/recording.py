"""What is noted of each call: a line in the log, and the whole call for those who listen."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping

import httpx

from reconciler.model.traffic import Call, Traffic
from reconciler.providers.answer import Answer
from reconciler.providers.http.lane import PHASES

_LOG = logging.getLogger("reconciler.http")

LOGIN = "login"
"""The key of a request's extensions that says that its bodies hold credentials."""

_ASKED = "asked"
_ATTEMPT = "attempt"
"""Keys of a request's extensions: when the attempt was asked for, and its number."""

_SHOWN = re.compile(
    "accept|accept-encoding|age|allow|cache-control|connection|content-(encoding|length|type)|date|etag|expires|host"
    "|keep-alive|last-modified|retry-after|server|transfer-encoding|user-agent|vary|via|x-request-id",
    re.IGNORECASE,
)
"""Headers with values that tell nothing about anyone. All others are masked: a credential may be in any of them."""

MASKED = "********"


def start(request: httpx.Request, traffic: Traffic) -> None:
    """Note that an attempt is asked for: it may have to wait for its turn."""
    known = request.extensions
    known[_ASKED], known[_ATTEMPT] = time.monotonic(), known.get(_ATTEMPT, 0) + 1
    if traffic.listeners:
        known[PHASES] = {}


def end(
    request: httpx.Request,
    began: float,
    *,
    connection: str,
    traffic: Traffic,
    mask: Callable[[str], str],
    marked: Callable[[Answer], str],
    answer: Answer | None = None,
    error: str = "",
) -> None:
    """Note how an attempt ended, that began to be sent at `began`."""
    traffic.ended()
    now, attempt = time.monotonic(), request.extensions.get(_ATTEMPT, 1)
    if _LOG.isEnabledFor(logging.INFO):
        status = "failed" if answer is None else f"{answer.status}{marked(answer)}"
        again = f", attempt {attempt}" if attempt > 1 else ""
        size = "" if answer is None else f", {_size(len(answer.body))}"
        url = str(request.url.copy_with(query=None, userinfo=None))
        _LOG.info("%s %s → %s (%.0f ms%s%s)", request.method, url, status, (now - began) * 1000, size, again)
    if not traffic.listeners:
        return
    asked = request.extensions.get(_ASKED, began)
    login = LOGIN in request.extensions
    call = Call(
        connection=connection,
        attempt=attempt,
        began=time.time() - (now - asked),
        method=request.method,
        url=mask(str(request.url.copy_with(userinfo=None))),
        request_headers=_headers(request.headers, mask),
        request_body=None if login or not request.content else mask(request.content.decode("utf-8", "replace")),
        status=None if answer is None else answer.status,
        response_headers={} if answer is None else _headers(answer.headers, mask),
        response_body=None if login or answer is None else mask(answer.body.decode("utf-8", "replace")),
        response_size=0 if answer is None else len(answer.body),
        error=mask(error),
        timings=_timings(request.extensions.get(PHASES, {}), asked, began, now),
    )
    for listener in traffic.listeners:
        listener(call)


def _headers(headers: Mapping[str, str], mask: Callable[[str], str]) -> dict[str, str]:
    return {name: mask(value) if _SHOWN.fullmatch(name) else MASKED for name, value in headers.items()}


def _timings(phases: Mapping[str, float], asked: float, began: float, ended: float) -> dict[str, float]:
    """Return the seconds of each phase; together they are the time from `asked` to `ended`."""
    points = {
        "blocked": began,
        **{name: phases.get(name) for name in ("connect", "ssl", "send", "wait")},
        "receive": ended,
    }
    found, last = {}, asked
    for phase, point in points.items():
        if point is not None:
            found[phase], last = max(point - last, 0.0), point
    return found


def _size(size: int) -> str:
    return f"{size / 1000:.1f} kB" if size >= 1000 else f"{size} B"  # noqa: PLR2004 - a kB
