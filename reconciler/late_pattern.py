"""Patterns that are compiled when they are first used.

A plan imports a hundred of them, at 0.1 ms each, and needs every third.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module
if TYPE_CHECKING:
    from typing import Any, AnyStr


def late_pattern(expression: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what `re.compile` returns, for a name at the top of a module that a plan imports."""
    return _Late(expression, flags)  # type: ignore[return-value] # it has all that a pattern has


class _Late:
    def __init__(self, expression: str | bytes, flags: int) -> None:
        self._expression, self._flags = expression, flags
        self._compiled: re.Pattern[Any] | None = None

    def __getattr__(self, name: str) -> object:
        self._compiled = self._compiled or re.compile(self._expression, self._flags)
        found: object = getattr(self._compiled, name)
        setattr(self, name, found)  # the next use finds it without this method
        return found
