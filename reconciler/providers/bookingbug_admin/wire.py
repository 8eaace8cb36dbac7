"""The admin API on paper: which calls a change takes and how they are written. No I/O.

Wire facts are from seed 002 ("Resources"); slots, which is what blocks are, from the bookingbug
API notes §3.5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reconciler.model.change import Call
from reconciler.model.objects import Ref
from reconciler.providers.answer import identifier, is_identifier

if TYPE_CHECKING:
    from reconciler.model.change import Decision, Effect
    from reconciler.settings import Connection

CONTENT_TYPE = "application/json"

RESOURCE_ORDER = (
    "name",
    "description",
    "email",
    "disabled",
    "price",
    "position",
    "never_booked",
    "count",
    "max_book",
    "api_ref",
    "address",
    "address_id",
)
"""A resource's writable fields as seed 002 lists them (its `disbaled` is a slip: the samples say `disabled`)."""

RESENT = ("name", "description", "email", "disabled")
"""Live values an update repeats where the manifest is silent: whether PUT is partial is not documented."""

_IDS = frozenset({"address_id", "resource_id"})
"""Body fields that are integers on the wire and digit strings here."""


def admin_path(connection: Connection, *parts: str) -> str:
    """Return a path of the company's admin API."""
    return "/".join(("/api/v1/admin", str(connection.company_id), *parts))


def public_path(connection: Connection, *parts: str) -> str:
    """Return a path of the company's public API (seed 002: the other way of listing and reading)."""
    return "/".join(("/api/v1", str(connection.company_id), *parts))


def login_path(connection: Connection) -> str:
    """Return where a token is had (bookingbug API notes §3.1)."""
    return f"/api/v1/login/admin/{connection.company_id}"


def writable(connection: Connection, path: str) -> bool:
    """Whether a path is one this provider writes to (seed 002, notes §3.5); ids in it are bound."""
    rest = path.removeprefix(admin_path(connection) + "/")
    known = r"resources(?:/[0-9]+(?:/block)?)?|slots/[0-9]+"
    return rest != path and re.fullmatch(known, rest) is not None


def calls(change: Decision, connection: Connection) -> tuple[Call, ...]:
    """Return the calls that carry a change of a Resource or a Block out, in the order they are to be sent."""
    create, update, path = (
        (_create_block, _update_block, "slots")
        if change.address.kind == "Block"
        else (_create_resource, _update_resource, "resources")
    )
    if change.action == "create":
        return (create(change, connection),)
    if change.action in {"delete", "replace"}:
        gone = admin_path(connection, path, identifier(change.remote_id))
        delete = _call(change, "delete", "DELETE", gone)
        return (delete,) if change.action == "delete" else (delete, create(change, connection))
    if change.action in {"update", "adopt"} and change.edits:
        return (update(change, connection),)
    return ()


def _create_resource(change: Decision, connection: Connection) -> Call:
    body = _resource_body(_stated(change))
    return _call(change, "create", "POST", admin_path(connection, "resources"), body)


def _update_resource(change: Decision, connection: Connection) -> Call:
    """All that is stated, and of what is not, the live values the official client repeats as well."""
    live = change.live.fields if change.live is not None else {}
    # An empty live text is what leaving it out would leave, and a server may not take it for an email.
    kept = {key: live[key] for key in RESENT if live.get(key) not in {None, ""}}
    path = admin_path(connection, "resources", identifier(change.remote_id))
    stated = _stated(change)
    if isinstance(stated.get("address"), Mapping) and isinstance(live.get("address"), Mapping):
        # Whether an address is written in part is not documented: what the manifest does not state is sent along.
        stated["address"] = {**live["address"], **stated["address"]}
    return _call(change, "update", "PUT", path, _resource_body({**kept, **stated}))


def _create_block(change: Decision, connection: Connection) -> Call:
    fields = _stated(change)
    owner = fields.get("resource_id")
    place = f"{{{owner}}}" if isinstance(owner, Ref) else identifier(owner)
    body = {"start_time": fields.get("start"), "end_time": fields.get("end")}
    return _call(
        change, "create", "PUT", admin_path(connection, "resources", place, "block"), body, needs=_needs(owner)
    )


def _update_block(change: Decision, connection: Connection) -> Call:
    fields = _stated(change)
    body = {"start_time": fields.get("start"), "end_time": fields.get("end")}
    owner = fields.get("resource_id")
    if owner is not None:
        body["resource_id"] = owner
    path = admin_path(connection, "slots", identifier(change.remote_id))
    return _call(change, "update", "PUT", path, body, needs=_needs(owner))


def _stated(change: Decision) -> dict[str, Any]:
    fields: dict[str, Any] = dict(change.desired.fields) if change.desired is not None else {}
    if change.desired is None:
        for edit in change.edits:
            fields.update(edit.values)
    return fields


def _needs(owner: object) -> tuple[Any, ...]:
    return (owner.target,) if isinstance(owner, Ref) else ()


def _resource_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    body = {key: fields[key] for key in RESOURCE_ORDER if key in fields}
    if body.get("price") is not None:
        amount = Decimal(str(body["price"]))
        # The sample sends 35; pence are kept, though the table says integer.
        body["price"] = int(amount) if amount == amount.to_integral_value() else float(amount)
    return body


def _call(
    change: Decision,
    effect: Effect,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    needs: tuple[Any, ...] = (),
) -> Call:
    return Call(
        address=change.address,
        connection=change.connection,
        effect=effect,
        method=method,
        path=path,
        body=body,
        needs=needs,
        # A block is created by PUT (seed 002), and whether an address sent along is made anew is not documented.
        repeatable=effect != "create" and "address" not in (body or {}),
    )


def encode(body: Mapping[str, Any]) -> bytes:
    """Return a call's body as JSON; ids become integers, as the samples have them."""
    sent = {key: int(value) if key in _IDS and is_identifier(value) else value for key, value in body.items()}
    # ASCII with escapes: a lone surrogate in a text must not end in a traceback here.
    return json.dumps(sent, separators=(",", ":")).encode("ascii")
