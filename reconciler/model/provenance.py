"""Where the values of one object come from, and what else concerns it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from reconciler.model.change import Action
from reconciler.model.objects import Address, SourceRef
from reconciler.model.sighting import Ignored, LastApplied

Origin = Literal["manifest", "template", "live", "applied", "api-default", "none"]
"""What decides on a value: the manifest or its template; where it is not stated, the live system, what was last
applied, or a documented default. `none`: nothing is known of it.
"""

Standing = Literal["managed", "new", "undeclared", "released", "unfinished", "unmanaged"]
"""`undeclared`: managed, and no manifest declares it. `released`: the manifests say that it is no longer managed.
`unfinished`: only calls of an earlier run are recorded. `unmanaged`: live, and neither declared nor managed.
"""


class Setting(Struct, frozen=True, kw_only=True):
    """A value that a template uses."""

    name: str
    """Such as `values.sport.price`; `environment` and `project` are the names of these."""
    value: Any
    where: SourceRef | None = None
    """Where it is set; None where no file sets it."""
    environment: bool = False
    """Whether the environment's values file sets it."""
    overrides: tuple[SourceRef, ...] = ()
    """Where other values files set it, which come before that one."""


class Template(Struct, frozen=True, kw_only=True):
    """One template of a manifest."""

    path: str
    where: SourceRef
    text: str
    settings: tuple[Setting, ...] = ()


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the value of one field, or of a part of one, comes from."""

    path: str
    value: Any
    origin: Origin
    where: SourceRef | None = None
    """The place in the manifest; None where it does not state the field."""
    templates: tuple[Template, ...] = ()
    """The templates that the value is computed by."""
    sides: Mapping[str, Any] = {}
    """The value in each place where it is known: `declared`, `applied`, `live`, `default`. None of them is missing."""
    rule: str | None = None
    """How the API finds a default that depends on the day."""
    verifiable: bool | None = None
    """Whether the API returned it; None where that was not read."""
    pending: bool = False
    """Whether the next plan changes it; a create sends all that is stated."""
    ignored: Ignored | None = None
    """The entry of `drift.ignore` that covers it."""


class Concern(Struct, frozen=True, kw_only=True):
    """A setting that changes what is done to the object."""

    setting: Literal["protect", "annotation", "drift-ignore", "forget", "removed", "moved-from"]
    name: str | None = None
    """Of an annotation its name, of an entry of `drift.ignore` its field."""
    value: str | None = None
    where: SourceRef | None = None
    """None where only the state has it."""


class Prospect(Struct, frozen=True, kw_only=True):
    """What the next plan does to the object."""

    action: Action
    reason: str


class Explanation(Struct, frozen=True, kw_only=True):
    """All about one object."""

    address: Address
    standing: Standing
    connection: str | None = None
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    source: SourceRef | None = None
    """Where it is declared, or where the manifests say that it is no longer managed."""
    title: str | None = None
    zone: str | None = None
    environment: str | None = None
    fields: tuple[Provenance, ...] = ()
    depends_on: tuple[Address, ...] = ()
    dependents: tuple[Address, ...] = ()
    concerns: tuple[Concern, ...] = ()
    applied: LastApplied | None = None
    """The run that last wrote it."""
    next: Prospect | None = None
    """None where the live systems were not read."""
    commands: tuple[str, ...] = ()
    """What to do with an object that is not managed."""
