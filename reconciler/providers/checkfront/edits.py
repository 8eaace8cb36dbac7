"""Applying one call to a held booking: read the lines, act, and check what the answer shows.

Lines are read again before each change, because positions may shift. Where an OK answer does not show the change,
that is an error (checkfront API notes §1.4, §1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.model.change import Receipt
from reconciler.providers.checkfront import wire
from reconciler.providers.checkfront.lines import Line, arrived, assign

if TYPE_CHECKING:
    from reconciler.model.change import Call
    from reconciler.model.objects import Fields
    from reconciler.providers.checkfront.client import Client

_ALTER = {"in": "optin", "out": "optout"}


def create(client: Client, call: Call) -> Receipt:
    """Rate every item, then send all slips in one POST: nothing is held unless everything was available."""
    items: Sequence[Fields] = call.body["items"]
    slips = [_slip(client, item) for item in items]
    made = client.post(wire.SESSION, wire.form(None, slips), None)
    if made.session_id is None:
        raise OutcomeUnknown(
            f"POST {wire.SESSION}: the response contains no session id; the call may have been applied"
        )
    posted = [(item["key"], slip, item.get("item_id")) for item, slip in zip(items, slips, strict=True)]
    lines = arrived((), made.lines, posted)
    less = {"items": [item for item in items if item["key"] in lines]} if len(lines) < len(items) else {}
    return Receipt(remote_id=made.session_id, fields=less, computed=_slips_of(lines))


def change(client: Client, call: Call) -> Receipt:
    """Apply one edit of a session's lines."""
    return _STEPS[call.body["do"]](client, call)


def _slip(client: Client, item: Fields) -> str:
    try:
        return str(item["slip"]) if "slip" in item else client.rate(item)
    except RemoteError as error:
        raise type(error)(f"items[{item['key']}]: {error.message}", hint=error.hint, status=error.status) from None


def _fresh_slip(client: Client, item: Fields) -> str:
    """Return the slip for a line's new content.

    A rated query knows of no session, so the line itself counts against what is available. It is not removed first:
    another customer could take what it holds.
    """
    try:
        return _slip(client, item)
    except RemoteError as error:
        more = "its current line also uses the available stock; remove the item and apply, then add it and apply"
        raise type(error)(f"{error.message} ({more})", hint=error.hint, status=error.status) from None


def _slips_of(lines: Mapping[str, Line | None]) -> dict[str, Any]:
    return {"items": {key: None if line is None else {"slip": line["slip"]} for key, line in lines.items()}}


def _session_id(call: Call) -> str:
    if call.remote_id is None:
        raise RemoteError(f"{call.method} {call.path}: the session id is unknown; not sent")
    return call.remote_id


def _lines(client: Client, call: Call) -> tuple[Sequence[Line], dict[str, Line]]:
    """Read the current lines, and the item of each."""
    lines = client.session(_session_id(call)).lines
    slips = {key: facts["slip"] for key, facts in call.computed.get("items", {}).items()}
    return lines, assign(lines, slips, call.body.get("options", {}))


def _line_of(call: Call, found: Mapping[str, Line]) -> Line:
    key = call.body["key"]
    if key not in found:
        raise RemoteError(f"items[{key}]: its line changed since the plan was made; plan again")
    return found[key]


def _add(client: Client, call: Call) -> Receipt:
    item, key = call.body["item"], call.body["key"]
    slip = _slip(client, item)
    before, _ = _lines(client, call)
    session_id = _session_id(call)
    after = client.post(wire.SESSION, wire.form(session_id, [slip]), session_id).lines
    lines = arrived(before, after, [(key, slip, item.get("item_id"))])
    if key not in lines:
        raise RemoteError(f"items[{key}]: the server returned OK, but did not add it")
    return Receipt(computed=_slips_of(lines))


def _replace(client: Client, call: Call) -> Receipt:
    slip = _fresh_slip(client, call.body["item"])
    before, found = _lines(client, call)
    return _put(client, call, slip, before, _line_of(call, found))


def _put(client: Client, call: Call, slip: str, before: Sequence[Line], line: Line) -> Receipt:
    """Replace a line by a slip; the answer must show the line with it, or a new line that replaces it."""
    key, session_id = call.body["key"], _session_id(call)
    after = client.post(wire.SESSION, wire.replacement(session_id, line["line"], slip), session_id).lines
    lines = arrived(before, after, [(key, slip, call.body["item"].get("item_id"))])
    # A line that shows the same slip as before was replaced only if it could have held the same before.
    same = _same(line, after)
    if same is not None and slip != line["slip"] and not call.body.get("uncertain"):
        same = None
    if key not in lines and same is None:
        raise RemoteError(f"items[{key}]: the server returned OK, but did not replace its line")
    return Receipt(computed=_slips_of(lines if key in lines else {key: same}))


