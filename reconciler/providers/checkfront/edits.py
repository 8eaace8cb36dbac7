"""Applying one call to a held booking: read the lines, act, and check what the answer shows.

Lines are read again before each change, because positions may shift. Where an OK answer does not show the change,
that is an error (checkfront API notes §1.4, §1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.kinds.booking_session.lines import quantity_of
from reconciler.model.change import Receipt
from reconciler.model.words import count
from reconciler.providers.checkfront import wire
from reconciler.providers.checkfront.client import SessionNamed, SessionOver, SoldOut
from reconciler.providers.checkfront.lines import Line, Posted, arrived, assign, facts

if TYPE_CHECKING:
    from reconciler.model.change import Call
    from reconciler.model.objects import Fields
    from reconciler.providers.checkfront.client import Client

_ALTER = {"in": "optin", "out": "optout"}


def create(client: Client, call: Call) -> Receipt:
    """Rate every item, then send all slips in one POST: nothing is held unless everything was available."""
    items: Sequence[Fields] = call.body["items"]
    slips = [_slip(client, item) for item in items]
    unseen = {item["key"]: names for item, (_, names) in zip(items, slips, strict=True)}
    posted = [(item["key"], slip, item.get("item_id")) for item, (slip, _) in zip(items, slips, strict=True)]
    try:
        made = client.post(wire.SESSION, wire.form(None, [slip for slip, _ in slips]), None)
    except SessionNamed as refusal:
        raise _left_by(client, refusal, items, posted) from None
    if made.session_id is None:
        raise OutcomeUnknown(
            f"POST {wire.SESSION}: the response contains no session id; the call may have been applied"
        )
    lines = arrived((), made.lines, posted)
    less = {"items": [item for item in items if item["key"] in lines]} if len(lines) < len(items) else {}
    return Receipt(remote_id=made.session_id, fields=less, computed=_facts_of(lines, unseen))


def _left_by(client: Client, refusal: SessionNamed, items: Sequence[Fields], posted: Sequence[Posted]) -> RemoteError:
    """Look at the session that the answer to a failed create names; return the error, with what has to be recorded."""
    said, session_id = refusal.message, refusal.session_id
    try:
        left = client.session(session_id)
    except SessionOver:
        return RemoteError(f"{said}; the session that the answer names does not exist")
    except RemoteError as unread:
        made = Receipt(remote_id=session_id, computed=_facts_of({key: {"slip": slip} for key, slip, _ in posted}))
        why = f"the answer names a session, which could not be read: {unread.message}"
        return OutcomeUnknown(f"{said}; {why}; it is managed, and the next plan reads it again", made=made)
    if not left.lines:
        client.end_stray(session_id)
        return RemoteError(f"{said}; the session that the answer names was empty and is ended")
    lines = arrived((), left.lines, posted)
    held = [item for item in items if item["key"] in lines]
    made = Receipt(remote_id=session_id, fields={"items": held}, computed=_facts_of(lines))
    managed = "it is managed, and the next plan shows what is left to do"
    return RemoteError(
        f"{said}; the session that the answer names holds {count(len(left.lines), 'line')}; {managed}", made=made
    )


def change(client: Client, call: Call) -> Receipt:
    """Apply one edit of a session's lines."""
    return _STEPS[call.body["do"]](client, call)


def _slip(client: Client, item: Fields, *, unread: bool = False) -> tuple[str, Sequence[str]]:
    """Return the slip for an item, and what its rated answer does not show."""
    try:
        return (str(item["slip"]), ()) if "slip" in item else client.rate(item, unread=unread)
    except RemoteError as error:
        raise type(error)(f"items[{item['key']}]: {error.message}", hint=error.hint, status=error.status) from None


def _fresh_slip(client: Client, call: Call) -> tuple[str, Sequence[str]]:
    """Return the slip for a line's new content.

    A rated query knows of no session, so the line itself counts against what is available. It is not removed first:
    another customer could take what it holds.
    """
    try:
        return _slip(client, call.body["item"], unread=call.body.get("unread", False))
    except SoldOut as error:
        more = "its current line also uses the available stock; remove the item and apply, then add it and apply"
        raise type(error)(f"{error.message} ({more})", hint=error.hint, status=error.status) from None


