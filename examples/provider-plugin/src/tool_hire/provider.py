"""The tool hire API over HTTP: reads tools, and sends the calls of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.plugin import (
    GONE,
    Call,
    Connection,
    Live,
    ProviderSpec,
    Reading,
    Receipt,
    RemoteError,
    Scope,
    is_identifier,
    neutral,
    receipt,
    unusable,
)
from tool_hire import wire
from tool_hire.kind import canonical, identities

if TYPE_CHECKING:
    from reconciler.plugin import HttpClient

Rows = Mapping[str, Mapping[str, Any]]


class ToolHire:
    """A `Provider`: `read`, `send` and `close`."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        self._http = http
        self._path = wire.tools_path(connection)
        self._headers = {"X-Token": http.secret("token") or "", "Accept": "application/json"}

    def read(self, scope: Scope) -> Reading:
        """Read the tools in scope.

        A tool is absent only where it is asked for by its id, the answer is 404 or 410, and a complete list does not
        have it.
        """
        rows, failure = self._list() if scope.listing else (None, None)
        live: dict[str, Live] = {}
        absent: set[str] = set()
        unreadable: dict[str, str] = {}
        for remote_id in sorted(scope.ids.keys() - (rows or {}).keys()):
            try:
                row = self._show(remote_id)
            except (RemoteError, ValueError) as error:
                unreadable[remote_id] = str(error)
                continue
            if row is not None:
                live[remote_id] = wire.decode(row)
            elif failure is not None:
                unreadable[remote_id] = "the list that would confirm that it does not exist could not be read"
            else:
                absent.add(remote_id)
        for remote_id in sorted(_concerned(rows or {}, scope)):
            try:
                live[remote_id] = wire.decode((rows or {})[remote_id])
            except ValueError as error:
                unreadable[remote_id] = str(error)
        return Reading(
            live=live,
            absent=frozenset(absent),
            unreadable=unreadable,
            listed=None if rows is None else frozenset(rows),
            failure=failure,
        )

    def send(self, call: Call) -> Receipt:
        """Send one writing call; `receipt` decides what its answer proves."""
        if wire.WRITABLE.fullmatch(call.path) is None:
            raise RemoteError(f"{call.method} {neutral(call.path, 60)}: not a path of this API; not sent")
        answer = self._http.write(
            call.method,
            call.path,
            content=b"" if call.body is None else wire.encode(call.body),
            content_type="application/json",
            headers=self._headers,
            repeatable=call.repeatable,
        )
        return receipt(
            self._http,
            answer,
            call,
            created=lambda found: wire.created_id(found.content),
            check=wire.check_answered,
        )

    def close(self) -> None:
        """Close sockets and threads."""
        self._http.close()

    def _list(self) -> tuple[Rows | None, str | None]:
        """Return every row, or why the list failed; RemoteError where nothing at all can be read."""
        answer = self._http.get(self._path, headers=self._headers, lists=True)
        doing = f"GET {self._path}"
        if answer.status in {401, 403}:
            raise self._http.refusal(answer, doing)
        if not answer.ok:
            return None, self._http.refusal(answer, doing).message
        try:
            return wire.decode_list(answer.content), None
        except ValueError as error:
            return None, f"{doing}: {unusable(answer, error)}"

    def _show(self, remote_id: str) -> Mapping[str, Any] | None:
        """Return one row, None where it no longer exists; an error says why that is not known."""
        if not is_identifier(remote_id):
            raise ValueError(f"{neutral(repr(remote_id), 40)} is not the id of a tool")
        path = f"{self._path}/{remote_id}"
        answer = self._http.get(path, headers=self._headers)
        if answer.status in GONE:
            return None
        if not answer.ok:
            raise self._http.refusal(answer, f"GET {path}")
        try:
            return wire.decode_one(answer.content, remote_id)
        except ValueError as error:
            raise ValueError(f"GET {path}: {unusable(answer, error)}") from None


def _concerned(rows: Rows, scope: Scope) -> set[str]:
    """Return the listed ids in scope: by id, all of them, or those that a wanted or managed tool could be."""
    keys = {key for fields in (*scope.wanted, *scope.similar) for key in identities(fields)}
    return {
        remote_id
        for remote_id, row in rows.items()
        if scope.whole or remote_id in scope.ids or set(identities(canonical({"name": row.get("name")}))) & keys
    }


SPEC = ProviderSpec(
    name="tool-hire",
    schema="tool_hire:connection",
    settings=wire.ToolHireSettings,
    calls=wire.calls,
    open=ToolHire,
)
