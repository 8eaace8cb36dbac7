"""One comment of a pull request that is updated in place, and one issue that is opened, updated and closed.

Each is found by a hidden marker and by its author: a marker that someone else wrote is not followed.
"""

from __future__ import annotations

import re

from reconciler.forge.base import Forge

_FENCE = re.compile(r"`+")


def marker(key: str) -> str:
    """Return the first line of a comment or issue, which no reader sees."""
    name = re.sub(r"[^A-Za-z0-9_./]+", "-", key).strip("-")
    return f"<!-- reconciler: {name} -->"


def body(key: str, page: str, run: str | None, longest: int) -> str:
    """Return the text of a comment or issue; a page that is too long is replaced by the way to it."""
    tail = f"\n\n[Run]({run})\n" if run else "\n"
    whole = f"{marker(key)}\n{page.strip()}{tail}"
    if len(whole) <= longest:
        return whole
    where = "the summary of the run" if run else "the output of the run"
    heading = next((line for line in page.splitlines() if line.startswith("#")), "## reconciler")
    return f"{marker(key)}\n{heading[:_HEADING]}\n\nThe page is too long for a comment. It is in {where}.{tail}"


_HEADING = 300


def failed_page(title: str, log: str) -> str:
    """Return the page of a run that ended without one: its log, in a block that the log cannot end."""
    longest = max((len(run) for run in _FENCE.findall(log)), default=0)
    fence = "`" * max(3, longest + 1)
    words = log.strip() or "The run ended without a message."
    return f"## {title}\n\n{fence}text\n{words[-_LOG:]}\n{fence}"


_LOG = 20_000
"""Characters of a log that are shown: its end."""


def comment(forge: Forge, number: int, key: str, text: str) -> bool:
    """Write the comment of a pull request, or update it; return whether it is new."""
    found = next((note for note in forge.notes(number) if note.mine and note.body.startswith(marker(key))), None)
    if found is None or found.body.strip() != text.strip():
        forge.write_note(number, text, None if found is None else found.number)
    return found is None


def open_issue(forge: Forge, key: str, title: str, text: str) -> str:
    """Open the issue, or update the one that is open; return its address."""
    found = _issues(forge, key)
    return forge.write_issue(title, text, found[0] if found else None)


def close_issues(forge: Forge, key: str, words: str) -> list[int]:
    """Close the issue if it is open; return the numbers of those closed."""
    found = _issues(forge, key)
    for number in found:
        forge.close_issue(number, words)
    return found


def _issues(forge: Forge, key: str) -> list[int]:
    return [note.number for note in forge.issues() if note.mine and note.body.startswith(marker(key))]
