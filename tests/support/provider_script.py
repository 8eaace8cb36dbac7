"""A scripted remote system behind a real HTTP client: answers by method and path, and what was asked."""

import itertools
import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from reconciler.model.change import Call, Change, Edit
from reconciler.model.objects import Address, Desired, Live, SourceRef
from reconciler.providers.http import HttpClient
from reconciler.settings import Connection, Secret

WHERE = SourceRef("reconciler.yaml", 7)
Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def connection(**settings) -> Connection:
    given = {"name": "sessions", "provider": "bookingbug-sessions", "base_url": "https://uk.bookingbug.com"}
    return Connection(**{**given, "where": WHERE, **settings})


def whole_request(peer):
    """Read a request to its end, empty where there is none: to close a socket with unread bytes would reset it."""
    read = b""
    while True:
        head, over, content = read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if over and len(content) >= (int(length[1]) if length else 0):
            return read
        more = peer.recv(65536)
        if not more:
            return b""
        read += more


@contextmanager
def raw_server(talk, *, receives=None, host="127.0.0.1"):
    """A server on loopback that has `talk(peer, number)` answer each connection, numbered from 1; yields its URL.

    `receives` is how many bytes wait in its system for it to read them.
    """
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    if receives is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)

    def closing_after(peer, number):
        with closing(peer), suppress(OSError):
            talk(peer, number)

    def accept():
        for number in itertools.count(1):
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=closing_after, args=(peer, number), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@dataclass
class Script:
    """Replies by `METHOD /path` (query left out); a list is used up one by one, its last one repeats."""

    replies: dict[str, Reply | list[Reply]]
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        key = f"{request.method} {request.url.path}"
        reply = self.replies.get(key, httpx.Response(404, json={"error": "Not Found"}))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            return reply(request)
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.seen]


def open_client(script, *, writes=True, secrets=None, settings=None, **options) -> HttpClient:
    return HttpClient(
        connection(**(settings or {})),
        writes=writes,
        secrets={name: Secret(value) for name, value in (secrets or {}).items()},
        transport=httpx.MockTransport(script),
        backoff=0,
        **options,
    )


def change(action, *, kind="Session", remote_id=None, fields=None, edits=(), live=None) -> Change:
    address = Address(kind, "one")
    desired = None
    if fields is not None:
        desired = Desired(address=address, connection="sessions", fields=fields, source=WHERE)
    return Change(
        address=address,
        connection="sessions",
        action=action,
        reason="",
        remote_id=remote_id,
        edits=tuple(edits),
        desired=desired,
        live=None if live is None else Live(remote_id=remote_id, fields=live),
    )


def edit(part=None, part_id=None, **values) -> Edit:
    return Edit(values=values, part=part, part_id=part_id)


def call(effect, method, path, body=None, *, kind="Session") -> Call:
    return Call(
        address=Address(kind, "one"),
        connection="sessions",
        effect=effect,
        method=method,
        path=path,
        body=body,
    )


def xml(status, text="", **headers) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": "text/xml", **headers}, content=text.encode())


def page(rows, total=None, name="resources") -> httpx.Response:
    body = {"total_entries": len(rows) if total is None else total, "_embedded": {name: rows}}
    return httpx.Response(200, content=json.dumps(body).encode())
