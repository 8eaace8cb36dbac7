"""The outermost layer: logs the calls and injects the faults."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.sandbox.backdoor import shift
from reconciler.sandbox.company import Company
from reconciler.sandbox.connection import close_connection
from reconciler.sandbox.faults import DELAYS, Fault
from reconciler.sandbox.identity import HEADER, naming
from reconciler.sandbox.request_log import LogEntry, readable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_NO_CONTENT = 204
_PIECE = 65_536
_SLOW_PIECES = 10
_POLL_SECONDS = 0.01
_HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


class Answer(Struct, frozen=True, kw_only=True):
    """A complete answer that is not sent yet. A fault may change it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        """Return the value of a header, or empty bytes."""
        return dict(self.headers).get(name, b"")


class Exchange(Struct, frozen=True, kw_only=True):
    """One request of one client: its connection and its log entry."""

    scope: Scope
    receive: Receive
    send: Send
    entry: LogEntry

    async def drop(self, *, flush: bool = False) -> None:
        """Close the connection."""
        await close_connection(self.scope, self.receive, flush=flush)


CAME_AFTER = "sandbox.resets"
"""The key of a request's scope that says how often the company had been reset when the request came."""

_PAGE = Answer(status=200, headers=((b"content-type", b"text/html"),), body=_HTML)
_REFUSALS = (
    Answer(status=200, headers=((b"content-type", b"application/json"),), body=b'{"error": "refused by request"}'),
    Answer(
        status=200,
        headers=((b"content-type", b"application/xml"),),
        body=b"<errors><error>refused by request</error></errors>",
    ),
)
"""A refusal under a status of success, as JSON and as XML."""


class Middleware:
    """The ASGI middleware. Paths under `private` are neither logged nor subject to faults."""

    def __init__(self, inner: App, company: Company, private: str) -> None:
        self._inner = inner
        self._company = company
        self._private = private

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        path, send = scope["path"], self._naming(send)
        if path == self._private or path.startswith(self._private + "/"):
            await self._inner(scope, receive, send)
            return
        scope = {**scope, CAME_AFTER: self._company.resets}
        body = await _read(receive)
        exchange = Exchange(scope=scope, receive=receive, send=send, entry=self._open(scope, body))
        cleared = self._company.faults.cleared
        hits = self._company.faults.take(scope["method"], path)
        exchange.entry.fault = "+".join(fault.kind for fault in hits)
        await asyncio.sleep(sum(fault.seconds for fault in hits if fault.kind == "latency"))
        await self._hold(max((fault.seconds for fault in hits if fault.kind == "hold"), default=0), cleared)
        fault = next((fault for fault in hits if fault.kind not in DELAYS), None)
        if fault and fault.kind in {"status_early", "drop_early"}:
            await (exchange.drop() if fault.kind == "drop_early" else _deliver(_failure(fault), exchange))
            await self._hold(fault.seconds, cleared)
            await self._run(scope, body)
        elif fault and fault.kind == "drop_before":
            await exchange.drop()
        elif fault and fault.kind == "status_before":
            await _deliver(_failure(fault), exchange)
        elif fault and fault.kind == "page_before":
            await _deliver(_PAGE, exchange)
        elif fault and fault.kind == "refusal_before":
            await _deliver(_REFUSALS[path.endswith(".xml")], exchange)
        else:
            if fault and fault.kind == "shift_before":
                shift(self._company, path)
                fault = None
            answer = await self._run(scope, body)
            if fault and fault.kind == "hold_answer":
                exchange.entry.status = answer.status  # the log shows that it was executed
                await self._hold(fault.seconds, cleared)
                fault = None
            await _send_with_fault(fault, answer, exchange)

    def _naming(self, send: Send) -> Send:
        """Return `send` so that each answer names the sandbox."""

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER, self._company.name.encode())]
            await send(message)

        return named

    async def _hold(self, seconds: float, cleared: int) -> None:
        """Wait until another thread clears the faults, at most `seconds`."""
        until = time.monotonic() + seconds
        while self._company.faults.cleared == cleared and time.monotonic() < until:  # noqa: ASYNC110 - set by threads
            await asyncio.sleep(_POLL_SECONDS)

    def _open(self, scope: Scope, body: bytes) -> LogEntry:
        content_type = dict(scope["headers"]).get(b"content-type", b"")
        return self._company.request_log.open(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            body=body,
            content_type=content_type.decode("latin-1"),
        )

    async def _run(self, scope: Scope, body: bytes) -> Answer:
        """Run the application and return its answer without sending it."""
        messages: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            messages.append(message)

        try:
            await self._inner(scope, replay, keep)
        except Exception:  # noqa: BLE001 - a bug in the emulator: answer 500 and log the traceback
            _LOG.exception("the sandbox failed on %s %s", scope["method"], scope["path"])
            return Answer(status=500, headers=((b"content-type", b"text/plain"),), body=b"sandbox defect")
        status, body = messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])
        return Answer(
            status=status,
            headers=tuple((name.lower(), value) for name, value in messages[0]["headers"]),
            body=naming(status, body, self._company.options),
        )


