"""What one line of a held booking shows of an item (checkfront API notes §1.3).

A line is `{line, slip, options, item_id?, start_date?, end_date?, start_time?, end_time?, params?, quantity?}`.
`params` and `quantity` are there where its slip could be parsed. `rated_quantity` is the quantity that the server
charges for, `key` the item whose recorded slip it shows, and `recorded` what else was recorded for that item.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

Item = Mapping[str, Any]
Line = Mapping[str, Any]

QUANTITY = "qty"
"""The parameter that a quantity is sent as, where an item has one of that name (checkfront API notes §1.3)."""

_ONE = timedelta(days=1)
TIMES = ("start_time", "end_time")


def is_parsed(line: Line) -> bool:
    """Whether a line shows its numbers: its slip could be parsed."""
    return line.get("params") is not None or "quantity" in line


def quantity_of(line: Line, item: Item) -> Any:
    """Return the quantity that a line shows for an item, None where it shows none.

    It is the bare number of a simple item's slip, else `qty`, else the only parameter that the item does not state.
    """
    if "quantity" in line:
        return line["quantity"]
    name = counted(line, item)
    return None if name is None else line["params"][name]


def counted(line: Line, item: Item) -> str | None:
    """Return the parameter of a line that is the quantity of an item."""
    params = line.get("params") or {}
    others = [name for name in params if name not in item.get("params", {})]
    return QUANTITY if QUANTITY in params else others[0] if len(others) == 1 else None


def is_recounted(line: Line, applied: Item) -> bool:
    """Whether the quantity of a line changed although its slip did not."""
    if "rated_quantity" not in line:
        return False
    recorded = line.get("recorded", {}).get("qty")
    if recorded is not None:
        return bool(line["rated_quantity"] != recorded)
    return "quantity" in applied and "quantity" in line and bool(line["quantity"] != applied["quantity"])


def recounted_field(line: Line, item: Item, applied: Item) -> str:
    """Return what differs on a line whose quantity changed: the item's own, if that is what the server charges for."""
    recorded = line.get("recorded", {}).get("qty")
    if "quantity" not in item or (recorded is not None and applied.get("quantity") != recorded):
        return "slip"
    return "quantity"


def differences(line: Line, item: Item) -> list[str]:
    """Return the names of what a line does not show as stated; what cannot be seen counts as different."""
    differing = [name for name in ("item_id", "start_date", "end_date") if line.get(name) != item.get(name)]
    differing += [name for name in TIMES if name in item and line.get(name) != item[name]]
    if not is_parsed(line):
        return [*differing, "slip"]
    params = line.get("params") or {}
    if any(params.get(name) != number for name, number in item.get("params", {}).items()):
        differing.append("params")
    if "quantity" in item and item["quantity"] != quantity_of(line, item):
        differing.append("quantity")
    return differing


def contradicts(line: Line, item: Item) -> bool:
    """Whether a line shows something else than stated; what cannot be seen does not count."""
    hidden = {"slip", *(name for name in TIMES if name not in line)} if not is_parsed(line) else set()
    return bool(set(differences(line, item)) - hidden)


def strays(line: Line, item: Item) -> list[str]:
    """Return the days of an item from which its line is off by more than one: the server holds something else.

    By nights, the last day may be that of departure or not; a unix time may be of the next day in another zone.
    """
    days = [name for name in ("start_date", "end_date") if line.get(name) and item.get(name)]
    return [name for name in days if abs(date.fromisoformat(line[name]) - date.fromisoformat(item[name])) > _ONE]


def unstated(line: Line, item: Item, applied: Item) -> dict[str, Any]:
    """Return what a line has that neither the manifest nor the last apply stated: a new slip must keep it."""
    if "slip" in item or line.get("item_id") != item.get("item_id"):
        return {}
    known = {**applied, **item}
    stated = {
        *applied.get("params", {}),
        *item.get("params", {}),
        *([counted(line, known)] if "quantity" in known else ()),
    }
    params = {name: number for name, number in (line.get("params") or {}).items() if name not in stated}
    kept: dict[str, Any] = {"params": params} if params else {}
    kept |= {"quantity": line["quantity"]} if "quantity" in line and not {"quantity", "params"} & known.keys() else {}
    kept |= {name: line[name] for name in TIMES if name in line} if not {*TIMES} & known.keys() else {}
    return kept


def shows(line: Line, item: Item, attribute: str) -> bool:
    """Whether a line shows what an item states as an attribute."""
    if "key" in line:  # its slip is the recorded one, and covers the whole order
        return attribute not in line.get("recorded", {}).get("unseen", ())
    if attribute == "params":
        return set(item["params"]) <= set(line.get("params") or {})
    return quantity_of(line, item) is not None if attribute == "quantity" else attribute in line
