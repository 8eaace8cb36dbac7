"""Requests to the booking/session API: every answer is checked by its body, because errors come with HTTP 200."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import NotAsDeclared, OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.answer import basic, neutral, unusable
from reconciler.providers.checkfront import answers, rating, refusals, wire
from reconciler.providers.checkfront.settings import CheckfrontSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.objects import Fields
    from reconciler.providers.answer import Answer
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

_DENIED = frozenset({401, 403})
_SERVER_ERROR = 500


class Denied(RemoteError):
    """The credentials were refused: nothing can be read or written."""


class SessionOver(RemoteError):
    """The session is over: it was ended, or it has expired. Nothing was applied."""

    def __init__(self, doing: str, seen: str, status: int | None = None) -> None:
        """Take the request and what its answer showed, which a plan repeats without the request."""
        super().__init__(f"{doing}: {seen}", status=status)
        self.seen = seen


class SoldOut(RemoteError):
    """A rated query gave no slip, because too few are left."""


class SessionRefused(RemoteError):
    """The answer about a session is an error, or has no session; whether the session is over is not known."""


class SessionNamed(OutcomeUnknown):
    """A refused or unreadable answer to a call that starts a session names one: it may hold what was sent."""

    def __init__(self, message: str, session_id: str) -> None:
        """Take what the answer says, and the id."""
        super().__init__(message)
        self.session_id = session_id


class Client:
    """One account's calls, with HTTP Basic from the token pair (checkfront API notes §3)."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        key, secret = http.secret("key"), http.secret("secret")
        if key is None or secret is None:
            raise ReconcilerError(f"{connection.where}: connection `{connection.name}` needs key and secret")
        authorization = basic(key, secret)
        http.hide(authorization.removeprefix("Basic "))
        self._http = http
        self._headers = {"Authorization": authorization, "Accept": "application/json"}
        on_behalf = CheckfrontSettings.of(connection).on_behalf
        if on_behalf is not None:
            self._headers["X-On-Behalf"] = on_behalf

    def session(self, session_id: str) -> answers.Session:
        """Read a session. SessionOver: the server does not know it. RemoteError: that could not be determined.

        SessionRefused: the answer says neither that the session is over nor what it holds.

        The answer is not documented (notes §1.5), so an error about the session, another id, and no session at all
        count as over. Whether a session without lines has expired, only the caller knows.
        """
        self._http.hide(session_id)
        answer = self._http.get(wire.SESSION, params={"session_id": session_id}, headers=self._headers)
        doing = f"GET {wire.SESSION}"
        data = self._data(answer, doing)
        self._check(answer, data, doing, about_session=True)
        if refusals.shows_no_session(data):
            raise SessionOver(doing, "the server shows no session")
        try:
            found = answers.session(data, answer.headers)
        except ValueError as error:
            raise SessionRefused(f"{doing}: invalid response: {error}") from None
        if found.session_id not in {None, session_id}:
            self._http.hide(found.session_id or "")
            raise SessionOver(doing, "returned another session")
        return found

    def rate(self, item: Fields, *, unread: bool = False) -> tuple[str, Sequence[str]]:
        """Return the slip for an item, and what the answer does not show of it.

        RemoteError: the server gives none, and why (SoldOut: too few are left).

        NotAsDeclared: the server rated something else than it was asked for. `unread`: the slip is for a line whose own
        slip cannot be read, so that every parameter has to be stated: a default could replace what the line holds.
        """
        counted = rating.QTY
        rated = self._rate(item, counted)
        self._check_rated(item, rating.unknown_params(item, rated))
        if "quantity" in item and rated.params and counted not in rated.params:
            params = [name for name in rated.params if name not in item.get("params", {})]
            if len(params) != 1:
                known = ", ".join(neutral(name, 30) for name in rated.params)
                message = f"item {item['item_id']} has no quantity; its parameters are {known}; set params instead"
                raise NotAsDeclared(message)
            counted = params[0]
            rated = self._rate(item, counted)
        if rated.slip is None:
            kind = SoldOut if rated.is_short else RemoteError
            raise kind(f"item {item['item_id']}: {self._http.mask(rated.error or 'no slip')}")
        self._check_rated(item, rating.differences(item, rated, counted))
        if unread:
            self._check_rated(item, rating.left_open(item, rated, counted))
        return rated.slip, rating.unseen(item, rated, counted)

    def _check_rated(self, item: Fields, wrong: Iterable[str]) -> None:
        found = "; ".join(wrong)
        if found:
            raise NotAsDeclared(f"item {item['item_id']}: {self._http.mask(found)}; nothing was sent")

    def _rate(self, item: Fields, quantity_param: str) -> rating.Rated:
        path = wire.item_path(item["item_id"])
        answer = self._http.get(path, params=wire.rated_query(item, quantity_param), headers=self._headers)
        data = self._data(answer, f"GET {path}")
        self._check(answer, data, f"GET {path}", about_session=False)
        try:
            return rating.rated(data)
        except ValueError as error:
            raise RemoteError(f"GET {path}: invalid response: {error}") from None

    def post(self, path: str, content: bytes, session_id: str | None) -> answers.Session:
        """Send a writing call and return the session in the answer; OutcomeUnknown where that cannot be read.

        SessionNamed: a call without a session id was refused or not understood, and the answer names a session.
        """
        if path not in wire.PATHS:
            raise RemoteError(f"POST {neutral(path, 60)}: not a path of the booking/session API; not sent")
        if session_id is not None:
            self._http.hide(session_id)
        answer = self._http.write("POST", path, content=content, content_type=wire.CONTENT_TYPE, headers=self._headers)
        doing = f"POST {path}"
        try:
            found = self._posted(answer, doing, is_new=session_id is None)
        except Denied:
            raise
        except RemoteError as error:
            self._check_named(answer, error, session_id)
            raise
        self._http.hide(found.session_id or "")
        if session_id is not None and path != wire.END and found.session_id not in {None, session_id}:
            if len(found.lines) > content.count(b"slip"):
                raise OutcomeUnknown(f"{doing}: returned another session, which contains more than was sent")
            self.end_stray(found.session_id)
            raise SessionOver(doing, "the session has ended; the server started a new one, which reconciler ended")
        return found

    def _posted(self, answer: Answer, doing: str, *, is_new: bool) -> answers.Session:
        """Return the session that the answer to a writing call shows; one without an id and lines where it need not."""
        self._check_status(answer, doing)
        try:
            data = answers.decode(answer.body)
        except ValueError as error:
            if not answer.ok:
                raise self._http.refusal(answer, doing) from None
            words = f"{doing}: {unusable(answer, error)}; the call may have been applied"
            raise OutcomeUnknown(words, status=answer.status) from None
        self._check(answer, data, doing, about_session=True)
        try:
            return answers.session(data, answer.headers)
        except ValueError as error:
            if doing.endswith((wire.END, wire.CLEAR)):
                return answers.Session(session_id=None)  # only the envelope can be assumed (notes §7.5)
            if not is_new and refusals.shows_no_session(data):
                raise SessionOver(doing, "the server shows no session") from None
            raise OutcomeUnknown(f"{doing}: invalid response: {error}; the call may have been applied") from None

    def _check_named(self, answer: Answer, error: RemoteError, session_id: str | None) -> None:
        """Raise SessionNamed where an answer without a usable session names one that the call may have started."""
        try:
            data = answers.decode(answer.body)
        except ValueError:
            data = {}
        named = answers.named_session(data, answer.headers)
        if session_id is None and named is not None:
            self._http.hide(named)
            raise SessionNamed(error.message, named) from None

    def end_stray(self, session_id: str | None) -> None:
        """Try to end a session that the server started by itself."""
        try:
            self._http.write(
                "POST", wire.END, content=wire.form(session_id), content_type=wire.CONTENT_TYPE, headers=self._headers
            )
        except ReconcilerError:  # also where this run may send nothing more: the call before it was sent
            return  # it expires by itself

    def _data(self, answer: Answer, doing: str) -> dict[str, Any]:
        self._check_status(answer, doing)
        try:
            return answers.decode(answer.body)
        except ValueError as error:
            if not answer.ok:
                raise self._http.refusal(answer, doing) from None
            raise RemoteError(f"{doing}: {unusable(answer, error)}") from None

    def _check_status(self, answer: Answer, doing: str) -> None:
        if answer.status in _DENIED:
            refusal = self._http.refusal(answer, doing)
            raise Denied(refusal.message, hint=refusal.hint, status=answer.status)

    def _check(self, answer: Answer, data: Mapping[str, Any], doing: str, *, about_session: bool) -> None:
        """Raise the error that an answer holds, in its body or by its status."""
        refused = refusals.refused(data)
        if refused is None:
            if not answer.ok:
                raise self._http.refusal(answer, doing)
            return
        words = self._http.mask(refused.words)
        if refused.critical:
            raise Denied(f"{doing}: {words}", status=answer.status)
        if about_session and refused.is_over(answer.status):
            raise SessionOver(doing, words, status=answer.status)
        kind = SessionRefused if about_session and answer.status < _SERVER_ERROR else RemoteError
        raise self._http.with_complaints(kind(f"{doing}: {words}", status=answer.status), answer)
