"""What to do about a connection that does not work: the setting to look at, and its place."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from reconciler.providers.http.proxies import proxy_of
from reconciler.settings import Connection, is_loopback

SANDBOX = "is `reconciler sandbox` running?"

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"})
"""What OpenSSL calls an answer that is not TLS."""

_UNNAMED_HOST = frozenset({62, 64})
"""OpenSSL's codes for a certificate of another host name or address."""

_EXPIRED = 10

_SELF_SIGNED = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a certificate whose authority is not known."""


def next_step(error: Exception, connection: Connection) -> str | None:
    """Return the hint for a request that got no answer."""
    cause, place = next(causes(error), None), connection.base_url_at or connection.where
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, connection)
    if isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError)) and connection.base_url.startswith("http:"):
        return f"if the port uses TLS, write https:// in base_url ({place})"
    if not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return None
    if proxy_of(connection.base_url) is not None:
        return "it goes through a proxy: check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY"
    if isinstance(cause, socket.gaierror):
        return f"check the host name in base_url ({place}), and the network of this machine"
    refused = isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED
    local = refused and is_loopback(urlsplit(connection.base_url).hostname or "")
    return f"{f'{SANDBOX} If so, ' if local else ''}check the host and port of base_url ({place})"


def astray(connection: Connection) -> str | None:
    """Return the hint for a path that the system does not have; None where base_url is only a host."""
    parts, place = urlsplit(connection.base_url), connection.base_url_at or connection.where
    path = parts.path.rstrip("/")
    if not path:
        return None
    added = f"reconciler adds the path of the API to base_url, which already has the path {path}"
    return f"{added}: expected only {parts.scheme}://{parts.netloc} ({place})"


def _tls(cause: ssl.SSLError, connection: Connection) -> str | None:
    place = connection.base_url_at or connection.where
    if cause.reason in _NOT_TLS:
        return f"the port does not use TLS: check the port, or write http:// in base_url ({place})"
    code = cause.verify_code if isinstance(cause, ssl.SSLCertVerificationError) else None
    if code in _UNNAMED_HOST:
        return f"write the host name of the certificate in base_url ({place})"
    if code in _SELF_SIGNED:
        return f"to trust its authority: ca_file: FILE.pem in connection `{connection.name}` ({connection.where})"
    return "its owner must renew it; also check the clock of this machine" if code == _EXPIRED else None


def causes(error: BaseException) -> Iterator[OSError]:
    """Yield the operating system errors behind an error that have a message."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and (cause.strerror or isinstance(cause, (ssl.SSLError, socket.gaierror))):
            yield cause
        cause = cause.__cause__ or cause.__context__