def _remove(client: Client, call: Call) -> Receipt:
    key, session_id = call.body["key"], _session_id(call)
    before, found = _lines(client, call)
    if key not in found:  # it was removed already
        return Receipt(gone=True, computed=_slips_of({key: None}))
    alter = {found[key]["line"]: "remove"}
    after = client.post(wire.SESSION, wire.form(session_id, alter=alter), session_id).lines
    if len(after) >= len(before):
        raise RemoteError(f"items[{key}]: the server returned OK, but did not remove its line")
    return Receipt(computed=_slips_of({key: None}))


def _quantity(client: Client, call: Call) -> Receipt:
    """Alter a line's quantity, which works for simple items only; elsewhere replace the line (notes §1.1)."""
    item, key, session_id = call.body["item"], call.body["key"], _session_id(call)
    _, found = _lines(client, call)
    line = _line_of(call, found)
    alter = {line["line"]: str(item["quantity"])}
    after = client.post(wire.SESSION, wire.form(session_id, alter=alter), session_id).lines
    altered = _same(line, after)
    if altered is not None and _took(line, altered, item["quantity"]):
        return Receipt(computed=_slips_of({key: altered}))
    if altered is None:
        raise RemoteError(f"items[{key}]: its line disappeared when its quantity changed; plan again")
    return _put(client, call, _fresh_slip(client, item), after, altered)


def _same(line: Line, after: Sequence[Line]) -> Line | None:
    return next((item for item in after if item["line"] == line["line"]), None)


def _took(before: Line, after: Line, quantity: int) -> bool:
    """Whether a line has a quantity now: by what it shows, or because it shows another slip than before."""
    if "quantity" in after:
        return bool(after["quantity"] == quantity)
    params = after.get("params") or {}
    if len(params) == 1:  # what the slip itself names; a rate's qty may count something else (notes §1.3)
        return str(next(iter(params.values()))) == str(quantity)
    if "rated_quantity" in after and not params:
        return bool(after["rated_quantity"] == quantity)
    return bool(after["slip"] != before["slip"])


def _settle(client: Client, call: Call) -> Receipt:
    """Choose add-ons, and set the quantity of a given slip, in one POST; no POST where nothing differs."""
    session_id = _session_id(call)
    _, found = _lines(client, call)
    chosen = {item["key"]: item for item in call.body["items"] if item["key"] in found}
    alter: dict[str, str] = {}
    for key, item in chosen.items():
        alter.update(_alterations(key, item, found[key]))
    if not alter:
        return Receipt(computed=_slips_of({key: found[key] for key in chosen}))
    after = client.post(wire.SESSION, wire.form(session_id, alter=alter), session_id).lines
    lines = {key: _same(found[key], after) for key in chosen}
    for key, item in chosen.items():
        _check_settled(key, item, found[key], lines[key])
    return Receipt(computed=_slips_of(lines))


def _alterations(key: str, item: Fields, line: Line) -> dict[str, str]:
    alter = {}
    for item_id, choice in item.get("options", {}).items():
        if item_id not in line["add_ons"]:
            offered = ", ".join(sorted(line["add_ons"])) or "none"
            raise RemoteError(f"items[{key}]: item {item_id} is not one of its add-ons; expected one of {offered}")
        if line["options"][item_id] != choice:
            alter[line["add_ons"][item_id]] = _ALTER[choice]
    if "slip" in item and "quantity" in item and line.get("quantity") != item["quantity"]:
        alter[line["line"]] = str(item["quantity"])
    return alter


def _check_settled(key: str, item: Fields, before: Line, after: Line | None) -> None:
    if after is None:
        raise RemoteError(f"items[{key}]: its line disappeared when its add-ons changed; plan again")
    for item_id, choice in item.get("options", {}).items():
        if after["options"].get(item_id) != choice:
            raise RemoteError(f"items[{key}]: the server returned OK, but add-on {item_id} is not {choice}")
    if "slip" in item and "quantity" in item and not _took(before, after, item["quantity"]):
        message = f"items[{key}]: the server ignores a quantity for this slip; set item_id and dates instead"
        raise RemoteError(message)


_STEPS: Mapping[str, Callable[[Client, Call], Receipt]] = {
    wire.ADD: _add,
    wire.REPLACE: _replace,
    wire.REMOVE: _remove,
    wire.QUANTITY: _quantity,
    wire.SETTLE: _settle,
}
