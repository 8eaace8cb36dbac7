"""Equal texts as one object: thousands of objects repeat their keys and most of their values.

What is declared, recorded and live says the same three times, and each reader builds its own texts.
"""

from __future__ import annotations

from sys import intern
from typing import Any


def shared(value: Any) -> Any:
    """Return an equal JSON value whose keys and texts exist once in this process, as long as they are used."""
    kind = type(value)
    if kind is str:
        return intern(value)
    if kind is dict:
        return {
            intern(key) if type(key) is str else key: intern(item) if type(item) is str else shared(item)
            for key, item in value.items()
        }
    if kind is list:
        return [shared(item) for item in value]
    return value
