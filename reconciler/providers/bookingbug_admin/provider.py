"""The admin API over HTTP (seed 002): reads resources and blocks, and sends the calls of a plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import RemoteError
from reconciler.model.change import Receipt
from reconciler.model.objects import Reading
from reconciler.providers.answer import json_object, neutral
from reconciler.providers.base import ProviderSpec
from reconciler.providers.bookingbug_admin import answers, wire
from reconciler.providers.bookingbug_admin.blocks import read_blocks
from reconciler.providers.bookingbug_admin.bookings import read_occupancy
from reconciler.providers.bookingbug_admin.login import Authorised
from reconciler.providers.bookingbug_admin.reader import GONE, Reader
from reconciler.providers.bookingbug_admin.resources import read_resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.change import Call
    from reconciler.model.objects import Scope
    from reconciler.model.occupancy import Occupancy, Window
    from reconciler.providers.answer import Answer
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

_LOCATION = re.compile(r".*/(?:resources|slots)/([0-9]+)")


class Admin:
    """A `Provider` for resources and blocks; with `access: public` it only reads resources."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        self._connection = connection
        self._http = http
        self._client = Authorised(connection, http)

    def read(self, scope: Scope) -> Reading:
        """Read the resources or blocks in scope; RemoteError where nothing at all can be read."""
        reader = Reader(self._connection, self._http, self._client)
        return read_blocks(reader, scope) if scope.kind == "Block" else read_resources(reader, scope)

    def bookings(self, windows: Sequence[Window]) -> Mapping[Window, Occupancy]:
        """Read who has booked resources in each window; RemoteError where nothing at all can be read."""
        reader = Reader(self._connection, self._http, self._client)
        return {window: read_occupancy(reader, window) for window in windows}

    def send(self, call: Call) -> Receipt:
        """Send one writing call; any success is success, whatever its body is worth."""
        if self._connection.access == "public":
            raise RemoteError(f"connection `{self._connection.name}` has public access, which only reads")
        if not wire.writable(self._connection, call.path):
            raise RemoteError(f"{call.method} {neutral(call.path, 60)}: not a path of the admin API; not sent")
        content = b"" if call.body is None else wire.encode(call.body)
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
        if call.effect == "delete" and answer.status in GONE:
            return Receipt(gone=True)
        if not answer.ok:
            raise self._http.refusal(answer, f"{call.method} {answer.url_path}")
        remote_id = self._created(answer) if call.effect == "create" else None
        return Receipt(remote_id=remote_id)

    def close(self) -> None:
        """Give back sockets and threads."""
        self._http.close()

    def _created(self, answer: Answer) -> str | None:
        """Return a new object's id, from the body or from Location: which of them answers is not documented."""
        try:
            found = answers.created_id(json_object(answer.body))
        except ValueError:
            found = None
        if found is not None:
            return found
        path = self._http.local_path(answer.headers.get("location", ""))
        match = _LOCATION.fullmatch(path or "")
        return match[1] if match else None


SPEC = ProviderSpec(
    name="bookingbug-admin",
    kinds=("Resource", "Block"),
    auth=(
        frozenset({"app_id", "auth_token"}),
        frozenset({"app_id", "app_key", "auth_token"}),
        frozenset({"app_id", "email", "password"}),
        frozenset({"app_id", "app_key", "email", "password"}),
        # Enough for `access: public`; anything else is told to bring a token when it is opened.
        frozenset({"app_id"}),
        frozenset({"app_id", "app_key"}),
    ),
    calls=wire.calls,
    open=Admin,
    needs_company=True,
    public_access=True,
    login_path=wire.login_path,
)
