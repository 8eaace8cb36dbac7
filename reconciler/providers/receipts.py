"""Judging the answer to a writing call whose body may be an error, or about another object."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import OutcomeUnknown
from reconciler.model.change import Receipt
from reconciler.providers.answer import doubtful, reported, says_yes

if TYPE_CHECKING:
    from reconciler.model.change import Call
    from reconciler.providers.answer import Answer
    from reconciler.providers.http import HttpClient

GONE = frozenset({404, 410})
"""The statuses that say of an object asked for by its id that it does not exist."""


class Check(Protocol):
    """How a provider compares the body of an answer with the path of the call."""

    def __call__(self, body: bytes, path: str, *, read_back: bool) -> None:
        """Raise ValueError where they are about two objects; `read_back`: the effect is read back in any case."""


def receipt(
    http: HttpClient, answer: Answer, call: Call, *, created: Callable[[Answer], str | None], check: Check
) -> Receipt:
    """Return what an answer to a writing call confirms; RemoteError where it refuses, OutcomeUnknown where it may not.

    `created` returns the id that the answer to a create names.
    """
    if call.effect == "delete" and answer.status in GONE:
        return Receipt(gone=True)
    doing = f"{call.method} {answer.url_path}"
    if not answer.ok or reported(answer) is not None:
        raise http.refusal(answer, doing)
    if call.effect == "create":
        remote_id = created(answer)
        page = answer.is_html and answer.status != HTTPStatus.CREATED and not says_yes(answer)
        if page and remote_id is None:  # it may come from a proxy
            words = f"{doing}: {answer.status}: an HTML page; it may have been applied"
            raise OutcomeUnknown(words, status=answer.status)
        return Receipt(remote_id=remote_id, words=None if remote_id or says_yes(answer) else http.words(answer))
    if not says_yes(answer):
        try:
            check(answer.content, call.path, read_back=call.effect == "delete")
        except ValueError as error:
            words = f"{doing}: {answer.status}: {http.mask(doubtful(answer, error))}; it may have been applied"
            raise OutcomeUnknown(words, status=answer.status) from None
    return Receipt()
