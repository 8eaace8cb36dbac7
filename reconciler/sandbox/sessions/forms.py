"""Parse the XML element of a write request into checked values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.sandbox.api import Call, Refusal
from reconciler.sandbox.sessions import markup
from reconciler.sandbox.sessions.fields import KEEPS_EMPTY, READERS, SLOT_READERS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_READ_ONLY = frozenset({"spaces_booked", "spaces_reserved"})


class Stated(Struct):
    """The content of a write request for a session."""

    values: dict[str, Any] = {}
    """The given fields."""

    slots: list[dict[str, Any]] | None = None
    """The given slots; None if the request has no slots element."""

    problems: list[str] = []
    """What is wrong with the request."""


def session(call: Call, element: Element) -> Stated:
    """Parse a `<session>`. If `strict`, raises Refusal with all problems."""
    stated = Stated()
    plain = [child for child in element if child.tag != "slots"]
    stated.values = _stored(call, _values(plain, READERS, stated.problems), READERS)
    for child in element:
        if child.tag == "slots":
            stated.slots = [_stored(call, _slot(item, stated.problems), SLOT_READERS) for item in child]
    _refuse(call, stated.problems)
    return stated


def slot(call: Call, element: Element) -> dict[str, Any]:
    """Parse a single `<slot>`. If `strict`, raises Refusal with all problems."""
    problems: list[str] = []
    values = _slot(element, problems)
    _refuse(call, problems)
    return _stored(call, values, SLOT_READERS)


def _stored(call: Call, values: dict[str, Any], readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """Return the values as stored by a server that ignores or replaces some (option `stores`)."""
    replaced = call.options.stored_values
    kept = {name: value for name, value in values.items() if replaced.get(name, "") is not None}
    stored = {name: readers[name](replaced[name] or "") if name in replaced else kept[name] for name in kept}
    return call.options.spelled(stored)


def _slot(element: Element, problems: list[str]) -> dict[str, Any]:
    if element.tag != "slot":
        problems.append(f"slots: unexpected <{element.tag}>")
        return {}
    return _values([child for child in element if child.tag not in _READ_ONLY], SLOT_READERS, problems)


def _values(
    children: list[Element], readers: Mapping[str, Callable[[str], Any]], problems: list[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for child in children:
        reader = readers.get(child.tag)
        if reader is None or len(child):
            problems.append(f"{child.tag} is not a known field" if reader is None else f"{child.tag} has elements")
            continue
        text = child.text or ""
        if not text.strip() and child.tag != "group":
            values[child.tag] = text if child.tag in KEEPS_EMPTY else None
            continue
        try:
            values[child.tag] = reader(text)
        except ValueError as error:
            problems.append(f"{child.tag} {error}")
    return values


def _refuse(call: Call, problems: list[str]) -> None:
    if problems and call.options.strict == "strict":
        raise Refusal(markup.errors(call, call.options.xml_invalid_status, *problems))
