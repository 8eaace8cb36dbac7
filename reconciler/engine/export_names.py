"""Names for live objects: readable, valid as `metadata.name`, and independent of the order of a list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

LONGEST = 63
"""Characters of `metadata.name` (the contract, manifests)."""

_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
_APOSTROPHES = re.compile(r"(?<=\w)['\u2019`](?=s\b)")
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return a text in lower-case letters, digits and hyphens, other scripts transliterated; may be empty."""
    from anyascii import anyascii  # noqa: PLC0415 - its tables, which only an export needs

    plain = _MARKUP.sub(" ", text)
    plain = plain if plain.strip() else text
    plain = _APOSTROPHES.sub("", plain).replace("&", " and ")
    # A lone surrogate is no character; and names may be as long as a server lets them.
    spelled = anyascii(plain.encode("utf-8", "replace").decode("utf-8")[: 4 * LONGEST])
    return fitted(_OTHER.sub("-", spelled.lower()).strip("-"), LONGEST)


def fitted(name: str, limit: int) -> str:
    """Shorten a name to `limit` characters, between two words where that keeps most of it."""
    if len(name) <= limit:
        return name
    cut = name[: limit + 1]
    at = cut.rfind("-")
    return (cut[:at] if at > limit // 2 else cut[:limit]).strip("-")


def unique(
    slugs: Mapping[str, str], unnamed: Collection[str], fallback: str, taken: Collection[str], *, secret: bool = False
) -> dict[str, str]:
    """Return a name for each `unnamed` id: its slug, with the id behind it where several have one slug or it is taken.

    `slugs` are those of all live objects, named ones too: every other object of a shared slug gets its id, so that
    no name depends on which came first. `fallback` replaces an empty slug. A `secret` id is never part of a name: a
    number replaces it.
    """
    shared = Counter(slugs.values())
    used = set(taken)
    names: dict[str, str] = {}
    for number, remote_id in enumerate(sorted(unnamed, key=lambda each: (len(each), each)), start=1):
        tail = str(number) if secret else slug(remote_id)
        base = slugs[remote_id] or fallback
        name = base if slugs[remote_id] and shared[base] == 1 else _joined(base, tail)
        turn = 1
        while name in used:
            name = _joined(base, tail if turn == 1 else f"{tail}-{turn}")
            turn += 1
        used.add(name)
        names[remote_id] = name
    return names


def _joined(base: str, tail: str) -> str:
    return f"{fitted(base, LONGEST - len(tail) - 1)}-{tail}".strip("-")
