"""The sessions API over HTTP (seed 000): lists and shows sessions, and sends the calls of a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.errors import NotStarted, ReconcilerError, RemoteError
from reconciler.model.change import Receipt
from reconciler.model.objects import Fields, Live, Reading
from reconciler.providers.answer import Answer, basic, is_identifier, neutral, reported, unusable
from reconciler.providers.bookingbug_sessions import wire
from reconciler.providers.receipts import GONE, receipt

if TYPE_CHECKING:
    from reconciler.model.change import Call
    from reconciler.model.objects import Scope
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

_LOCATION = re.compile(r"/api/sessions/([0-9]+)(?:\.xml)?")


class _Listing(Struct, frozen=True, kw_only=True):
    """The list of sessions."""

    named: Mapping[str, Mapping[str, str]] | None = None
    """Answered fields by id; None where the list failed or was not asked for."""
    failure: str | None = None

    def look_alikes(self, wanted: Iterable[Fields]) -> set[str]:
        """Return the ids whose name and group are those of a wanted session, as far as both have them."""
        # Thousands may be wanted among thousands: each listed one is looked up, not compared with each.
        pairs = {(fields.get("name"), fields.get("group")) for fields in wanted}
        names, groups = {name for name, _ in pairs}, {group for _, group in pairs}

        def is_wanted(name: str | None, group: str | None) -> bool:
            if name is None or group is None:
                sides = ((value, known) for value, known in ((name, names), (group, groups)) if value is not None)
                return bool(pairs) and all(not known.isdisjoint({value, None}) for value, known in sides)
            return not pairs.isdisjoint({(name, group), (name, None), (None, group), (None, None)})

        return {
            remote_id
            for remote_id, listed in (self.named or {}).items()
            if is_wanted(listed.get("name"), listed.get("group"))
        }


class _Show(Struct, frozen=True, kw_only=True):
    """The result of showing one session: exactly one of the three."""

    live: Live | None = None
    gone: int | None = None
    failure: str | None = None


class Sessions:
    """A `Provider` for sessions, with HTTP Basic authentication (seed 000)."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        username, password = http.secret("username"), http.secret("password")
        if username is None or password is None:
            raise ReconcilerError(f"{connection.where}: connection `{connection.name}` needs username and password")
        authorization = basic(username, password)
        http.hide(authorization.removeprefix("Basic "))
        self._http = http
        self._headers = {"Authorization": authorization, "Accept": "text/xml, application/xml"}

    def read(self, scope: Scope) -> Reading:
        """Read the sessions in scope: the list once, then one show for each id and each possible match.

        A session is absent only where show returns 404 or 410, and a complete list, if requested, does not contain it.
        """
        listing = self._list() if scope.listing else _Listing()
        unreadable = {
            remote_id: f"{neutral(repr(remote_id), 40)} is not a session id; expected digits"
            for remote_id in scope.ids
            if not is_identifier(remote_id)
        }
        listed = listing.named or {}
        found = (listed.keys() if scope.whole else listing.look_alikes(scope.wanted)) - scope.already_read
        asked = sorted((scope.ids.keys() - unreadable.keys()) | found)
        done = scope.familiar | scope.already_read | set(asked)
        seconds = sorted(listing.look_alikes(scope.similar) - done) if scope.similar else []
        unjudged: dict[str, str] = {}
        live: dict[str, Live] = {}
        absent: set[str] = set()
        for remote_id, show in zip(asked, self._http.gather(self._show, asked), strict=True):
            if show.live is not None:
                live[remote_id] = show.live
            elif show.gone is None:
                unreadable[remote_id] = show.failure or "no response"
            elif listing.failure is not None:
                unreadable[remote_id] = (
                    f"show returned {show.gone}, but the list that would confirm it could not be read"
                )
            elif remote_id in (listing.named or ()):
                unreadable[remote_id] = f"show returned {show.gone}, but the list contains it"
            else:
                absent.add(remote_id)
        for remote_id, show in zip(seconds, self._http.gather(self._show, seconds), strict=True):
            if show.live is not None:
                live[remote_id] = show.live
            else:
                unjudged[remote_id] = show.failure or f"show returned {show.gone}, but the list contains it"
        return Reading(
            live=live,
            absent=frozenset(absent),
            unreadable=unreadable,
            listed=None if listing.named is None else frozenset(listing.named),
            failure=listing.failure,
            unjudged=unjudged,
        )

    def send(self, call: Call) -> Receipt:
        """Send one writing call; any 2xx is success, unless its body is an error or about another object."""
        if wire.PATHS.fullmatch(call.path) is None:
            raise RemoteError(f"{call.method} {neutral(call.path, 60)}: not a path of the sessions API; not sent")
        answer = self._http.write(
            call.method,
            call.path,
            content=b"" if call.body is None else _encoded(call),
            content_type=wire.CONTENT_TYPE,
            headers=self._headers,
            repeatable=call.repeatable,
        )
        return receipt(self._http, answer, call, created=self._created, check=wire.check_answered)

    def close(self) -> None:
        """Close sockets and threads."""
        self._http.close()

    def _list(self) -> _Listing:
        """GET the list; RemoteError only where nothing at all can be read."""
        try:
            answer = self._http.get(wire.LIST_PATH, headers=self._headers, lists=True)
        except RemoteError as error:
            if error.status is None:
                raise
            return _Listing(failure=error.said)
        doing = f"GET {wire.LIST_PATH}"
        if answer.status in {401, 403}:
            raise self._http.refusal(answer, doing)
        if answer.status != 200:  # noqa: PLR2004 - a list has no other success
            return _Listing(failure=self._http.refusal(answer, doing).said)
        try:
            return _Listing(named=wire.decode_list(answer.content))
        except ValueError as error:
            return _Listing(failure=f"{doing}: {unusable(answer, error)}")

    def _show(self, remote_id: str) -> _Show:
        path = wire.session_path(remote_id)
        try:
            answer = self._http.get(path, headers=self._headers)
        except NotStarted:  # nothing is wrong with the object
            raise
        except RemoteError as error:
            return _Show(failure=error.said)
        if answer.status in GONE:
            return _Show(gone=answer.status)
        if answer.status != 200 or reported(answer) is not None:  # noqa: PLR2004 - a show has no other success
            return _Show(failure=self._http.refusal(answer, f"GET {path}").said)
        try:
            live = wire.decode_session(answer.content)
        except ValueError as error:
            return _Show(failure=f"GET {path}: {unusable(answer, error)}")
        if live.remote_id != remote_id:
            return _Show(failure=f"GET {path}: returned session {live.remote_id} instead")
        return _Show(live=live)

    def _created(self, answer: Answer) -> str | None:
        """Return a new session's id; seed 000 says only "201 CREATED", so body and Location are tried."""
        found = wire.session_id(answer.content)
        if found is not None:
            return found
        path = self._http.local_path(answer.headers.get("location", ""))
        match = _LOCATION.fullmatch(path or "")
        return match[1] if match else None


def _encoded(call: Call) -> bytes:
    return wire.encode_slot(call.body) if call.path.startswith("/api/slots/") else wire.encode_session(call.body)
