"""The booking/session API without I/O: which calls a change needs, and how they are encoded.

Wire facts are from seed 004 ("booking/session") and the checkfront API notes §1 and §2. A call's body
names the item by the user's key. Its line and its slip are determined when the call is sent, because lines have
positions and the server issues the slips.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from reconciler.model.change import Call
from reconciler.model.objects import Fields
from reconciler.providers.answer import identifier
from reconciler.providers.checkfront.rating import QTY, asked_params

if TYPE_CHECKING:
    from reconciler.model.change import Decision, Edit, Effect
    from reconciler.settings import Connection

ROOT = "/api/3.0"
SESSION = f"{ROOT}/booking/session"
CLEAR = f"{SESSION}/clear"
END = f"{SESSION}/end"
CONTENT_TYPE = "application/x-www-form-urlencoded"

PATHS = frozenset({SESSION, CLEAR, END})
"""Every path this provider writes to (seed 004); anything else is not sent."""

START, ADD, REPLACE, REMOVE, SETTLE, QUANTITY = "start", "add", "replace", "remove", "settle", "quantity"
"""The values of `do` in a call's body; `settle` chooses add-ons, and sets the quantity of a given slip."""


def calls(change: Decision, connection: Connection) -> tuple[Call, ...]:
    """Return the calls that create, delete or edit an object, in the order in which they are sent."""
    del connection  # the credentials choose the account; no path depends on the connection
    if change.action == "create":
        return tuple(_creation(change))
    if change.action == "delete":
        return (_call(change, "delete", END, {}),)
    options = _options(_items(change))
    return tuple(_edit(change, edit, options) for edit in change.edits)


def _items(change: Decision) -> list[Fields]:
    return list(change.declared.get("items", ()))


def _creation(change: Decision) -> Iterable[Call]:
    """Send all slips in one POST, then the choices that a new line starts without."""
    items = _items(change)
    reads = tuple(rated_path(item) for item in items if "slip" not in item)
    yield _call(change, "create", SESSION, {"do": START, "items": items}, reads)
    chosen = [item for item in items if item.get("options") or ("slip" in item and "quantity" in item)]
    if chosen:
        yield _call(change, "update", SESSION, {"do": SETTLE, "items": chosen, "options": _options(items)})


def _options(items: Iterable[Fields]) -> dict[str, Any]:
    """Return each item's stated add-on choices: they distinguish lines with one slip."""
    return {item["key"]: item["options"] for item in items if item.get("options")}


def _edit(change: Decision, edit: Edit, options: Mapping[str, Any]) -> Call:
    if edit.part is None:
        return _call(change, "update", CLEAR, {})
    body: dict[str, Any] = {"do": _doing(edit), "key": edit.part_id, "options": options}
    reads: tuple[str, ...] = ()
    if body["do"] == SETTLE:
        body["items"] = [edit.values]
    elif edit.effect != "delete":
        body["item"] = item = _whole_item(edit)
        # It is not known what the line holds now: that may be what is wanted already.
        body["uncertain"] = "slip" in edit.changed and "slip" not in edit.values
        if body["uncertain"] and edit.replaces is None:
            body["unread"] = True
        # Where the server accepts the number, no query is needed first.
        reads = (rated_path(item),) if "slip" not in item and body["do"] != QUANTITY else ()
    return _call(change, "update", SESSION, body, reads)


def _whole_item(edit: Edit) -> Fields:
    """Return an item with what its line has beyond what is stated: a new slip covers the whole order."""
    params = {**edit.keeps.get("params", {}), **edit.values.get("params", {})}
    return {**edit.keeps, **edit.values, **({"params": params} if params else {})}


def _doing(edit: Edit) -> str:
    if edit.effect == "create":
        return ADD
    if edit.effect == "delete":
        return REMOVE
    if "options" in edit.changed or ("slip" in edit.values and edit.changed == ("quantity",)):
        return SETTLE
    return QUANTITY if edit.changed == ("quantity",) else REPLACE


def _call(change: Decision, effect: Effect, path: str, body: Mapping[str, Any], reads: tuple[str, ...] = ()) -> Call:
    return Call(
        address=change.address,
        connection=change.connection,
        effect=effect,
        method="POST",
        path=path,
        body=body,
        reads=reads,
    )


def item_path(item_id: object) -> str:
    """Return the path of one item; RemoteError for an invalid id."""
    return f"{ROOT}/item/{identifier(item_id)}"


def rated_query(item: Fields, quantity_param: str = QTY) -> dict[str, str]:
    """Return the query that rates an item for its days, so that the answer holds a slip (notes §2)."""
    query = {"start_date": item["start_date"].replace("-", ""), "end_date": item["end_date"].replace("-", "")}
    query |= {name: item[name] for name in ("start_time", "end_time") if name in item}
    params = asked_params(item, quantity_param)
    query |= {f"param[{name}]": str(number) for name, number in params.items()}
    if "discount_code" in item:
        query["discount_code"] = item["discount_code"]
    return query


def rated_path(item: Fields) -> str:
    """Return the path with the query of a rated item, as a plan shows it."""
    return f"{item_path(item['item_id'])}?{urlencode(rated_query(item))}"


def form(session_id: str | None, slips: Iterable[str] = (), alter: Mapping[str, str] | None = None) -> bytes:
    """Return a session call's form: `slip[]` for each slip, `alter[3]=remove` for each alteration (notes §1.2)."""
    pairs = [] if session_id is None else [("session_id", session_id)]
    pairs += [("slip[]", slip) for slip in slips]
    pairs += [(f"alter[{line}]", action) for line, action in (alter or {}).items()]
    return urlencode(pairs).encode("ascii")


def replacement(session_id: str, line: str, slip: str) -> bytes:
    """Return the form that replaces the slip of a line (notes §1.1)."""
    return urlencode([("session_id", session_id), ("line_id", line), ("slip", slip)]).encode("ascii")
