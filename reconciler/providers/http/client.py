"""One connection's HTTP client, the same for every provider.

It keeps a plan from writing (`writes=False`), retries only what is safe, and keeps credentials out of errors.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import unquote

import httpx
from msgspec.structs import replace

from reconciler import redaction
from reconciler.errors import NotStarted, OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.answer import Answer, error_words, request_id, says_yes
from reconciler.providers.complaints import complaints
from reconciler.providers.http import recording
from reconciler.providers.http.attempts import Attempt, Purpose, failed, judged, settled
from reconciler.providers.http.body import BUDGET, AnswerTooLarge, Hold, read_body
from reconciler.providers.http.breaker import Sort
from reconciler.providers.http.deadline import DEADLINE, FIRST_BYTE, NotSentInTime
from reconciler.providers.http.links import local_path
from reconciler.providers.http.next_steps import astray
from reconciler.providers.http.pacing import Limiter, asked_pause
from reconciler.providers.http.requests import Requests
from reconciler.providers.http.token import Token
from reconciler.providers.http.transport import ReadOnly, open_transport
from reconciler.providers.http.workers import Workers
from reconciler.providers.notice import starting
from reconciler.settings import Connection, Secret

ATTEMPTS = 4
"""Maximum number of attempts for a request that may be retried."""

BACKOFF = 0.5
"""Seconds: the upper bound of the first pause between attempts; it doubles each time, with full jitter."""

LONGEST_BACKOFF = 20.0

_LIMIT = "limit"
"""The key of a request's extensions that holds the setting which limits the size of its answer."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class HttpClient:
    """One connection's HTTP client; safe to use from several threads.

    `transport` replaces the network (tests, embedded sandbox). With `writes=False` only GET is sent, and POST to
    exactly `login_path`. The clients of one connection share a `limiter` and a `token`.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        writes: bool,
        secrets: Mapping[str, Secret],
        login_path: str | None = None,
        limiter: Limiter | None = None,
        token: Token | None = None,
        transport: httpx.BaseTransport | None = None,
        backoff: float = BACKOFF,
    ) -> None:
        self.connection = connection
        self._secrets = dict(secrets)
        self._hidden = {secret.value for secret in secrets.values()}
        self._requests = Requests(connection)
        self._base_path, self._host = self._requests.base_path, self._requests.host
        inner = transport if transport is not None else open_transport(connection)
        if not writes:
            inner = ReadOnly(inner, None if login_path is None else self._base_path + login_path)
        # No session of httpx: it would add credentials of a netrc file, keep cookies, and follow redirects. The proxies
        # of the environment are used by `open_transport`.
        self._transport, self._closed = inner, False
        self.token = token or Token()
        """The token of the connection's login, where it has one."""
        self._limiter = limiter or Limiter(
            connection.max_concurrency, connection.requests_per_second, name=connection.name
        )
        self._backoff = backoff
        self._workers = Workers(connection.max_concurrency)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close sockets and threads; nothing is sent any more."""
        self._workers.close()
        self._closed = True
        self._transport.close()

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        lists: bool = False,
    ) -> Answer:
        """Read `path` and return the answer of any status but 3xx; RemoteError if there is no usable answer.

        An answer that `lists` objects may be larger than one about a single object.
        """
        request = self._requests.new("GET", path, params=params, headers=headers)
        request.extensions[_LIMIT] = "max_list_mb" if lists else "max_object_mb"
        return self._carry(request, Purpose.READ)

    def write(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Send one writing call and return an answer of 2xx or 4xx. `path` may hold a query.

        RemoteError: it was certainly not applied. OutcomeUnknown: it may have been applied. The answer was lost, or is
        a failure of the server (5xx), or a redirect as after a form, or an HTML page after a PUT or DELETE, which may
        come from a proxy. (After a POST the caller looks for the new object.)
        `repeatable`: applied twice it has the same effect as applied once, so it is retried after an attempt without
        a usable answer. A DELETE then counts a 404 or 410 as success.
        """
        typed = {**(headers or {}), **({"Content-Type": content_type} if content_type else {})}
        request = self._requests.new(method, path, headers=typed, content=content)
        answer = self._carry(request, Purpose.REPEATABLE if repeatable else Purpose.ONCE)
        if answer.ok and answer.is_html and not says_yes(answer) and method != "POST":
            said = f"{self._described(request)}: {answer.status}{self._marked(answer)}: invalid response: an HTML page"
            raise OutcomeUnknown(f"{said}; it may have been applied", status=answer.status)
        return answer

    def login(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """POST JSON to obtain a token. It changes nothing, so it is retried like a read."""
        typed = {**(headers or {}), "Content-Type": "application/json"}
        request = self._requests.new("POST", path, headers=typed, content=json.dumps(payload).encode())
        request.extensions[recording.LOGIN] = True
        return self._carry(request, Purpose.READ)

    def notify(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """POST a message. It may arrive twice, so it is retried like a read."""
        return self._carry(self._requests.new("POST", path, headers=headers, content=content), Purpose.READ)

    def gather(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return `function` of every item, in item order, up to `max_concurrency` at a time.

        The first exception in item order is raised after all have finished. Calls must not be nested.
        """
        todo = list(items)
        function = self._limiter.traffic.counting(function, len(todo))
        return [function(item) for item in todo] if len(todo) <= 1 else self._workers.gather(function, todo)

    def secret(self, name: str) -> str | None:
        """Return the value of a credential; None if the connection has none of that name."""
        found = self._secrets.get(name)
        return None if found is None else found.value

    def hide(self, value: str) -> None:
        """Mask a value that was obtained later (a token) in every message and output."""
        self._hidden.add(value)
        redaction.hide(value)

    def words(self, answer: Answer) -> str:
        """Return the message of a failed answer, shortened and with credentials masked."""
        return self.mask(error_words(answer))

    def mask(self, text: str) -> str:
        """Return the text of a remote system with credentials masked, short ones too."""
        return redaction.masked(redaction.redacted(text), redaction.needles(self._hidden, shortest=3))

    def refusal(self, answer: Answer, doing: str) -> RemoteError:
        """Return the error for an answer that refuses `doing` (`POST /api/sessions.xml`)."""
        asked = doing if doing.startswith("GET ") else doing.replace(" ", f" {self._host}{self._base_path}", 1)
        return self.with_complaints(self._refusal(answer, asked), answer)

    def with_complaints(self, error: RemoteError, answer: Answer) -> RemoteError:
        """Return an error with what the answer says of single fields."""
        error.complaints = tuple(replace(item, words=self.mask(item.words)) for item in complaints(answer))
        return error

    def _refusal(self, answer: Answer, doing: str) -> RemoteError:
        name, marked = self.connection.name, self._marked(answer)
        if answer.status == 401:  # noqa: PLR2004 - HTTP's "unauthorized"
            sources = ", ".join(self.connection.auth[key].shown for key in sorted(self.connection.auth))
            hint = f"check {sources or 'the credentials under auth'} ({self.connection.where})"
            hint += f"; the server says: {self.words(answer)}"
            said = f"401: wrong credentials for connection `{name}`{marked}"
            return RemoteError(f"{doing}: {said}", hint=hint, status=401)
        if answer.status == 403:  # noqa: PLR2004 - HTTP's "forbidden"
            account = self.connection.settings.account or "the account"
            hint = f"check {account} and the permissions of these credentials ({self.connection.where})"
            said = f"403: not allowed for connection `{name}`: {self.words(answer)}{marked}"
            return RemoteError(f"{doing}: {said}", hint=hint, status=403)
        said = f"{answer.status}: {self.words(answer)}{marked}"
        path = astray(self.connection) if answer.status == 404 else None  # noqa: PLR2004 - HTTP's "not found"
        return RemoteError(f"{doing}: {said}", hint=path, status=answer.status)

    def local_path(self, url: str) -> str | None:
        """Return the path of a link into this same system (relative, or with its scheme, host and port), else None.

        A query, a fragment and the tail of a template are cut off. Nothing is ever fetched from another system.
        """
        return local_path(url, self._requests.base)

    def _marked(self, answer: Answer) -> str:
        found = request_id(answer)
        return "" if found is None else f" (request id {self.mask(found)})"

    def _carry(self, request: httpx.Request, purpose: Purpose) -> Answer:
        doubts: list[OutcomeUnknown] = []
        attempt = self._attempt(request, purpose, doubts)
        for retry in range(ATTEMPTS - 1):
            if not attempt.again or self._ends(purpose):
                break
            self._limiter.pause(self._jittered(retry) if attempt.pause is None else attempt.pause)
            attempt = self._attempt(request, purpose, doubts)
        return settled(attempt, request, doubts)

    def _ends(self, purpose: Purpose) -> bool:
        """Whether a read is not repeated, because the time of the run is over."""
        return purpose is Purpose.READ and self._limiter.limit.over

    def _jittered(self, retry: int) -> float:
        longest = min(self._backoff * 2**retry, LONGEST_BACKOFF)
        return random.uniform(0, longest)  # noqa: S311 - it only spreads requests

    def _attempt(self, request: httpx.Request, purpose: Purpose, doubts: list[OutcomeUnknown]) -> Attempt:
        """Send a request once; add to `doubts` if it may have been applied."""
        recording.start(request, self._limiter.traffic)
        try:
            with self._limiter.turn(request, _sort(request, purpose)):
                if purpose is not Purpose.READ:
                    self._start_writing()
                attempt = self._sent(request, purpose)
        except ReconcilerError as error:  # this attempt was not sent
            if isinstance(error, RemoteError) and type(error) is not NotStarted:
                error = type(error)(f"{self._described(request)}: {error.message}")
            if not doubts:
                raise error from None
            unsent = error if isinstance(error, RemoteError) else RemoteError(error.message, hint=error.hint)
            return Attempt(error=unsent)
        if isinstance(attempt.error, OutcomeUnknown):
            doubts.append(attempt.error)
        return attempt

    def _start_writing(self) -> None:
        """Report that a writing call is sent now; ReconcilerError if it must not be."""
        if self._limiter.stop.is_set():
            raise NotStarted("not sent, because the run was interrupted")
        starting(self.connection.timeout)

    def _sent(self, request: httpx.Request, purpose: Purpose) -> Attempt:
        began = time.monotonic()
        doing = self._described(request)
        if purpose is not Purpose.READ:
            request.extensions[FIRST_BYTE] = self._start_writing
        try:
            answer = self._exchange(request, began + self.connection.timeout)
        except (httpx.HTTPError, AnswerTooLarge) as error:
            if isinstance(error, httpx.TimeoutException) and not isinstance(error, (httpx.PoolTimeout, NotSentInTime)):
                self._limiter.breaker.timed_out(request, _sort(request, purpose), began)
            self._ended(request, began, error=str(error) or type(error).__name__)
            return failed(error, doing, self.connection, purpose, limited_by=_limit_of(request))
        self._ended(request, began, answer=answer)
        pause = asked_pause(answer.headers) if answer.status in {429, 503} else None
        if answer.status == 429 or pause is not None:  # noqa: PLR2004 - HTTP's "too many requests"
            self._limiter.pace.refused(began)
            self._limiter.pace.hold(pause or 0.0)
        elif answer.ok:
            self._limiter.pace.answered()
        self._heard(request, answer, purpose, began)
        words = "" if answer.ok else self.words(answer) + self._marked(answer)  # only needed for failures
        return judged(answer, f"{doing}: {answer.status}: ", words, purpose, pause)

    def _ended(self, request: httpx.Request, began: float, *, answer: Answer | None = None, error: str = "") -> None:
        recording.end(
            request,
            began,
            connection=self.connection.name,
            traffic=self._limiter.traffic,
            mask=self.mask,
            answer=answer,
            marked=self._marked,
            error=error,
        )

    def _heard(self, request: httpx.Request, answer: Answer, purpose: Purpose, began: float) -> None:
        """Tell the breaker what an answer says about the system."""
        sort, breaker = _sort(request, purpose), self._limiter.breaker
        if answer.status == 504:  # noqa: PLR2004 - a gateway says that the system behind it does not respond
            breaker.timed_out(request, sort, began)
        elif answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers):  # noqa: PLR2004 - HTTP's "too many requests" and "unavailable"
            breaker.postponed(sort)
        else:
            breaker.answered(sort)

    def _exchange(self, request: httpx.Request, deadline: float) -> Answer:
        if self._closed:
            raise RuntimeError("a request after the client was closed")
        request.extensions[DEADLINE] = deadline
        response = self._transport.handle_request(request)
        ticket, limit = object(), getattr(self.connection, _limit_of(request))
        try:
            body = read_body(response, deadline, limit, ticket=ticket, waits=request.method == "GET")
        except BaseException:
            BUDGET.release(ticket)
            raise
        finally:
            response.close()
        headers = dict(response.headers.items())  # by lower-case name
        hold = Hold(BUDGET, ticket)  # until it is decoded, and its text is not needed any more
        return Answer(status=response.status_code, headers=headers, body=body, url_path=self._path(request), hold=hold)

    def _described(self, request: httpx.Request) -> str:
        return f"{request.method} {self._host}{request.url.path}"

    def _path(self, request: httpx.Request) -> str:
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        return unquote(path[len(self._base_path) :])


def _sort(request: httpx.Request, purpose: Purpose) -> Sort:
    return "write" if purpose is not Purpose.READ else "login" if request.method == "POST" else "read"


def _limit_of(request: httpx.Request) -> str:
    return str(request.extensions.get(_LIMIT, "max_object_mb"))