async def _read(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def _send_with_fault(fault: Fault | None, answer: Answer, exchange: Exchange) -> None:
    """Send the answer of an executed request, with the fault if there is one."""
    if fault is None:
        await _deliver(answer, exchange)
    elif fault.kind == "drop_after":
        await exchange.drop()
    elif fault.kind == "truncate":
        kept = answer.body[: len(answer.body) // 2]
        # If the body is too short to cut, Content-Length announces one byte too many.
        promised = max(len(answer.body), len(kept) + 1)
        await _deliver(replace(answer, body=kept), exchange, promised=promised)
        await exchange.drop(flush=True)
    elif fault.kind == "slow_body":
        await _deliver(answer, exchange, pause=fault.seconds / _SLOW_PIECES)
    else:
        await _deliver(_faulty_answer(fault, answer, exchange.entry.path), exchange)


def _faulty_answer(fault: Fault, answer: Answer, path: str) -> Answer:
    default = b"application/xml" if path.endswith(".xml") else b"application/json"
    media = answer.header(b"content-type") or default
    if fault.kind == "status_after":
        return _failure(fault)
    if fault.kind == "garbage" and not fault.binary:
        return _PAGE
    bodies = {
        "garbage": bytes(range(256)),
        "huge": b" " * fault.size,
        "wrong_type": b"<unexpected/>" if b"xml" in media else b'[{"unexpected": true}]',
    }
    status = answer.status if fault.kind == "wrong_type" else 200
    return Answer(status=status, headers=((b"content-type", media),), body=bodies[fault.kind])


def _failure(fault: Fault) -> Answer:
    headers = [(b"content-type", b"text/plain")]
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    return Answer(status=fault.status, headers=tuple(headers), body=f"{fault.status} by request".encode())


async def _deliver(
    answer: Answer, exchange: Exchange, *, promised: int | None = None, pause: float | None = None
) -> None:
    """Send an answer in pieces. The log has it before the client does, so that tests can rely on it.

    `promised` is a Content-Length larger than the body. The body then has no end.
    """
    exchange.entry.response_body = readable(answer.body)
    exchange.entry.status = answer.status
    length = len(answer.body) if promised is None else promised
    headers = [(name, value) for name, value in answer.headers if name != b"content-length"]
    if answer.status != _NO_CONTENT:
        headers.append((b"content-length", str(length).encode()))
    await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    size = _PIECE if pause is None else max(1, len(answer.body) // _SLOW_PIECES)
    for start in range(0, len(answer.body), size):
        await asyncio.sleep(pause or 0)
        await exchange.send(
            {"type": "http.response.body", "body": answer.body[start : start + size], "more_body": True}
        )
    if promised is None:
        await exchange.send({"type": "http.response.body", "body": b""})
