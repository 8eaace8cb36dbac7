"""The HTTP client for the API of a forge. Its token goes to the host of that API alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from reconciler import redaction
from reconciler.errors import ReconcilerError, RemoteError
from reconciler.files import LARGEST_DOCUMENT
from reconciler.version import __version__

PAGE = 100
"""Entries of a page: the most that GitHub and GitLab give."""

PAGES = 100
"""Pages of a list at most."""

LARGEST = LARGEST_DOCUMENT
"""Bytes of an answer at most: one holds a saved plan."""

ATTEMPTS = 4
BACKOFF = 1.0
"""Seconds before the second attempt of a read; each pause doubles."""

_TIMEOUT = httpx.Timeout(30, connect=10)
_AGAIN = frozenset({429, 500, 502, 503, 504})
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

Params = Mapping[str, str | int]


class ForgeClient:
    """Reads are repeated after a failure; a writing call is sent once."""

    def __init__(self, base: str, header: str, token: str, *, accept: str, prefix: str = "") -> None:
        where = urlsplit(base)
        if where.scheme != "https" and not (where.scheme == "http" and where.hostname in _LOOPBACK):
            raise ReconcilerError(f"the API of the forge is at {base}; expected an address with https")
        redaction.hide(token)
        self._base = base.rstrip("/")
        self._host = where.netloc
        fixed = {"Accept": accept, "User-Agent": f"reconciler/{__version__}"}
        self._open = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers=fixed)
        self._secret = {header: f"{prefix}{token}"}

    def close(self) -> None:
        """Close the sockets."""
        self._open.close()

    def get(self, path: str, params: Params | None = None) -> Any:
        """Return what is at a path; RemoteError with the status where it is not there."""
        return self._parsed("GET", path, self._answer("GET", path, params=params)[0])

    def pages(self, path: str, params: Params | None = None, key: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield every entry of a list, which is the answer or its member `key`."""
        for page in range(1, PAGES + 1):
            content, link = self._answer("GET", path, params={**(params or {}), "per_page": PAGE, "page": page})
            found = self._parsed("GET", path, content)
            entries = found.get(key) if key is not None and isinstance(found, dict) else found
            if not isinstance(entries, list):
                raise RemoteError(f"GET {path}: the answer of {self._host} is not a list")
            yield from entries
            if 'rel="next"' not in link:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send one writing call."""
        content = json.dumps(body).encode("utf-8", "replace")
        return self._parsed(method, path, self._answer(method, path, content=content)[0])

    def download(self, path: str) -> bytes:
        """Return a file. The forge may name another host for it, which does not get the token."""
        return self._answer("GET", path, follow=True)[0]

    def _parsed(self, method: str, path: str, content: bytes) -> Any:
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise RemoteError(f"{method} {path}: the answer of {self._host} is not JSON") from None

    def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        content: bytes | None = None,
        follow: bool = False,
    ) -> tuple[bytes, str]:
        """Return the content of an answer, and its header with the way to the next page."""
        attempts = ATTEMPTS if method == "GET" else 1
        for attempt in range(1, attempts + 1):
            try:
                status, headers, found = self._once(method, self._base + path, params, content, self._secret)
                if follow and (location := headers.get("location")) is not None:
                    status, headers, found = self._once("GET", self._away(location), None, None, {})
            except httpx.TransportError as error:
                if attempt < attempts:
                    time.sleep(BACKOFF * 2 ** (attempt - 1))
                    continue
                words = str(error) or type(error).__name__
                raise RemoteError(f"{method} {path}: no answer of {self._host}: {words}") from None
            if status in _AGAIN and attempt < attempts:
                time.sleep(BACKOFF * 2 ** (attempt - 1))
                continue
            if status // 100 != 2:  # noqa: PLR2004 - HTTP's "successful"
                raise RemoteError(
                    f"{method} {path}: {self._host} answers {status}: {_words(found)}",
                    hint="check the permissions of the job's token" if status in {401, 403, 404} else None,
                    status=status,
                )
            return found, headers.get("link", "")
        raise AssertionError("every attempt returns or raises")

    def _away(self, location: str) -> str:
        """Return the address of a file at another host: not a file, an internal service or an unencrypted one."""
        there, here = urlsplit(location), urlsplit(self._base)
        if there.scheme != "https" and there.netloc != here.netloc:
            raise RemoteError(f"{self._host} names a file without https: {there.scheme}://{there.netloc}")
        return location

    def _once(
        self, method: str, url: str, params: Params | None, content: bytes | None, secret: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {**secret, **({"Content-Type": "application/json"} if content is not None else {})}
        with self._open.stream(method, url, params=params, content=content, headers=headers) as answer:
            found = bytearray()
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > LARGEST:
                    raise RemoteError(f"{method} {urlsplit(url).path}: an answer of more than {LARGEST} bytes")
            return answer.status_code, answer.headers, bytes(found)


def _words(found: bytes) -> str:
    """Return the message of an error, shortened."""
    try:
        said = json.loads(found)
    except ValueError:
        said = None
    words = (said.get("message") or said.get("error")) if isinstance(said, dict) else None
    return redaction.redacted(str(words or "no message"))[:300]
