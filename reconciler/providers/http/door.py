"""One connection's HTTP client, the same for every provider.

It is here that a plan cannot write (`writes=False`), that only what is safe is repeated, and that
an error never carries a credential.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import tenacity

from reconciler import __version__, redaction
from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.answer import Answer, error_words
from reconciler.providers.http.pacing import Pace, asked_pause
from reconciler.providers.http.transport import AnswerTooLarge, ReadOnly, failure_words, open_transport, read_body
from reconciler.settings import Connection, Secret

ATTEMPTS = 4
"""How often a request that may be repeated is sent at most."""

BACKOFF = 0.5
"""Seconds: the upper bound of the first pause between attempts; it doubles each time, with full jitter."""

LONGEST_BACKOFF = 20.0

_BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers after which a read is worth another attempt."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before a single byte of the request left: even a write was certainly not carried out."""

_PASSING = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)
"""Failures that may be gone the next time."""

_LOG = logging.getLogger("reconciler.http")

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """How sending a request once ended."""

    answer: Answer | None = None
    error: RemoteError | None = None
    again: bool = False
    pause: float | None = None


class Door:
    """One connection's HTTP client: paced, bounded, retrying what is safe, silent about secrets.

    `transport` replaces the network (tests, embedded sandbox). With `writes=False` nothing but GET
    leaves, save POST to exactly `login_path`. Safe to use from several threads.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        writes: bool,
        secrets: Mapping[str, Secret],
        login_path: str | None = None,
        transport: httpx.BaseTransport | None = None,
        backoff: float = BACKOFF,
    ) -> None:
        self.connection = connection
        self._secrets = dict(secrets)
        self._hidden = {secret.value for secret in secrets.values()}
        self._base = connection.base_url.rstrip("/")
        self._base_path = urlsplit(self._base).path
        inner = transport if transport is not None else open_transport(connection)
        if not writes:
            inner = ReadOnly(inner, None if login_path is None else self._base_path + login_path)
        # trust_env is off because it would let a netrc file add credentials; proxies of the
        # environment are honoured by `open_transport`.
        self._client = httpx.Client(
            transport=inner,
            timeout=httpx.Timeout(connection.timeout),
            follow_redirects=False,
            trust_env=False,
            # No cookies: what a request means must not depend on the ones before it.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": f"reconciler/{__version__}"},
        )
        self._slots = threading.BoundedSemaphore(connection.max_concurrency)
        self._pace = Pace(connection.requests_per_second)
        self._jitter = tenacity.wait_random_exponential(multiplier=backoff, max=LONGEST_BACKOFF)
        self._pool = ThreadPoolExecutor(connection.max_concurrency, thread_name_prefix="reconciler-http")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back sockets and threads."""
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Read `path`; any status but 3xx is returned. RemoteError: no usable answer came."""
        return self._carry(self._request("GET", path, params=params, headers=headers), repeatable=True)

    def write(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one writing call; `path` may carry a query. 2xx and 4xx are returned.

        RemoteError: it was certainly not carried out. OutcomeUnknown: it may have been, because the
        answer was lost, is a server's failure (5xx), or redirects as a carried out form does.
        """
        typed = {**(headers or {}), **({"Content-Type": content_type} if content_type else {})}
        request = self._request(method, path, headers=typed, content=content)
        return self._carry(request, repeatable=False)

    def login(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """POST JSON to obtain a token: changes nothing there, so it is repeated like a read."""
        typed = {**(headers or {}), "Content-Type": "application/json"}
        request = self._request("POST", path, headers=typed, content=json.dumps(payload).encode())
        return self._carry(request, repeatable=True)

    def gather(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return `function` of every item, in item order, up to `max_concurrency` at a time.

        The first exception in item order is raised after all have finished. Not to be nested.
        """
        todo = list(items)
        if len(todo) <= 1:
            return [function(item) for item in todo]
        futures: list[Future[Result]] = [self._pool.submit(function, item) for item in todo]
        try:
            wait(futures)
        except BaseException:  # the user's interrupt: what has not started yet must not start
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]

    def secret(self, name: str) -> str | None:
        """Return a credential's value; None where the connection has none of that name."""
        found = self._secrets.get(name)
        return None if found is None else found.value

    def hide(self, value: str) -> None:
        """Keep a value that was obtained later (a token) out of every message and output."""
        self._hidden.add(value)
        redaction.hide(value)

    def words(self, answer: Answer) -> str:
        """Return what a failed answer says, in short, without any credential it may repeat."""
        return self.veil(error_words(answer))

    def veil(self, text: str) -> str:
        """Return a remote system's words without any credential that they repeat, short ones too."""
        text = redaction.redacted(text)
        for value in sorted(self._hidden, key=len, reverse=True):
            if len(value) > 2:  # noqa: PLR2004 - hiding one or two letters would only garble the sentence
                text = text.replace(value, "********")
        return text

    def refusal(self, answer: Answer, doing: str) -> RemoteError:
        """Return the error for an answer that says no to `doing` (`POST /api/sessions.xml`)."""
        name = self.connection.name
        if answer.status == 401:  # noqa: PLR2004 - HTTP's "who are you"
            hint = f"check the credentials under auth ({self.connection.where})"
            return RemoteError(f"{doing}: 401: wrong credentials for connection `{name}`", hint=hint, status=401)
        if answer.status == 403:  # noqa: PLR2004 - HTTP's "not you"
            hint = f"check company_id and what these credentials may do ({self.connection.where})"
            said = f"403: not allowed for connection `{name}`: {self.words(answer)}"
            return RemoteError(f"{doing}: {said}", hint=hint, status=403)
        said = f"{answer.status}: {self.words(answer)}"
        return RemoteError(f"{doing}: {said}", status=answer.status)

    def local_path(self, url: str) -> str | None:
        """Return the path of a link into this same system (relative, or on the same host), else None.

        A query, a fragment and a template's tail are cut off. Nothing is ever fetched from elsewhere.
        """
        try:
            there, here = urlsplit(url.partition("{")[0]), urlsplit(self._base)
        except ValueError:
            return None
        if there.netloc and there.hostname != here.hostname:
            return None
        if not there.path.startswith("/") or not there.path.startswith(self._base_path):
            return None
        return there.path[len(self._base_path) :]

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> httpx.Request:
        for name, value in (headers or {}).items():
            if not (value.isascii() and value.isprintable()):
                raise ReconcilerError(
                    f"the value for HTTP header {name} of connection `{self.connection.name}` holds characters "
                    "that cannot be sent; expected printable ASCII",
                    hint="is there a line break in the credential?",
                )
        url = self._base + path
        body = content if content or method != "GET" else None
        try:
            return self._client.build_request(method, url, params=params, headers=headers, content=body)
        except httpx.InvalidURL:
            raise RemoteError(f"{method} {path.partition('?')[0]}: not a path that can be asked for") from None

    def _carry(self, request: httpx.Request, *, repeatable: bool) -> Answer:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=self._pause,
            retry=tenacity.retry_if_result(lambda attempt: attempt.again),
            retry_error_callback=_last,
        )
        attempt: _Attempt = retrying(self._attempt, request, repeatable)
        if attempt.error is not None:
            raise attempt.error
        if attempt.answer is None:  # pragma: no cover - an attempt ends in one of the two
            raise AssertionError
        return attempt.answer

    def _pause(self, state: tenacity.RetryCallState) -> float:
        attempt = _last(state)
        return self._jitter(state) if attempt.pause is None else attempt.pause

    def _attempt(self, request: httpx.Request, repeatable: bool) -> _Attempt:
        with self._slots:
            self._pace.wait()
            began = time.monotonic()
            try:
                answer = self._exchange(request, began + self.connection.timeout)
            except (httpx.HTTPError, AnswerTooLarge) as error:
                _log(request, "failed", began)
                return self._failed(request, error, repeatable=repeatable)
            _log(request, str(answer.status), began, len(answer.body))
        return self._judged(request, answer, repeatable=repeatable)

    def _exchange(self, request: httpx.Request, deadline: float) -> Answer:
        response = self._client.send(request, stream=True)
        try:
            body = read_body(response, deadline)
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=body, url_path=self._path(request))

    def _failed(self, request: httpx.Request, error: Exception, *, repeatable: bool) -> _Attempt:
        words, hopeless = failure_words(error, self.connection)
        status = error.status if isinstance(error, AnswerTooLarge) else None
        said = f"{self._described(request)}: {words}"
        if repeatable or isinstance(error, (*_NEVER_SENT, httpx.UnsupportedProtocol)):
            again = isinstance(error, _PASSING) and not hopeless
            return _Attempt(error=RemoteError(said, status=status), again=again)
        # The server may be at it still where we gave up waiting; a connection that broke ended the request.
        pending = isinstance(error, httpx.TimeoutException)
        return _Attempt(error=OutcomeUnknown(f"{said}; it may have been carried out", status=status, pending=pending))

    def _judged(self, request: httpx.Request, answer: Answer, *, repeatable: bool) -> _Attempt:
        status, doing = answer.status, self._described(request)
        if 300 <= status < 400:  # noqa: PLR2004 - HTTP's class of redirections
            target = urlsplit(answer.headers.get("location", "")).hostname or "another path"
            said = f"{doing}: {status}: redirected to {target}, which is not followed"
            # 302 and 303 are also how a web application answers a form it has carried out.
            lost = not repeatable and status in {302, 303}
            kind = OutcomeUnknown if lost else RemoteError
            return _Attempt(error=kind(said, status=status, hint="correct the connection's base_url"))
        pause = asked_pause(answer.headers) if status in {429, 503} else None
        if status == 429 and pause is not None:  # noqa: PLR2004 - HTTP's "too many requests"
            self._pace.hold(pause)
        if not repeatable and (status >= 500 or status == 408):  # noqa: PLR2004 - the server's own failures
            said = f"{doing}: {status}: {self.words(answer)}; it may have been carried out"
            return _Attempt(error=OutcomeUnknown(said, status=status))
        again = status in _BUSY if repeatable else status == 429  # noqa: PLR2004 - refused before it was looked at
        return _Attempt(answer=answer, again=again, pause=pause)

    def _described(self, request: httpx.Request) -> str:
        host = urlsplit(self._base).netloc.rpartition("@")[2]
        return f"{request.method} {host}{request.url.path}"

    def _path(self, request: httpx.Request) -> str:
        return request.url.path[len(self._base_path) :]


def _last(state: tenacity.RetryCallState) -> _Attempt:
    if state.outcome is None:  # pragma: no cover - tenacity calls this after an attempt
        raise AssertionError
    attempt: _Attempt = state.outcome.result()
    return attempt


def _log(request: httpx.Request, status: str, began: float, size: int | None = None) -> None:
    """One line a request; never a query, a header or a body."""
    took = (time.monotonic() - began) * 1000
    length = "" if size is None else f", {size / 1000:.1f} kB" if size >= 1000 else f", {size} B"  # noqa: PLR2004
    _LOG.info("%s %s → %s (%.0f ms%s)", request.method, request.url.path, status, took, length)
