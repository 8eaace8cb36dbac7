"""What a manifest of a live held booking states: its items, as far as their lines show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.booking_session.fields import WHAT
from reconciler.model.kind import Statement
from reconciler.model.objects import Fields

_STATED = (*WHAT, "options")
_NEEDED = ("item_id", "start_date", "end_date")


def statement(live: Fields, applied: Fields) -> Statement:
    """Return what to state of a live session; an unchanged `applied` line keeps its declared form.

    A slip belongs to one price at one moment: it is stated only where the manifest had it.
    """
    declared = {item["key"]: item for item in applied.get("items") or ()}
    keys: set[str] = set(declared)
    items: list[dict[str, Any]] = []
    for line in live.get("items") or ():
        known = declared.get(line.get("key", ""))
        item = dict(known) if known is not None else _item(line, keys)
        if item is None:
            why = f"line {line['line']} does not show its item and dates, and a manifest cannot contain its slip"
            return Statement(fields={}, left_out={"items": why})
        items.append(item)
    on_expiry = applied.get("on_expiry", "report")
    return Statement(fields={**({} if on_expiry == "report" else {"on_expiry": on_expiry}), "items": items})


def _item(line: Mapping[str, Any], keys: set[str]) -> dict[str, Any] | None:
    if any(line.get(name) in {None, ""} for name in _NEEDED):
        return None
    base, turn = f"item-{line['item_id']}", 1
    key = base
    while key in keys:
        turn += 1
        key = f"{base}-{turn}"
    keys.add(key)
    values = {name: line[name] for name in _STATED if line.get(name) not in (None, {}, "")}
    return {"key": key, **values}
