"""What a manifest of a live held booking states: its items, as far as their lines show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.booking_session.fields import WHAT
from reconciler.kinds.booking_session.lines import is_parsed, is_recounted, recounted_field
from reconciler.model.kind import Statement
from reconciler.model.objects import Fields
from reconciler.model.words import listed

_STATED = (*WHAT, "options")
_NEEDED = ("item_id", "start_date", "end_date")
_LISTED = 5


def statement(live: Fields, applied: Fields) -> Statement:
    """Return what to state of a live session; an unchanged `applied` line keeps its declared form.

    A line is stated by its slip only where that could not be parsed, or may hold a discount: without its parameters,
    times and discount it would become something else as soon as a change asks for a new slip.
    """
    declared = {item["key"]: item for item in applied.get("items") or ()}
    keys: set[str] = set(declared)
    items: list[dict[str, Any]] = []
    kept: list[str] = []
    for line in live.get("items") or ():
        known = declared.get(line.get("key", ""))
        item = _item(line, keys) if known is None else _declared(known, line)
        items.append(item)
        kept += [item["key"]] if known is None and "slip" in item else []
    on_expiry = applied.get("on_expiry", "report")
    fields = {**({} if on_expiry == "report" else {"on_expiry": on_expiry}), "items": items}
    return Statement(fields=fields, remarks={"items": _kept(kept)} if kept else {})


def _declared(known: Fields, line: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as it was declared, with the quantity that its line has now."""
    is_other = is_recounted(line, known) and recounted_field(line, known, known) == "quantity"
    return {**known, **({"quantity": line["rated_quantity"]} if is_other else {})}


def _kept(keys: list[str]) -> str:
    which = "item" if len(keys) == 1 else "items"
    return (
        f"{which} {listed(keys, _LISTED)}: stated by the slip, because the API does not show all of its dates, times, "
        "parameters and discount; to change it, replace the slip by item_id with all of these"
    )


def _item(line: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    """Return what to state of a line: everything that it is for, or its slip."""
    key = next(name for name in _names(line) if name not in keys)
    keys.add(key)
    is_whole = is_parsed(line) and all(line.get(name) not in {None, ""} for name in _NEEDED)
    names = _STATED if is_whole and not line.get("discounted") else ("slip", "options")
    return {"key": key, **{name: line[name] for name in names if line.get(name) not in (None, {}, "")}}


def _names(line: Mapping[str, Any]) -> Iterator[str]:
    base = f"item-{line['item_id']}" if line.get("item_id") else f"line-{line['line']}"
    yield base
    number = 1
    while True:
        number += 1
        yield f"{base}-{number}"
