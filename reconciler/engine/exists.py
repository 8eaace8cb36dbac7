"""A creation that would double something: what is said of it, and the command that takes over what is there."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.change import Change
from reconciler.model.kind import ADOPT_ID
from reconciler.model.objects import Desired, Live
from reconciler.model.risk import risk

ALREADY_EXISTS = "already-exists"
"""The code of the risk."""


def exists(desired: Desired, found: Sequence[Live]) -> Change:
    """Say that creating would double something: it is there, but not managed by this project."""
    known = [live.remote_id for live in found]
    ids = ", ".join(known)
    what = f"a live object with the same natural key exists already (id {ids}) and this project does not manage it"
    chosen = desired.annotations.get(ADOPT_ID)
    command = f"reconciler adopt {desired.address}"
    if len(known) == 1 or chosen in known:
        command += f" {known[0] if len(known) == 1 else chosen}"
    else:
        command += f" ID, with the one of {len(known)} that is meant"
    found_there = risk(ALREADY_EXISTS, f"{what}; to take it over: {command}")
    return Change(
        address=desired.address,
        connection=desired.connection,
        action="adopt",
        reason=what,
        remote_id=known[0] if len(known) == 1 else None,
        source=desired.source,
        risks=(found_there,),
        desired=desired,
    )
