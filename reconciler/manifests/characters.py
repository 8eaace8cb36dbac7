"""Characters in manifests that cannot be sent: found before anything is sent, each at its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reconciler.manifests.explain import Path, label
from reconciler.manifests.scalars import shown
from reconciler.model.objects import Address, Positions, Problem


def character_problems(
    data: Any, positions: Positions, unwritable: re.Pattern[str], address: Address | None = None
) -> Iterator[Problem]:
    """Report every text and key of a document that contains an `unwritable` character."""
    for path, text, is_key in _texts(data, ()):
        found = unwritable.search(text)
        if found is not None:
            field = label(path[1:] if path[:1] == ("spec",) and len(path) > 1 else path)
            what = f"the key {shown(text)}" if is_key else f"{field or 'the document'} is {shown(text)}; it"
            yield Problem(
                code="character",
                summary=f"{what} contains U+{ord(found[0]):04X}, which cannot be sent; expected text without it",
                hint="remove the character, or its escape in double quotes",
                where=positions.locate(path, key=is_key),
                address=address,
            )


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str, bool]]:
    """Yield (path, text, whether it is a key) for every text."""
    if isinstance(value, str):
        yield path, value, False
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key), key, True
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
