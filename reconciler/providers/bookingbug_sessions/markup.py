"""XML of the sessions API as a tree: strictly, and where that fails, as far as its meaning is beyond doubt.

One character that XML does not allow makes a whole list unreadable. What such text means is clear where only
characters are wrong: a reference to a control character, an entity of HTML, an `&` that should be `&amp;`. Then it is
read as that. Wrong tags are never repaired, since a repair could lose an object: the list is cut at its sessions
instead, and a broken one is known by its id alone.
"""

from __future__ import annotations

import functools
import re
from html.entities import html5
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.providers.answer import check_density, neutral

if TYPE_CHECKING:
    from lxml import etree

_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
"""How a document with a DOCTYPE begins; checked before parsing, so that no entity is ever expanded."""

_STAND_INS = 0x10F000
"""Stand-ins for the control characters, which a tree cannot hold, in an area that Unicode gives no characters."""

_CONTROLS = {_STAND_INS + code: code for code in (*range(1, 9), 11, 12, *range(14, 32), 127)}
_LEAST_STAND_IN = chr(_STAND_INS)

_REFERENCE = re.compile(rb"&(?:#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,10}))|([A-Za-z][A-Za-z0-9]{0,31}));|&")
_RAW_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
_LIST = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b[^>]*\?>\s*)?<sessions\b[^>]*>(.*)</sessions\s*>\s*", re.DOTALL)
_PIECE = re.compile(rb"\s*(<session\b[^>]*/>|<session\b.*?</session\s*>)\s*", re.DOTALL)
_OPENING = re.compile(rb"<session\b[^<>]*?\sid\s*=\s*[\"']\s*([0-9]{1,18})\s*[\"']")


class Piece(Struct, frozen=True):
    """The text of one session of a list."""

    body: bytes
    ids: tuple[str, ...]
    """The ids of the sessions that begin in it: more than one where the first one does not end."""


def parse(body: bytes, *tags: str) -> etree._Element:
    """Return the root element, which must be one of `tags`; ValueError for anything else, and for any DOCTYPE."""
    if _PROLOG.match(body) is not None:
        message = "XML with a DOCTYPE, which is not allowed"
        raise ValueError(message)
    check_density(body.replace(b"</", b""), b"<=")
    root = _root(body)
    document: Any = root.getroottree().docinfo
    if document.doctype:
        message = "XML with a DOCTYPE, which is not allowed"
        raise ValueError(message)
    if root.tag not in tags:
        message = f"<{neutral(str(root.tag), 40)}> instead of <{tags[0]}>"
        raise ValueError(message)
    return root


def text_of(element: etree._Element) -> str:
    """Return the text of an element, with its control characters."""
    text = element.text or ""
    return text if text.isascii() or max(text) < _LEAST_STAND_IN else text.translate(_CONTROLS)


def pieces(body: bytes) -> list[Piece] | None:
    """Cut a list at its sessions; None unless every byte between its tags belongs to one with an id."""
    whole = _LIST.fullmatch(body)
    found: list[Piece] = []
    rest = whole[1] if whole is not None else b"?"
    at = 0
    while at < len(rest):
        piece = _PIECE.match(rest, at)
        ids = tuple(item.decode() for item in _OPENING.findall(piece[1])) if piece is not None else ()
        if piece is None or not ids:
            return None
        found.append(Piece(piece[1], ids))
        at = piece.end()
    return found


def _root(body: bytes) -> etree._Element:
    from lxml import etree  # noqa: PLC0415 - 40 ms that a run without this API need not pay

    try:
        return etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        first = error
    try:
        return etree.fromstring(_spelled(body), _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError):
        message = f"not well-formed XML{_near(body, first)}: {neutral(str(first), 80)}"
        raise ValueError(message) from None


def _near(body: bytes, error: Exception) -> str:
    """Say in which session of a list an error is."""
    line, column = getattr(error, "position", None) or (1, 0)
    before = body.splitlines(keepends=True)[: max(line, 1)]
    ids = _OPENING.findall(b"".join(before[:-1]) + (before[-1][:column] if before else b""))
    return f" in or after session {ids[-1].decode()}" if ids and b"<sessions" in body else ""


def _spelled(body: bytes) -> bytes:
    """Spell the characters of a document as XML allows; its tags stay as they are."""
    if b"<![CDATA[" not in body:  # where a reference is text
        body = _REFERENCE.sub(_reference, body)
    return _RAW_CONTROL.sub(lambda found: chr(_STAND_INS + found[0][0]).encode(), body)


def _reference(found: re.Match[bytes]) -> bytes:
    if found[3] is not None:
        name = found[3].decode()
        text = html5.get(f"{name};", "")
        return (
            found[0]
            if name in _OWN
            else "".join(f"&#{ord(char)};" for char in text).encode() or b"&amp;" + found[0][1:]
        )
    if found[1] is None and found[2] is None:
        return b"&amp;"
    code = int(found[1], 16) if found[1] is not None else int(found[2])
    if _STAND_INS + code in _CONTROLS:
        return chr(_STAND_INS + code).encode()
    allowed = code in {9, 10, 13} or 0x20 <= code < 0xD800 or 0xDFFF < code < 0xFFFE or 0xFFFF < code < 0x110000  # noqa: PLR2004 - XML 1.0, Char
    return found[0] if allowed else "\N{REPLACEMENT CHARACTER}".encode()


@functools.cache
def _parser() -> etree.XMLParser:
    from lxml import etree  # noqa: PLC0415 - as above

    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
