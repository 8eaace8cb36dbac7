"""A manifest to be written for a live object."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model.objects import Address, Fields, Live


class Draft(Struct, frozen=True, kw_only=True):
    """One live object and the address that it gets."""

    address: Address
    fields: Fields
    """The canonical fields to state, with references as `Ref`."""
    live: Live
    answered: frozenset[str] = frozenset()
    """The names of all fields that the API returned."""
    left_out: Mapping[str, str] = {}
    """The reason for each field that is not stated."""
    remarks: Mapping[str, str] = {}
    """What a person should know about stated fields."""
    connection: str | None = None
    """None if the manifest need not state it."""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    protect: bool = False
