"""The admin API over HTTP (seed 002): reads its objects, and sends the calls of a plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import RemoteError
from reconciler.model.change import Receipt
from reconciler.providers.answer import json_object, neutral
from reconciler.providers.bookingbug_admin import answers, handlers, wire
from reconciler.providers.bookingbug_admin.bookings import read_occupancy
from reconciler.providers.bookingbug_admin.login import Authorised
from reconciler.providers.bookingbug_admin.reader import Reader
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.providers.receipts import receipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.bookings import Occupancy, Window
    from reconciler.model.change import Call
    from reconciler.model.objects import Reading, Scope
    from reconciler.providers.answer import Answer
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

_COLLECTIONS = "|".join(handler.wire.collection for handler in handlers.HANDLERS.values())
_LOCATION = re.compile(rf".*/(?:{_COLLECTIONS})/([0-9]+)")


class Admin:
    """A `Provider` for the kinds of `HANDLERS`; with `access: public` it only reads resources."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        self._connection = connection
        self._http = http
        self._client = Authorised(connection, http)

    def read(self, scope: Scope) -> Reading:
        """Read the objects in scope; RemoteError where nothing at all can be read."""
        return handlers.HANDLERS[scope.kind].read(self._reader(), scope)

    def bookings(self, windows: Sequence[Window]) -> Mapping[Window, Occupancy]:
        """Read who has booked resources in each window; RemoteError where nothing at all can be read."""
        reader = self._reader()
        return {window: read_occupancy(reader, window) for window in windows}

    def send(self, call: Call) -> Receipt:
        """Send one writing call; any 2xx is success, unless its body is an error or about another object."""
        if AdminSettings.of(self._connection).reads_only:
            raise RemoteError(f"connection `{self._connection.name}` has public access, which is read-only")
        if not handlers.writable(self._connection, call.path):
            raise RemoteError(f"{call.method} {neutral(call.path, 60)}: not a path of the admin API; not sent")
        content = handlers.encode(call)
        answer = self._client.ask(
            lambda headers: self._http.write(
                call.method,
                call.path,
                content=content,
                content_type=wire.CONTENT_TYPE,
                headers=headers,
                repeatable=call.repeatable,
            )
        )
        return receipt(self._http, answer, call, created=self._created, check=answers.check_answered)

    def close(self) -> None:
        """Close sockets and threads."""
        self._http.close()

    def _reader(self) -> Reader:
        return Reader(self._connection, self._http, self._client)

    def _created(self, answer: Answer) -> str | None:
        """Return a new object's id, from the body or from Location: which of them contains it is not documented."""
        try:
            found = answers.created_id(json_object(answer.content))
        except ValueError:
            found = None
        if found is not None:
            return found
        path = self._http.local_path(answer.headers.get("location", ""))
        match = _LOCATION.fullmatch(path or "")
        return match[1] if match else None
