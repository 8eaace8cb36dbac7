"""How one attempt to send a request ended, and whether a retry is useful and safe. No I/O.

Decision 009 says what is retried and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from reconciler.errors import Interrupted, OutcomeUnknown, RemoteError
from reconciler.providers.answer import Answer, neutral
from reconciler.providers.http.body import AnswerTooLarge
from reconciler.providers.http.next_steps import next_step
from reconciler.providers.http.transport import failure_words
from reconciler.settings import Connection

_BUSY = frozenset({429, 500, 502, 503, 504})
"""Statuses after which a read is retried."""

_ENDED = frozenset({500, 502, 503})
"""Those of them after which a writing call has ended. A 504 of a gateway only says that it no longer waits."""

_SERVERS_OWN = frozenset({302, 303, 500, 503})
"""Statuses of a lost result that come from the application, not from a gateway that lost the connection to it."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before the first byte of the request was sent: a write was certainly not applied."""

_PASSING = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)
"""Failures that may not happen again."""

_GONE = frozenset({404, 410})


class Purpose(Enum):
    """What a request is for, which decides whether it may be sent twice."""

    READ = auto()
    """Changes nothing."""
    REPEATABLE = auto()
    """Changes something; sent twice it has the same effect as sent once."""
    ONCE = auto()
    """Sent twice it may have two effects."""


class Attempt(Struct, frozen=True, kw_only=True):
    """How one attempt ended: with an answer or an error."""

    answer: Answer | None = None
    error: RemoteError | None = None
    again: bool = False
    """Whether to retry."""
    pause: float | None = None
    """Seconds that the server asked to wait before a retry."""


def failed(
    error: Exception, doing: str, connection: Connection, purpose: Purpose, *, limited_by: str = "max_object_mb"
) -> Attempt:
    """Classify an attempt that got no answer; `limited_by` is the setting that limits its size."""
    words, hopeless = failure_words(error, connection)
    status = error.status if isinstance(error, AnswerTooLarge) else None
    said = f"{doing}: {words}"
    if isinstance(error, AnswerTooLarge):  # in the message itself: it goes where no hint does
        said += f"; expected less, or a higher {limited_by} of connection `{connection.name}` ({connection.where})"
    passing = isinstance(error, _PASSING) and not hopeless
    hint = next_step(error, connection)
    if purpose is Purpose.READ or isinstance(error, (*_NEVER_SENT, httpx.UnsupportedProtocol)):
        return Attempt(error=RemoteError(said, status=status, hint=hint), again=passing)
    # After a timeout the server may still be working on it; a broken connection ended the request.
    pending = isinstance(error, httpx.TimeoutException)
    lost = OutcomeUnknown(f"{said}; it may have been applied", status=status, pending=pending, hint=hint)
    return Attempt(error=lost, again=purpose is Purpose.REPEATABLE and passing and not pending)


def judged(answer: Answer, said: str, words: str, purpose: Purpose, pause: float | None) -> Attempt:
    """Classify an answer. `said` names the call and the status; `words` are the server's if it failed."""
    status = answer.status
    if status // 100 == 3:  # noqa: PLR2004 - HTTP's class of redirections
        # A web application also returns 302 or 303 after it has applied a form.
        lost = purpose is not Purpose.READ and status in _SERVERS_OWN
        message = f"{said}redirected to {_target(answer)}; redirects are not followed"
        hint = "correct the connection's base_url"
        if lost:
            return Attempt(error=OutcomeUnknown(message, status=status, hint=hint, ended=True))
        return Attempt(error=RemoteError(message, status=status, hint=hint))
    if purpose is Purpose.READ:
        return Attempt(answer=answer, again=status in _BUSY, pause=pause)
    if status >= 500 or status == 408 or status < 200:  # noqa: PLR2004 - the server's own failures, and no answer at all
        pending = status == 504  # noqa: PLR2004 - HTTP's "gateway timeout"
        lost_words = f"{said}{words}; it may have been applied"
        unknown = OutcomeUnknown(lost_words, status=status, pending=pending, ended=status in _SERVERS_OWN)
        return Attempt(error=unknown, again=purpose is Purpose.REPEATABLE and status in _ENDED, pause=pause)
    # A 429 refuses the call before it is processed.
    return Attempt(answer=answer, again=status == HTTPStatus.TOO_MANY_REQUESTS, pause=pause)


def settled(attempt: Attempt, request: httpx.Request, doubts: Sequence[OutcomeUnknown]) -> Answer:
    """Return the answer of the last attempt, or raise the error of all attempts together.

    If a later attempt is refused or cannot connect, the effect of an earlier one is still unknown.
    """
    answer, error = attempt.answer, attempt.error
    if doubts and not (answer is not None and (answer.ok or (request.method == "DELETE" and answer.status in _GONE))):
        first = doubts[0]
        if error is None or error not in doubts:
            after = f"then {answer.status}" if answer is not None else f"then: {error}"
            first = OutcomeUnknown(
                f"{first.message} ({after})",
                hint=first.hint,
                status=first.status,
                interrupted=isinstance(error, Interrupted),
            )
        first.pending = any(doubt.pending for doubt in doubts)
        raise first
    if error is not None:
        raise error
    if answer is None:  # pragma: no cover - an attempt ends in one of the two
        raise AssertionError
    return answer


def _target(answer: Answer) -> str:
    try:
        host = urlsplit(answer.headers.get("location", "")).hostname
    except ValueError:
        host = None
    return neutral(host, 60) if host else "another path"
