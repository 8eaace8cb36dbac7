"""The booking/session API over HTTP (seed 004): reads held bookings, and sends the calls of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.errors import NotStarted, RemoteError
from reconciler.model.change import Receipt
from reconciler.model.objects import Live, Reading
from reconciler.model.sharing import shared
from reconciler.providers.checkfront import edits, wire
from reconciler.providers.checkfront.client import Client, Denied, SessionOver, SessionRefused
from reconciler.providers.checkfront.lines import assign, named

if TYPE_CHECKING:
    from reconciler.model.change import Call
    from reconciler.model.objects import Computed, Fields, Scope
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection


class _Show(Struct, frozen=True, kw_only=True):
    """The result of reading one session: live, expired, or a failure."""

    live: Live | None = None
    expired: str | None = None
    failure: str | None = None
    refused: bool = False
    """Whether the failure is the server's answer about this session."""


class Checkfront:
    """A `Provider` for held bookings. Sessions cannot be listed: only those whose id is known are seen."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        self._http = http
        self._client = Client(connection, http)

    def read(self, scope: Scope) -> Reading:
        """Read the sessions whose ids are known; RemoteError where the credentials are refused."""
        asked = sorted(scope.ids)
        shows = self._http.gather(
            lambda remote_id: self._show(remote_id, scope.ids[remote_id], scope.computed.get(remote_id, {})),
            asked,
        )
        pairs = list(zip(asked, shows, strict=True))
        return Reading(
            live={remote_id: show.live for remote_id, show in pairs if show.live is not None},
            expired={remote_id: show.expired for remote_id, show in pairs if show.expired is not None},
            unreadable={remote_id: show.failure for remote_id, show in pairs if show.failure is not None},
            refused=frozenset(remote_id for remote_id, show in pairs if show.refused),
            listed=frozenset() if scope.listing else None,  # there is no list, so nothing can be found in one
        )

    def send(self, call: Call) -> Receipt:
        """Send one writing call with what it needs to read first."""
        if call.path == wire.END:
            return self._end(call)
        if call.path == wire.CLEAR:
            session = self._client.post(wire.CLEAR, wire.form(call.remote_id), call.remote_id)
            if session.session_id is None and call.remote_id is not None:  # the answer does not show it
                session = self._client.session(call.remote_id)
            if session.lines:
                raise RemoteError(f"POST {wire.CLEAR}: the server returned OK, but lines remain")
            gone = dict.fromkeys(call.computed.get("items", {}))
            return Receipt(computed={"items": gone})
        return edits.create(self._client, call) if call.effect == "create" else edits.change(self._client, call)

    def close(self) -> None:
        """Close sockets and threads."""
        self._http.close()

    def _end(self, call: Call) -> Receipt:
        """End a session. One that is over already counts as ended, once reading it confirms that.

        So does one that the answer still shows, because the body of the answer is not documented (notes §7.5).
        """
        try:
            shown = self._client.post(wire.END, wire.form(call.remote_id), call.remote_id)
        except SessionOver as refused:
            if not self._is_over(call.remote_id):
                raise RemoteError(refused.message) from None
            return Receipt(gone=True)
        if (shown.lines or shown.session_id not in {None, call.remote_id}) and not self._is_over(call.remote_id):
            raise RemoteError(f"POST {wire.END}: the server returned OK, but the session still holds its lines")
        return Receipt()

    def _is_over(self, remote_id: str | None) -> bool:
        try:
            return remote_id is not None and not self._client.session(remote_id).lines
        except SessionOver:
            return True

    def _show(self, remote_id: str, fields: Fields, computed: Computed) -> _Show:
        try:
            session = self._client.session(remote_id)
        except SessionOver as error:
            return _Show(expired=error.seen)
        except (Denied, NotStarted):  # nothing is wrong with the session
            raise
        except RemoteError as error:
            return _Show(failure=error.said, refused=isinstance(error, SessionRefused))
        items: list[Any] = fields.get("items") or []
        recorded = computed.get("items", {})
        slips = {key: facts["slip"] for key, facts in recorded.items()}
        if slips and items and not session.lines:
            return _Show(expired="the session is empty, although items were added to it")
        options = {item["key"]: item["options"] for item in items if item.get("options")}
        lines = named(session.lines, assign(session.lines, slips, options), recorded)
        return _Show(live=Live(remote_id=remote_id, fields=shared({"items": lines})))
