"""Building the requests of one connection."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import httpx

from reconciler.errors import ReconcilerError, RemoteError
from reconciler.providers.http.body import ENCODINGS
from reconciler.providers.http.deadline import CONNECT_TIMEOUT
from reconciler.settings import Connection
from reconciler.target import origin_of
from reconciler.version import __version__

_HEADERS = (
    ("Accept", "*/*"),
    ("Connection", "keep-alive"),
    ("User-Agent", f"reconciler/{__version__}"),
    ("Accept-Encoding", ENCODINGS),
)
"""Of every request that does not state its own."""

_SETS = 8
"""Sets of stated headers for which all headers are kept: a provider nearly always states the same ones."""

_NO_BODY = httpx.ByteStream(b"")


class Requests:
    """Builds requests to the system at a connection's `base_url`."""

    def __init__(self, connection: Connection) -> None:
        self.base = _ascii(connection)
        """The base URL as it is sent."""
        parts = urlsplit(self.base)
        self.base_path, self.host = parts.path, parts.netloc.rpartition("@")[2]
        self._connection = connection
        timeout = httpx.Timeout(connection.timeout, connect=min(connection.timeout, CONNECT_TIMEOUT))
        self._extensions = {"timeout": timeout.as_dict()}
        self._all_headers = lru_cache(_SETS)(self._headers)

    def new(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> httpx.Request:
        """Return a request; ReconcilerError for a header or path that cannot be sent."""
        sent = self._all_headers(tuple((headers or {}).items()))
        # Without a body there is nothing to frame; finding that out takes httpx as long as all else of a request.
        stream = None if content or method != "GET" else _NO_BODY
        url = self.base + path
        try:
            request = httpx.Request(
                method, url, params=params, headers=sent, content=content, stream=stream, extensions=self._extensions
            )
        except httpx.InvalidURL:
            raise RemoteError(f"{method} {path.partition('?')[0]}: the path is not valid in a URL") from None
        request.read()  # its content is known also if it is never sent
        return request

    def _headers(self, stated: tuple[tuple[str, str], ...]) -> httpx.Headers:
        for name, value in stated:
            if not (value.isascii() and value.isprintable()):
                raise ReconcilerError(
                    f"the value for HTTP header {name} of connection `{self._connection.name}` contains characters "
                    "that cannot be sent; expected printable ASCII",
                    hint="check the credential for a line break",
                )
        given = {name.lower() for name, _ in stated}
        own = (("Host", self.host), *_HEADERS)
        return httpx.Headers([*(item for item in own if item[0].lower() not in given), *stated])


def _ascii(connection: Connection) -> str:
    """Return the base URL as it is sent: its host in IDNA, other characters as escapes."""
    try:
        url = httpx.URL(connection.base_url.rstrip("/"))
        _ = url.host  # decoded only when asked for
        same = origin_of(str(url)) == origin_of(
            connection.base_url
        )  # the host that was checked is the one that is used
    except (httpx.InvalidURL, UnicodeError):
        same = False
    if not same:
        message = f"{connection.where}: base_url of connection `{connection.name}` has a host name that is not valid"
        raise ReconcilerError(message, hint="check its spelling")
    return str(url)
