"""What a server says is wrong with one field of an object that it refuses, and which field of the manifest that is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

_STEP = re.compile(r"[A-Za-z_][\w-]*")
_BETWEEN = re.compile(r"[\s_-]+")
_PARTS = re.compile(r"[;:,\n]+|\band\b")
_QUOTED = re.compile(r"[\"'`]([A-Za-z_][\w -]*)[\"'`]")


class Complaint(Struct, frozen=True):
    """One sentence of a refusal."""

    words: str
    name: str | None = None
    """What the answer is about by its structure, such as the key `price`; None for a sentence alone."""


def rejected(
    complaints: Iterable[Complaint], fields: Collection[str], called: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield each field that a refusal names, once, with what the server says of it.

    `fields` are those of the kind; `called` is what the server calls some of them, by its name.
    """
    known = {_plain(name): name for name in fields} | {_plain(other): name for other, name in called.items()}
    found: dict[str, str] = {}
    for complaint in complaints:
        for name in _named(complaint.name, known) if complaint.name else _in_words(complaint.words, known):
            found.setdefault(name, complaint.words)
    yield from found.items()


def _named(name: str, known: Mapping[str, str]) -> list[str]:
    """Return the field that a key or pointer names by its last known step: `session[price]`, `/data/price`."""
    steps = [known[plain] for step in _STEP.findall(name) if (plain := _plain(step)) in known]
    return steps[-1:] or ([known[plain]] if (plain := _plain(name)) in known else [])


def _in_words(words: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the fields that a sentence names: at its beginning, after a comma or colon, in quotes, or with a `_`."""
    longest_first = sorted(known, key=lambda name: (-len(name), name))
    for part in _PARTS.split(words):
        plain = f"{_plain(part)} "
        yield from [known[name] for name in longest_first if plain.startswith(f"{name} ")][:1]
    for match in _QUOTED.finditer(words):
        if (plain := _plain(match[1])) in known:
            yield known[plain]
    for word in words.split():
        if "_" in word and (plain := _plain(word.strip("\"'`.,:;()"))) in known:
            yield known[plain]


def _plain(name: str) -> str:
    """Return a name as people write it: `max_num_bookings` is `max num bookings`."""
    return _BETWEEN.sub(" ", name).strip().lower()
