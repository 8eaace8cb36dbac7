"""The admin API without I/O, as far as it is the same for every kind: paths, calls and bodies.

Wire facts are from seed 002 ("Resources") and, for slots, from the bookingbug API notes §3.5.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.model.change import Call
from reconciler.providers.answer import identifier, is_identifier
from reconciler.providers.bookingbug_admin.settings import AdminSettings

if TYPE_CHECKING:
    from reconciler.model.change import Decision, Effect
    from reconciler.model.objects import Address
    from reconciler.settings import Connection

CONTENT_TYPE = "application/json"


class Wire(Struct, frozen=True, kw_only=True):
    """How the objects of one kind are written."""

    collection: str
    """The collection below the company in which one object is changed and deleted: `resources/13`."""
    writable: str
    """Regular expression of every path below the company that is written to."""
    create: Callable[[Decision, Connection], Call]
    update: Callable[[Decision, Connection], Call]
    ids: frozenset[str]
    """Body fields that are integers on the wire and digit strings here."""


def admin_path(connection: Connection, *parts: str) -> str:
    """Return a path of the company's admin API."""
    return "/".join(("/api/v1/admin", str(AdminSettings.of(connection).company_id), *parts))


def public_path(connection: Connection, *parts: str) -> str:
    """Return a path of the company's public API (seed 002: the other way of listing and reading)."""
    return "/".join(("/api/v1", str(AdminSettings.of(connection).company_id), *parts))


def login_path(connection: Connection) -> str:
    """Return the path that answers a login with a token (bookingbug API notes §3.1)."""
    return f"/api/v1/login/admin/{AdminSettings.of(connection).company_id}"


def calls(wire: Wire, change: Decision, connection: Connection) -> tuple[Call, ...]:
    """Return the call that creates, deletes or edits an object; none where there is nothing to edit."""
    if change.action == "create":
        return (wire.create(change, connection),)
    if change.action == "delete":
        path = admin_path(connection, wire.collection, identifier(change.remote_id))
        return (call(change, "delete", "DELETE", path),)
    return (wire.update(change, connection),) if change.edits else ()


def call(
    change: Decision,
    effect: Effect,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    needs: tuple[Address, ...] = (),
) -> Call:
    """Return one call of a change."""
    return Call(
        address=change.address,
        connection=change.connection,
        effect=effect,
        method=method,
        path=path,
        body=body,
        needs=needs,
        # A PUT creates a block (seed 002), and whether an address in a body becomes a new one is not documented.
        repeatable=effect != "create" and "address" not in (body or {}),
    )


def encode(body: Mapping[str, Any], ids: frozenset[str]) -> bytes:
    """Return a call's body as JSON; `ids` become integers, as the samples have them."""
    sent = {key: int(value) if key in ids and is_identifier(value) else value for key, value in body.items()}
    # ASCII with escapes: a lone surrogate in a text must not end in a traceback here.
    return json.dumps(sent, separators=(",", ":")).encode("ascii")
