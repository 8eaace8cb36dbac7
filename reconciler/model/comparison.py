"""How two environments of a project compare: what differs, and what was applied to one and not yet to the other."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from reconciler.model.objects import Address

Declared = Literal["both", "here", "there"]
Promotion = Literal["promoted", "not-promoted", "not-tried", "ahead"]


class SettingPair(Struct, frozen=True, kw_only=True):
    """A setting of the project file that differs."""

    name: str
    here: str | None
    """Its value as text; None where it is not set."""
    there: str | None
    expected: bool
    """Whether environments usually differ in it, as in the systems that they lead to."""


class FieldPair(Struct, frozen=True, kw_only=True):
    """A field that the two environments declare differently."""

    path: str
    here: Any
    """A JSON value; None where it is not stated."""
    there: Any


class ComparedObject(Struct, frozen=True, kw_only=True):
    """An object that is declared differently, or that was not applied to both environments as declared there."""

    address: Address
    declared: Declared
    """In which environments the manifests declare it. One that neither declares any more counts as `both`."""
    promotion: Promotion
    """`not-promoted`: applied there, not here. `not-tried`: applied in neither. `ahead`: applied here, not there."""
    fields: tuple[FieldPair, ...] = ()
    """What differs, because of values or the name of the environment: the manifests are the same."""
    pending: tuple[str, ...] = ()
    """The fields that were not applied here as they are declared; none where the whole object is missing or left."""


class EnvironmentComparison(Struct, frozen=True, kw_only=True):
    """This environment (`here`) compared with another one (`there`), by what is declared and recorded."""

    environment: str
    """The name of the other environment."""
    settings: tuple[SettingPair, ...] = ()
    objects: tuple[ComparedObject, ...] = ()
    """Ordered by address; without those that are equal and applied to both."""
    promoted: int = 0
    """Number of objects that are applied to both environments as declared there."""
