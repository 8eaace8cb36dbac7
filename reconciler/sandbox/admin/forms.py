"""Check the fields of a resource write against the parameter table of seed 002."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.admin.refusals import invalid
from reconciler.sandbox.api import Call
from reconciler.sandbox.tables import ADDRESS_FIELDS

_LIMIT = 2**53
"""Larger JSON numbers are not exact."""


def _string(value: object) -> bool:
    return value is None or isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _whole(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LIMIT)


def _number(value: object) -> bool:
    # The table says integer, but the unit is not documented, so 35.5 is accepted.
    if isinstance(value, float):
        return abs(value) < _LIMIT  # false for NaN, which Python's JSON parser accepts
    return _whole(value)


def _ids(value: object) -> bool:
    return isinstance(value, list) and None not in value and all(map(_whole, value))


def _object(value: object) -> bool:
    return value is None or isinstance(value, dict)


_RESOURCE: dict[str, Callable[[object], bool]] = {
    "name": _string,
    "description": _string,
    "email": _string,
    "disabled": _flag,
    "price": _number,
    "position": _whole,
    "never_booked": _flag,
    "count": _whole,
    "max_book": _whole,
    "api_ref": _string,
    "address_id": _whole,
    "schedule_id": _whole,
    "service_ids": _ids,
    "person_ids": _ids,
    "extra": _object,
}
# Clients that write back what they have read send these too (notes §3.3).
_READ_ONLY = frozenset({"id", "type", "deleted", "company_id", "order", "reference", "_links", "_embedded"})


def resource(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given columns of a resource. Wrong or unknown fields are refused if `strict`."""
    values = _checked(call, body, _RESOURCE, _READ_ONLY | {"address"})
    replaced = call.options.stored_values
    kept = {name: value for name, value in values.items() if replaced.get(name, "") is not None}
    return {name: _like(value, replaced[name] or "") if name in replaced else value for name, value in kept.items()}


def _like(value: Any, text: str) -> Any:
    return int(text) if isinstance(value, int) and not isinstance(value, bool) else text


def address(call: Call, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the given address fields, or None if the body has no address."""
    stated = body.get("address")
    if stated is None:
        return None
    if not isinstance(stated, dict):
        if call.options.strict == "strict":
            raise invalid("address is invalid")
        return None
    return _checked(call, stated, dict.fromkeys(ADDRESS_FIELDS, _string), frozenset({"id", "_links"}))


def _checked(
    call: Call, body: Mapping[str, Any], known: Mapping[str, Callable[[object], bool]], ignored: frozenset[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in body.items():
        if name in ignored:
            continue
        fits = known.get(name)
        if fits is not None and fits(value):
            values[name] = value
        elif call.options.strict == "strict":
            raise invalid(f"{name} is invalid" if fits else f"{name} is not a known parameter")
    return values
