"""What a tool is: its fields, and how one is recognized. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.plugin import Field, Fields, FieldTable, IdentityKey, Kind, canonical_fields, described

FIELDS: FieldTable = {
    "name": Field("text"),
    "category": Field("word", ("access", "cutting", "drilling")),
    "day_rate": Field("money"),
    "quantity": Field("whole"),
    "serviced_on": Field("day"),
    "retired": Field("flag"),
}


def canonical(spec: Mapping[str, Any]) -> Fields:
    """Return the spec of a manifest with one spelling for each meaning: `12.5` and `"12.50"` are equal."""
    return canonical_fields(FIELDS, spec)


def identities(fields: Fields) -> tuple[IdentityKey, ...]:
    """Return the natural key by which a live tool without a record is found."""
    return (("name", fields["name"]),) if fields.get("name") else ()


def title(fields: Fields) -> str | None:
    """Return the name that people call a tool by."""
    name = fields.get("name")
    return name if isinstance(name, str) else None


def describe(fields: Fields) -> str:
    """Return the values that distinguish two tools of one name."""
    return described(fields, "name", "category")


KIND = Kind(
    name="Tool",
    provider="tool-hire",
    schema="tool_hire:tool",
    title=title,
    describe=describe,
    canonical=canonical,
    identities=identities,
)
