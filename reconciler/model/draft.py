"""A manifest in the making: what is live, as it is to be declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.objects import Address, Fields, Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One live object under the address it is to have.

    `fields` are what is to be stated, canonical, with references as `Ref`; `left_out` says of others why they
    are not; `answered` names all that the API answered. `connection` is None where it goes without saying.
    """

    address: Address
    fields: Fields
    live: Live
    answered: frozenset[str] = frozenset()
    left_out: Mapping[str, str] = field(default_factory=dict)
    connection: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
