"""What a manifest of a live session states: no API defaults, and no slots without a known time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from reconciler.kinds.session.defaults import known
from reconciler.kinds.session.fields import ONCE
from reconciler.model.kind import Statement
from reconciler.model.objects import Fields

_KEPT = frozenset({"name", "spaces"})
"""Fields that are stated although they have their defaults: left out, they look forgotten."""


def statement(live: Fields, applied: Fields) -> Statement:
    """Return what to state of a live session, from its returned fields only.

    Slots are a custom session's own; any other's follow from `repeat`. A slot's key is its date and time: where
    the API does not return the time, no slot can be exported.
    """
    del applied
    fields = {name: value for name, value in live.items() if name != "slots"}
    slots, why = _slots(live)
    if slots is not None:
        return Statement(fields={**_without_defaults(fields, keep=("duration", "repeat", "end_date")), "slots": slots})
    if why is None:
        return Statement(fields=_without_defaults(fields))
    left_out = {"slots": why}
    if fields.pop("repeat", None) is not None:
        left_out["repeat"] = "repeat: custom requires slots"
    return Statement(fields=_without_defaults(fields), left_out=left_out)


def _slots(live: Fields) -> tuple[list[dict[str, Any]] | None, str | None]:
    """Return the slots to state, or why they cannot be; neither where they are not the session's own."""
    if "slots" not in live or live.get("repeat", "custom") != "custom":
        return None, None
    if "repeat" not in live:
        return None, "the API does not return repeat, so it is unknown whether the slots are custom"
    if not live["slots"]:
        return None, "the session has no slots, but repeat: custom requires some"
    own = live.get("duration")
    for name in ("time", *(("duration",) if own is not None else ())):
        if any(name not in slot for slot in live["slots"]):
            return None, f"the API does not return the {name} of every slot"
    slots = [_slot(slot, own) for slot in live["slots"]]
    return sorted(slots, key=lambda slot: (slot["date"], slot["time"])), None


def _slot(slot: Fields, duration: Any) -> dict[str, Any]:
    """Return a slot as it is written; a duration equal to the session's is left out."""
    stated = {name: slot[name] for name in ("date", "time")}
    if "duration" in slot and slot["duration"] != duration:
        stated["duration"] = slot["duration"]
    return stated


def _without_defaults(fields: Fields, keep: Collection[str] = ()) -> dict[str, Any]:
    repeats = fields.get("repeat", "none") not in ONCE
    kept = {*_KEPT, *keep, *(("end_date",) if repeats else ())}
    defaults = known(fields)
    return {
        name: value for name, value in fields.items() if name in kept or name not in defaults or value != defaults[name]
    }
