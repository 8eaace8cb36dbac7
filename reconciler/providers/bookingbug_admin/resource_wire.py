"""Resources of the admin API without I/O (seed 002): how they are written, and what answers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reconciler.kinds.resource import FIELDS
from reconciler.model import canonical
from reconciler.model.objects import Live
from reconciler.model.sharing import shared
from reconciler.providers.answer import identifier, whole
from reconciler.providers.bookingbug_admin.answers import id_text, read_value, remote_id, text
from reconciler.providers.bookingbug_admin.wire import Wire, admin_path, call

if TYPE_CHECKING:
    from reconciler.model.change import Call, Decision
    from reconciler.model.field import FieldType
    from reconciler.settings import Connection

ADDRESS_FIELDS = ("address1", "address2", "address3", "address4", "address5", "postcode", "country")

_CLIENT = ("name", "description", "email", "disabled", "never_booked", "extra")
_KEPT = (*_CLIENT, "price", "position", "count", "max_book", "api_ref", "address_id", "service_ids", "person_ids")
"""Live values that an update repeats where the manifest has none: whether a PUT resets what it does not have is not
documented. The official client repeats those of `_CLIENT`."""

_READ: Mapping[FieldType, Callable[[Any], Any]] = {
    "flag": canonical.flag,
    "money": canonical.money,
    "whole": whole,
    "id": id_text,
}
"""How a returned value is read, by type; an address is a separate object, and a null text is an empty one."""


def _create(change: Decision, connection: Connection) -> Call:
    return call(change, "create", "POST", admin_path(connection, "resources"), _body(change.declared))


def _update(change: Decision, connection: Connection) -> Call:
    """Return the declared fields, and the live values of all others that the server returns under the same name."""
    live = change.live.fields if change.live is not None else {}
    known = {key: live[key] for key in _CLIENT if live.get(key) not in {None, ""}}
    kept = {**known, **(change.live.kept if change.live is not None else {})}
    path = admin_path(connection, "resources", identifier(change.remote_id))
    wanted = dict(change.declared)
    if isinstance(wanted.get("address"), Mapping) and isinstance(live.get("address"), Mapping):
        # Whether an address is written in part is not documented: what the manifest does not state is sent along.
        whole_address = {**live["address"], **wanted["address"]}
        if whole_address == live["address"] and "address_id" in kept:
            del wanted["address"]  # a server may make a new address of each one that it gets
        else:
            wanted["address"] = whole_address
    if "address" in wanted:  # which of the two counts is not documented
        kept.pop("address_id", None)
    return call(change, "update", "PUT", path, _body({**kept, **wanted}))


def _body(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _number(fields[key]) if key in FIELDS and FIELDS[key].type == "money" else fields[key]
        for key in dict.fromkeys((*FIELDS, *_KEPT))
        if key in fields
    }


def _number(amount: Any) -> Any:
    """Return an amount as a number: the sample sends 35; pence are kept, though the table says integer."""
    if amount is None:
        return None
    exact = Decimal(str(amount))
    return int(exact) if exact == exact.to_integral_value() else float(exact)


WIRE = Wire(
    collection="resources",
    writable=r"resources(?:/[0-9]+)?",
    create=_create,
    update=_update,
    ids=frozenset(name for name, field in FIELDS.items() if field.type == "id"),
)


def is_deleted(data: Mapping[str, Any]) -> bool:
    """Whether a resource is marked as deleted (seed 002; a soft delete, notes §3.6)."""
    return data.get("deleted") is not None and read_value("deleted", canonical.flag, data["deleted"]) is True


def decode_resource(data: Mapping[str, Any]) -> Live:
    """Return a resource as the API returns it (seed 002); its address is a separate object there.

    A null text is "", any other null is not a value. ValueError names what cannot be understood.
    """
    identity = remote_id(data)
    answered = dict(data)
    if answered.get("api_ref") is None and "reference" in answered:
        # People and services echo the external reference as `reference` (notes §3.3).
        answered["api_ref"] = answered["reference"]
    fields: dict[str, Any] = {}
    for key, field in FIELDS.items():
        if field.type == "text" and key in answered:
            fields[key] = text(key, answered[key])
        elif field.type in _READ and answered.get(key) is not None:
            fields[key] = read_value(key, _READ[field.type], answered[key])
    if "position" not in fields and data.get("order") is not None:
        order = read_value("order", whole, data["order"])
        if str(order) != identity:  # equal to the id: the server has no position and falls back to it
            fields["position"] = order
    # An empty value is what leaving it out would leave, and a server may not take it for an email.
    kept = {key: fields.get(key, data[key]) for key in _KEPT if data.get(key) not in (None, "", [], {})}
    return Live(remote_id=identity, fields=shared(fields), kept=shared(kept))


def decode_address(data: Mapping[str, Any]) -> dict[str, str]:
    """Return an address as the API returns it (notes §3.5)."""
    return {key: text(f"address {key}", data[key]) for key in ADDRESS_FIELDS if key in data}
