"""A file that a command changes."""

from __future__ import annotations

import difflib


def unified(shown: str, before: bytes, after: bytes) -> str:
    """Return the difference of two UTF-8 texts, as `git diff` shows it; `shown` is the name of the file."""
    old, new = (each.decode("utf-8").splitlines(keepends=True) for each in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{shown}", f"b/{shown}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
