"""The sessions API without I/O: which calls a change needs, and sessions as XML.

Wire facts are from seed 000 ("BookingBug REST API: sessions"); what it leaves open is in the
bookingbug API notes, §2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from sys import intern
from typing import TYPE_CHECKING, Any

from reconciler.errors import RemoteError
from reconciler.kinds.session.fields import FIELDS, SLOT_COUNTS, SLOT_FIELDS
from reconciler.model import canonical
from reconciler.model.change import Call
from reconciler.model.characters import NOT_XML
from reconciler.model.field import Field, FieldTable, FieldType
from reconciler.model.objects import Fields, Live
from reconciler.providers.answer import identifier, is_identifier, neutral, whole
from reconciler.providers.bookingbug_sessions.markup import parse, pieces, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml import etree

    from reconciler.model.change import Decision, Effect
    from reconciler.providers.bookingbug_sessions.markup import Piece
    from reconciler.settings import Connection

    _Reader = Callable[[str], Any]
    _New = Callable[..., etree._Element]  # noqa: SLF001 - how lxml's stubs name their public class

LIST_PATH = "/api/sessions.xml"
CONTENT_TYPE = "text/xml"
"""As every sample of seed 000 sends it."""

PATHS = re.compile(r"/api/(?:sessions\.xml(?:\?type=(?:event|course|recurring_event))?|(?:sessions|slots)/[0-9]+\.xml)")
"""Every path this provider writes to (seed 000); anything else is not sent."""

_READ: Mapping[FieldType, Callable[[str], Any]] = {
    "text": canonical.text,
    "whole": whole,
    "money": canonical.money,
    "flag": canonical.flag,
    "day": canonical.day,
    "clock": canonical.clock,
}
"""How a returned text is read, by type; a word is looked up among its field's words."""

_REMEMBERED = 4096
"""Texts of one field whose value is remembered: days, times and counts are the same in most sessions."""

_SHORT = 20
"""Characters of such a text at most, so that no answer fills the memory."""


def session_path(remote_id: str | None) -> str:
    """Return the path of one session; RemoteError for an invalid id."""
    return f"/api/sessions/{identifier(remote_id)}.xml"


def calls(change: Decision, connection: Connection) -> tuple[Call, ...]:
    """Return the calls that create, delete or edit an object, in the order in which they are sent."""
    del connection  # the credentials choose the company; no path depends on the connection
    if change.action == "create":
        return (_create(change),)
    if change.action == "delete":
        return (_delete(change),)
    return tuple(_updates(change))


def _create(change: Decision) -> Call:
    fields = dict(change.declared)
    # In the query `type` is a word that chooses a set of defaults; the body would only repeat it as a number.
    kind = fields.pop("type", None)
    path = LIST_PATH if kind is None else f"{LIST_PATH}?type={kind}"
    return _call(change, "create", "POST", path, _ordered(fields))


def _delete(change: Decision) -> Call:
    return Call(
        address=change.address,
        connection=change.connection,
        effect="delete",
        method="DELETE",
        path=session_path(change.remote_id),
        repeatable=True,
    )


def _updates(change: Decision) -> Iterable[Call]:
    """Yield one PUT for the session and one for each slot, in the order of the edits: slots keep their ids."""
    for edit in change.edits:
        if edit.part is None:
            yield _call(change, "update", "PUT", session_path(change.remote_id), _ordered(edit.values))
        else:
            path = f"/api/slots/{identifier(edit.part_id)}.xml"
            values = {key: edit.values[key] for key in SLOT_FIELDS if key in edit.values}
            yield _call(change, "update", "PUT", path, values)


def _call(change: Decision, effect: Effect, method: str, path: str, body: dict[str, Any]) -> Call:
    return Call(
        address=change.address,
        connection=change.connection,
        effect=effect,
        method=method,
        path=path,
        body=body,
        # A repeated PUT leaves the same values, but it would recreate slots each time (seed 000).
        repeatable=effect == "update" and "slots" not in body,
    )