def _facts_of(lines: Mapping[str, Line | None], unseen: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    names = unseen or {}
    return {"items": {key: None if line is None else facts(line, names.get(key, ())) for key, line in lines.items()}}


def _session_id(call: Call) -> str:
    if call.remote_id is None:
        raise RemoteError(f"{call.method} {call.path}: the session id is unknown; not sent")
    return call.remote_id


def _lines(client: Client, call: Call) -> tuple[Sequence[Line], dict[str, Line]]:
    """Read the current lines, and the item of each."""
    lines = client.session(_session_id(call)).lines
    slips = {key: known["slip"] for key, known in call.computed.get("items", {}).items()}
    return lines, assign(lines, slips, call.body.get("options", {}))


def _line_of(call: Call, found: Mapping[str, Line]) -> Line:
    key = call.body["key"]
    if key not in found:
        raise RemoteError(f"items[{key}]: its line changed since the plan was made; plan again")
    return found[key]


def _add(client: Client, call: Call) -> Receipt:
    item, key = call.body["item"], call.body["key"]
    slip, unseen = _slip(client, item)
    before, _ = _lines(client, call)
    session_id = _session_id(call)
    after = client.post(wire.SESSION, wire.form(session_id, [slip]), session_id).lines
    lines = arrived(before, after, [(key, slip, item.get("item_id"))])
    if key not in lines:
        raise RemoteError(f"items[{key}]: the server returned OK, but did not add it")
    return Receipt(computed=_facts_of(lines, {key: unseen}))


def _replace(client: Client, call: Call) -> Receipt:
    slip = _fresh_slip(client, call)
    before, found = _lines(client, call)
    return _put(client, call, slip, before, _line_of(call, found))


def _put(client: Client, call: Call, fresh: tuple[str, Sequence[str]], before: Sequence[Line], line: Line) -> Receipt:
    """Replace a line by a slip; the answer must show the line with it, or a new line that replaces it."""
    key, session_id, (slip, unseen) = call.body["key"], _session_id(call), fresh
    after = client.post(wire.SESSION, wire.replacement(session_id, line["line"], slip), session_id).lines
    lines = arrived(before, after, [(key, slip, call.body["item"].get("item_id"))])
    # A line that shows the same slip as before was replaced only if it could have held the same before.
    same = _same(line, after)
    if same is not None and slip != line["slip"] and not call.body.get("uncertain"):
        same = None
    if key not in lines and same is None:
        raise RemoteError(f"items[{key}]: the server returned OK, but did not replace its line")
    return Receipt(computed=_facts_of(lines if key in lines else {key: same}, {key: unseen}))


def _remove(client: Client, call: Call) -> Receipt:
    key, session_id = call.body["key"], _session_id(call)
    before, found = _lines(client, call)
    if key not in found:  # it was removed already
        return Receipt(gone=True, computed=_facts_of({key: None}))
    alter = {found[key]["line"]: "remove"}
    after = client.post(wire.SESSION, wire.form(session_id, alter=alter), session_id).lines
    if len(after) >= len(before):
        raise RemoteError(f"items[{key}]: the server returned OK, but did not remove its line")
    return Receipt(computed=_facts_of({key: None}))


def _quantity(client: Client, call: Call) -> Receipt:
    """Alter a line's quantity, which works for simple items only; elsewhere replace the line (notes §1.1)."""
    item, key, session_id = call.body["item"], call.body["key"], _session_id(call)
    _, found = _lines(client, call)
    line = _line_of(call, found)
    alter = {line["line"]: str(item["quantity"])}
    after = client.post(wire.SESSION, wire.form(session_id, alter=alter), session_id).lines
    altered = _same(line, after)
    if altered is not None and _took(line, altered, item):
        return Receipt(computed=_facts_of({key: altered}))
    if altered is None:
        raise RemoteError(f"items[{key}]: its line disappeared when its quantity changed; plan again")
    return _put(client, call, _fresh_slip(client, call), after, altered)


def _same(line: Line, after: Sequence[Line]) -> Line | None:
    return next((item for item in after if item["line"] == line["line"]), None)


def _took(before: Line, after: Line, item: Fields) -> bool:
    """Whether a line has an item's quantity now: by what it shows, or because it shows another slip than before."""
    shown = _shown_quantity(after, item)
    return bool(after["slip"] != before["slip"]) if shown is None else bool(shown == item["quantity"])


def _shown_quantity(line: Line, item: Fields) -> Any:
    """Return the quantity that a line shows: in its slip, or else in its rate, which counts what has no parameters."""
    shown = quantity_of(line, item)
    return line.get("rated_quantity") if shown is None and not line.get("params") else shown


def _settle(client: Client, call: Call) -> Receipt:
    """Choose add-ons, and set the quantity of a given slip, in one POST; no POST where nothing differs."""
    session_id = _session_id(call)
    _, found = _lines(client, call)
    chosen = {item["key"]: item for item in call.body["items"] if item["key"] in found}
    alter: dict[str, str] = {}
    for key, item in chosen.items():
        alter.update(_alterations(key, item, found[key]))
    unseen = {key: known.get("unseen", ()) for key, known in call.computed.get("items", {}).items()}
    if not alter:
        return Receipt(computed=_facts_of({key: found[key] for key in chosen}, unseen))
    after = client.post(wire.SESSION, wire.form(session_id, alter=alter), session_id).lines
    lines = {key: _same(found[key], after) for key in chosen}
    for key, item in chosen.items():
        _check_settled(key, item, found[key], lines[key])
    return Receipt(computed=_facts_of(lines, unseen))


def _alterations(key: str, item: Fields, line: Line) -> dict[str, str]:
    alter = {}
    for item_id, choice in item.get("options", {}).items():
        if item_id not in line["add_ons"]:
            offered = ", ".join(sorted(line["add_ons"])) or "none"
            raise RemoteError(f"items[{key}]: item {item_id} is not one of its add-ons; expected one of {offered}")
        if line["options"][item_id] != choice:
            alter[line["add_ons"][item_id]] = _ALTER[choice]
    if "slip" in item and "quantity" in item and _shown_quantity(line, item) != item["quantity"]:
        alter[line["line"]] = str(item["quantity"])
    return alter


def _check_settled(key: str, item: Fields, before: Line, after: Line | None) -> None:
    if after is None:
        raise RemoteError(f"items[{key}]: its line disappeared when its add-ons changed; plan again")
    for item_id, choice in item.get("options", {}).items():
        if after["options"].get(item_id) != choice:
            raise RemoteError(f"items[{key}]: the server returned OK, but add-on {item_id} is not {choice}")
    if "slip" in item and "quantity" in item and not _took(before, after, item):
        message = f"items[{key}]: the server ignores a quantity for this slip; set item_id and dates instead"
        raise RemoteError(message)


_STEPS: Mapping[str, Callable[[Client, Call], Receipt]] = {
    wire.ADD: _add,
    wire.REPLACE: _replace,
    wire.REMOVE: _remove,
    wire.QUANTITY: _quantity,
    wire.SETTLE: _settle,
}
