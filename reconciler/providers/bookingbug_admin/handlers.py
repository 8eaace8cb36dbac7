"""Which kinds the admin API has, and what is done with each: the one table of this provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.providers.bookingbug_admin import block_wire, resource_wire, wire
from reconciler.providers.bookingbug_admin.blocks import read_blocks
from reconciler.providers.bookingbug_admin.resources import read_resources

if TYPE_CHECKING:
    from reconciler.model.change import Call, Decision
    from reconciler.model.objects import Reading, Scope
    from reconciler.providers.bookingbug_admin.reader import Reader
    from reconciler.settings import Connection


class Handler(Struct, frozen=True, kw_only=True):
    """One kind of the admin API."""

    wire: wire.Wire
    """How its objects are written. Pure."""
    read: Callable[[Reader, Scope], Reading]
    """Reads the objects in a scope."""


HANDLERS: Mapping[str, Handler] = {
    "Resource": Handler(wire=resource_wire.WIRE, read=read_resources),
    "Block": Handler(wire=block_wire.WIRE, read=read_blocks),
}


def calls(change: Decision, connection: Connection) -> tuple[Call, ...]:
    """Return the calls that apply a change, in the order in which they are sent."""
    return wire.calls(HANDLERS[change.address.kind].wire, change, connection)


def encode(call: Call) -> bytes:
    """Return a call's body as it is sent."""
    return b"" if call.body is None else wire.encode(call.body, HANDLERS[call.address.kind].wire.ids)


def writable(connection: Connection, path: str) -> bool:
    """Whether this provider writes to a path (seed 002, notes §3.5), whose ids must be bound."""
    rest = path.removeprefix(wire.admin_path(connection) + "/")
    return rest != path and any(re.fullmatch(handler.wire.writable, rest) for handler in HANDLERS.values())
