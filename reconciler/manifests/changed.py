"""Which objects two versions of a file declare differently. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping

from msgspec import Struct

from reconciler.manifests.load import Document, load_bytes
from reconciler.manifests.moves import REMOVED
from reconciler.model.objects import Address

_TEMPLATE = "{{"
_VALUES = re.compile(r"\bvalues\b(?:\s*\.\s*(\w+)|\s*\[\s*\\*['\"](\w+)\\*['\"]\s*\])?")
"""A use of the values in a template; without a name where the name is computed."""


class Touched(Struct, frozen=True, kw_only=True):
    """The objects that differ between two versions of some files."""

    addresses: frozenset[Address]
    """The objects whose documents differ, exist in one version only, or that `Removed` documents name."""
    files: frozenset[str] = frozenset()
    """The files of which every object may differ: a template makes the name of one that does."""
    nameless: bool = False
    """Whether the earlier version may have declared objects that cannot be named."""


def touched(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Touched:
    """Compare two versions of some files, document by document, by what they say: in which file does not count."""
    old, unread = _documents(before)
    new, _ = _documents(after)
    alike = Counter(text for _, text, _ in old) & Counter(text for _, text, _ in new)
    differing: set[Address] = set()
    files: list[set[str]] = [set(), set()]
    for side, documents in enumerate((old, new)):
        left = Counter(alike)
        for file, text, document in documents:
            if left[text]:
                left[text] -= 1
                continue
            names = _named(document)
            differing |= names
            files[side] |= set() if names else {file}
    return Touched(
        addresses=frozenset(differing), files=frozenset(files[0] | files[1]), nameless=unread or bool(files[0])
    )


def using(files: Mapping[str, bytes], keys: Collection[str] | None) -> Touched:
    """Return the objects of files whose templates use one of these values; None is any value."""
    found = [(file, _named(item)) for file, text, item in _documents(files)[0] if _uses(text, keys)]
    return Touched(
        addresses=frozenset().union(*(names for _, names in found)),
        files=frozenset(file for file, names in found if not names),
    )


def changed_keys(before: bytes | None, after: bytes) -> frozenset[str] | None:
    """Return the values whose content differs between two versions of a values file; None where that is not known."""
    (old, unread), (new, _) = _documents({} if before is None else {"": before}), _documents({"": after})
    if unread or len(old) > 1 or len(new) > 1:
        return None
    first, second = (documents[0][2].data if documents else {} for documents in (old, new))
    return frozenset(key for key in first.keys() | second.keys() if first.get(key, ...) != second.get(key, ...))


def _documents(files: Mapping[str, bytes]) -> tuple[list[tuple[str, str, Document]], bool]:
    """Return the documents of files, each with its file and what it says, and whether a part could not be read."""
    found, unread = [], False
    for file, content in files.items():
        loaded = load_bytes(content, file)
        unread = unread or any(problem.severity == "error" for problem in loaded.problems)
        found += [(file, _text(item), item) for item in loaded.documents if isinstance(item.data, dict)]
    return found, unread


def _text(document: Document) -> str:
    return json.dumps(document.data, sort_keys=True, default=str)


def _named(document: Document) -> frozenset[Address]:
    """Return the objects that a document is about; empty where a template makes the name."""
    if document.kind == REMOVED:
        spec = document.data.get("spec")
        listed = spec.get("forget") if isinstance(spec, dict) else None
        return frozenset(filter(None, map(_address, listed if isinstance(listed, list) else ())))
    address = document.address
    return frozenset() if address is None or _TEMPLATE in str(address) else frozenset({address})


def _address(text: object) -> Address | None:
    try:
        return Address.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _uses(text: str, keys: Collection[str] | None) -> bool:
    if _TEMPLATE not in text:
        return False
    names = {one or other or None for one, other in _VALUES.findall(text)}
    return bool(names) and (keys is None or None in names or not names.isdisjoint(keys))
