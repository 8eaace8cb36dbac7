"""Cutting a file into its documents, so that a broken one does not hide the others."""

from __future__ import annotations

import re

_DOCUMENT_START = re.compile(r"^\ufeff?---(?=\s|$)", re.MULTILINE)
_CONTENT = re.compile(r"^(?!%|(?:---)?[^\S\n]*$|[^\S\n]*#)", re.MULTILINE)
_OWN_START = re.compile(r"\A(\s*)---(?=\s)")


def chunks(text: str) -> list[tuple[int, str]]:
    """Cut a file at its `---` lines: (number of lines before, text), directives with their document."""
    starts, looked = [0], 0
    for match in _DOCUMENT_START.finditer(text):
        if match.start() and _CONTENT.search(text, looked, match.start()):
            starts.append(match.start())
        looked = match.start()
    chunks, line = [], 0
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chunks.append((line, text[begin:end]))
        line += line_breaks(text[begin:end])
    return chunks


def document_marks(text: str) -> int:
    """Return the number of lines that begin a document."""
    return len(_DOCUMENT_START.findall(text)) if text.count("---") else 0


def line_breaks(text: str) -> int:
    """Return the number of line breaks, of all three kinds that YAML knows in files."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def without_start(text: str) -> str:
    """Return a document with blanks in place of the `---` that begins it, so that its places stay the same."""
    return _OWN_START.sub(r"\1   ", text)