def _ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Put fields in the order of seed 000; of slots, only what can be written."""
    body = {key: values[key] for key in FIELDS if key in values}
    if "slots" in values:
        body["slots"] = [
            {key: slot[key] for key in SLOT_FIELDS if slot.get(key) is not None} for slot in values["slots"]
        ]
    return body


def encode_session(values: Mapping[str, Any]) -> bytes:
    """Return `<session>` with the given canonical values (seed 000); RemoteError for unsendable text."""
    new, serialised = _writer()
    root = new("session")
    _fill(new, root, FIELDS, values)
    if "slots" in values:
        slots = new("slots")
        root.append(slots)
        for slot in values["slots"]:
            element = new("slot")
            slots.append(element)
            _fill(new, element, SLOT_FIELDS, slot)
    return serialised(root)


def encode_slot(values: Mapping[str, Any]) -> bytes:
    """Return `<slot>` with the given date, time and duration (seed 000)."""
    new, serialised = _writer()
    root = new("slot")
    _fill(new, root, SLOT_FIELDS, values)
    return serialised(root)


def _fill(new: _New, parent: etree._Element, table: FieldTable, values: Mapping[str, Any]) -> None:
    for key, field in table.items():
        if key in values:
            element = new(key)
            element.text = _sendable(key, _wire(field, values[key]))
            parent.append(element)


def _wire(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if field.type == "word":
        return str(field.words.index(canonical.word(value, field.words)))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _sendable(key: str, text: str) -> str:
    found = NOT_XML.search(text)
    if found is not None:
        raise RemoteError(f"field `{key}` contains U+{ord(found[0]):04X}, a character that XML does not allow")
    return text


def _writer() -> tuple[_New, Callable[[etree._Element], bytes]]:
    from lxml import etree  # noqa: PLC0415 - 40 ms that a run without this API need not pay

    def serialised(root: etree._Element) -> bytes:
        # Beyond ASCII as character references: the same text for every reader, however it reads
        # `text/xml` without a charset to mean (RFC 3023: us-ascii; XML: UTF-8).
        return etree.tostring(root, encoding="us-ascii")

    return etree.Element, serialised


def decode_list(body: bytes) -> dict[str, dict[str, str]]:
    """Return a `<sessions>` list (seed 000): by id, the name and group it contains. ValueError: unusable.

    A session that cannot be understood is in the list without name and group: it may be any session, so that it is
    shown before another one is created.
    """
    try:
        root = parse(body, "sessions")
    except ValueError:
        found = pieces(body)
        if found is None:
            raise
        return {key: value for piece in found for key, value in _listed_piece(piece).items()}
    listed: dict[str, dict[str, str]] = {}
    for element in root:
        if element.tag != "session":
            message = f"<sessions> contains <{neutral(str(element.tag), 40)}>; expected only <session>"
            raise ValueError(message)
        listed[_identity(element)] = _listed(element)
    return listed


def _listed(element: etree._Element) -> dict[str, str]:
    try:
        return _values(_by_tag(element), _LISTED)
    except ValueError:
        return {}


def _listed_piece(piece: Piece) -> dict[str, dict[str, str]]:
    try:
        element = parse(piece.body, "session")
        return {_identity(element): _listed(element)}
    except ValueError:
        return {remote_id: {} for remote_id in piece.ids}


def decode_session(body: bytes) -> Live:
    """Return a `<session>` as the API returns it (seed 000): a field that is missing or empty has no value.

    An empty text is an answer, "". ValueError names what cannot be understood.
    """
    root = parse(body, "session")
    children = _by_tag(root)
    fields = _values(children, _SESSION)
    slots = _only(children, "slots")
    if slots is not None:
        fields["slots"] = [_slot(element) for element in slots if element.tag == "slot"]
        if len(slots) != len(fields["slots"]) or (slots.text or "").strip():
            message = "<slots> contains elements other than <slot>"
            raise ValueError(message)
    return Live(remote_id=_identity(root), fields=fields)


def _slot(element: etree._Element) -> Fields:
    return {"id": _identity(element), **_values(_by_tag(element), _SLOT)}


def check_answered(body: bytes, path: str, *, read_back: bool) -> None:
    """Check that the answer to a call about the object at `path` is about it; a slot may be shown inside its session.

    Where the effect is `read_back` in any case, a body that is no object proves nothing and does not matter.
    """
    collection, asked = path.removesuffix(".xml").split("/")[-2:]
    try:
        root = parse(body, "session", "slot")
    except ValueError:
        if read_back:
            return
        raise
    ids = [_identity(root)] if root.tag == collection[:-1] else [_identity(slot) for slot in root.iter("slot")]
    if asked not in ids:
        message = f"returned {root.tag} {', '.join(ids) or 'without an id'} instead of {collection[:-1]} {asked}"
        raise ValueError(message)


def session_id(body: bytes) -> str | None:
    """Return the id of the session that a create returned; None where there is none."""
    try:
        return _identity(parse(body, "session"))
    except ValueError:
        return None


def _identity(element: etree._Element) -> str:
    found = element.get("id")
    text = found.strip() if found is not None else None
    if text is None or not is_identifier(text):
        shown = "no id" if text is None else f"the id {neutral(repr(text), 40)}"
        name = element.findtext("name")
        shown += f" (name {neutral(repr(name), 40)})" if name else ""
        message = f"a <{element.tag}> with {shown}; expected digits"
        raise ValueError(message)
    return text


def _by_tag(element: etree._Element) -> dict[str, list[etree._Element]]:
    """Return the children of an element by tag, in one walk."""
    found: dict[str, list[etree._Element]] = {}
    for child in element:
        found.setdefault(child.tag, []).append(child)
    return found


def _only(children: Mapping[str, list[etree._Element]], key: str) -> etree._Element | None:
    found = children.get(key)
    if found is None:
        return None
    if len(found) > 1:
        message = f"<{key}> appears {len(found)} times; expected once"
        raise ValueError(message)
    return found[0]


def _values(children: Mapping[str, list[etree._Element]], readers: Mapping[str, _Reader]) -> dict[str, Any]:
    """Return the canonical value of each field that has one."""
    values = {}
    for key, read in readers.items():
        child = _only(children, key)
        if child is None:
            continue
        if len(child):
            message = f"<{key}> contains elements; expected a value"
            raise ValueError(message)
        try:
            value = read(text_of(child))
        except ValueError as error:
            message = f"field `{key}`: {neutral(str(error))}"
            raise ValueError(message) from None
        if value is not None:
            values[key] = value
    return values


def _reader(field: Field) -> _Reader:
    """Return what reads the text of a field; it returns None where the text is no value. Equal texts are one object."""
    if field.type == "text":
        return lambda text: intern(canonical.text(text))
    read = partial(canonical.word, words=field.words) if field.type == "word" else _READ[field.type]

    def value(text: str) -> Any:
        return read(text) if text.strip() else None

    remembered = lru_cache(_REMEMBERED)(value)
    return lambda text: remembered(text) if len(text) <= _SHORT else value(text)


_SESSION = {key: _reader(field) for key, field in FIELDS.items()}
_SLOT = {key: _reader(field) for key, field in {**SLOT_FIELDS, **SLOT_COUNTS}.items()}
_LISTED = {key: _SESSION[key] for key in ("name", "group")}
"""What the list returns for a session (seed 000)."""
