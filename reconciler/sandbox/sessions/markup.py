"""Parse and write the XML of the sessions API in the format of the samples (seed 000).

There are no type or nil attributes: `id` is the only attribute in the samples (bookingbug API notes §2.4).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from reconciler.sandbox.api import Call, Refusal, Reply
from reconciler.sandbox.tables import SESSION_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element

    from reconciler.sandbox.options import Options

_DOCUMENTED = ("name", "group", "time", "start_date", "end_date")
_UNDOCUMENTED = tuple(name for name in SESSION_FIELDS if name not in _DOCUMENTED)
_BAD_REQUEST, _UNSUPPORTED = 400, 415


def read(call: Call, root: str) -> Element:
    """Parse a request body with the root element `root`. Refuses other content and a DTD."""
    if call.options.strict == "strict" and call.media_type not in {"text/xml", "application/xml"}:
        raise Refusal(errors(call, _UNSUPPORTED, "Content-Type must be text/xml"))
    try:
        element: Element = defusedxml.ElementTree.fromstring(call.body, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refusal(errors(call, _BAD_REQUEST, f"malformed XML: {error}")) from error
    if element.tag != root:
        raise Refusal(errors(call, _BAD_REQUEST, f"expected <{root}>, got <{element.tag}>"))
    return element


def document(call: Call, root: Element, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with an XML document."""
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>\n' if call.options.xml_declaration == "yes" else b""
    body = declaration + ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return Reply(
        status=status, body=body, headers={"Content-Type": "application/xml; charset=utf-8", **(headers or {})}
    )


def errors(call: Call, status: int, *messages: str) -> Reply:
    """Answer an error in the format of Rails. The documents show no error body."""
    root = ET.Element("errors")
    for message in messages:
        ET.SubElement(root, "error").text = message
    return document(call, root, status)


def listing(sessions: Iterable[Mapping[str, Any]]) -> Element:
    """Write the session list, with name and group only."""
    root = ET.Element("sessions")
    for session in sessions:
        item = ET.SubElement(root, "session", id=str(session["id"]))
        for field in ("name", "group"):
            ET.SubElement(item, field).text = session[field]
    return root


def show(session: Mapping[str, Any], slots: Iterable[Mapping[str, Any]], options: Options) -> Element:
    """Write one session with its slots. `show_fields` selects the fields of the sample or all writable ones."""
    root = ET.Element("session", id=str(session["id"]))
    for field in _DOCUMENTED:
        _append(root, field, session[field], options)
    if options.show_fields == "all":
        for field in _UNDOCUMENTED:
            _append(root, field, session[field], options)
    parent = ET.SubElement(root, "slots")
    for row in slots:
        parent.append(slot(row, options))
    return root


def slot(row: Mapping[str, Any], options: Options) -> Element:
    """Write one slot of a session."""
    item = ET.Element("slot", id=str(row["id"]))
    extra = ("time", "duration") if options.show_fields == "all" else ()
    counts = ("spaces_booked", "spaces_reserved") if options.slot_counts == "yes" else ()
    for field in ("date", *extra, *counts):
        _append(item, field, row[field], options)
    return item


def _append(parent: Element, field: str, value: object, options: Options) -> None:
    if value is None and options.empty_style == "absent":
        return
    ET.SubElement(parent, field).text = _words(field, value, options)


def _words(field: str, value: object, options: Options) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower() if options.boolean_style == "word" else str(int(value))
    if field == "price" and options.number_style == "plain":
        amount = Decimal(str(value))
        return str(amount.quantize(Decimal("0.1"))) if amount == amount.quantize(Decimal("0.1")) else str(amount)
    if field == "time" and options.time_style == "unpadded":
        return str(value).removeprefix("0")
    return str(value)
