"""How sending a request once ended, and whether it is worth, and safe, to send it again. No I/O.

Decision 009 says what is repeated and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

import httpx

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.providers.answer import Answer, neutral
from reconciler.providers.http.body import AnswerTooLarge
from reconciler.providers.http.transport import failure_words
from reconciler.settings import Connection

_BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers after which a read is worth another attempt."""

_ENDED = frozenset({500, 502, 503})
"""Of these, those after which a writing call is over: a gateway's 504 says only that it waits no longer."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before a single byte of the request left: even a write was certainly not carried out."""

_PASSING = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)
"""Failures that may be gone the next time."""

_GONE = frozenset({404, 410})


class Purpose(Enum):
    """What sending a request twice would do: nothing (READ, REPEATABLE) or harm (ONCE)."""

    READ = auto()
    REPEATABLE = auto()
    ONCE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How sending a request once ended: with an answer or an error; `pause` is the server's own wish."""

    answer: Answer | None = None
    error: RemoteError | None = None
    again: bool = False
    pause: float | None = None


def failed(error: Exception, doing: str, connection: Connection, purpose: Purpose) -> Attempt:
    """Judge an attempt without an answer."""
    words, hopeless = failure_words(error, connection)
    status = error.status if isinstance(error, AnswerTooLarge) else None
    said = f"{doing}: {words}"
    passing = isinstance(error, _PASSING) and not hopeless
    if purpose is Purpose.READ or isinstance(error, (*_NEVER_SENT, httpx.UnsupportedProtocol)):
        return Attempt(error=RemoteError(said, status=status), again=passing)
    # The server may be at it still where we gave up waiting; a connection that broke ended the request.
    pending = isinstance(error, httpx.TimeoutException)
    lost = OutcomeUnknown(f"{said}; it may have been carried out", status=status, pending=pending)
    return Attempt(error=lost, again=purpose is Purpose.REPEATABLE and passing and not pending)


def judged(answer: Answer, said: str, words: str, purpose: Purpose, pause: float | None) -> Attempt:
    """Judge an answer; `said` names the call and the status, `words` are the server's where it failed."""
    status = answer.status
    if status // 100 == 3:  # noqa: PLR2004 - HTTP's class of redirections
        # 302 and 303 are also how a web application answers a form it has carried out.
        lost = purpose is not Purpose.READ and status in {302, 303}
        message = f"{said}redirected to {_target(answer)}, which is not followed"
        kind = OutcomeUnknown if lost else RemoteError
        return Attempt(error=kind(message, status=status, hint="correct the connection's base_url"))
    if purpose is Purpose.READ:
        return Attempt(answer=answer, again=status in _BUSY, pause=pause)
    if status >= 500 or status == 408 or status < 200:  # noqa: PLR2004 - the server's own failures, and no answer at all
        pending = status == 504  # noqa: PLR2004 - HTTP's "gateway timeout"
        lost_words = f"{said}{words}; it may have been carried out"
        unknown = OutcomeUnknown(lost_words, status=status, pending=pending)
        return Attempt(error=unknown, again=purpose is Purpose.REPEATABLE and status in _ENDED, pause=pause)
    # 429 is a refusal before it was looked at.
    return Attempt(answer=answer, again=status == 429, pause=pause)  # noqa: PLR2004


def settled(attempt: Attempt, request: httpx.Request, doubts: Sequence[OutcomeUnknown]) -> Answer:
    """Return the last attempt's answer, or raise what all attempts together came to.

    A refusal, or a failure to connect, of a later attempt does not tell what became of an earlier one.
    """
    answer, error = attempt.answer, attempt.error
    if doubts and not (answer is not None and (answer.ok or (request.method == "DELETE" and answer.status in _GONE))):
        first = doubts[0]
        if error is None or error not in doubts:
            after = f"answered {answer.status} then" if answer is not None else f"then: {error}"
            first = OutcomeUnknown(f"{first.message} ({after})", hint=first.hint, status=first.status)
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
