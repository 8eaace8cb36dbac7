"""The errors of the YAML parser, for people who do not know the grammar of YAML.

The parser gives no codes, only English phrases. This is the one place that reads them.
"""

from __future__ import annotations

import re

BEGINS_WRONG = ("while scanning a quoted scalar", "while scanning a simple key", "while parsing a flow")
"""Contexts whose beginning is the mistake: libyaml notices an unclosed quote lines later."""

_NO_COLON = "could not find expected ':'"
_BRACKETS = ("{", "[")
_ITEM = "begin an item of a list with `- `"

_WORDS = {
    _NO_COLON: (
        "a line is neither `key: value` nor part of a text",
        "put a colon and a space after the key",
    ),
    "mapping values are not allowed": (
        "a colon is not allowed here",
        "indent the line like its neighbours, or put a text that contains a colon in quotes",
    ),
    "did not find expected key": (
        "a line does not fit the ones above it",
        "give all keys of one object the same indentation",
    ),
    "found unexpected ':'": ("a colon is not allowed here", "put a space after a key's colon"),
    "did not find expected '-' indicator": ("a list is followed by a line that is not an item", "begin it with `- `"),
    "did not find expected ',' or ']'": ("a list that begins with [ is not closed", "add the missing , or ]"),
    "did not find expected ',' or '}'": ("an object that begins with { is not closed", "add the missing , or }"),
    "found unexpected end of stream": ("a quote is never closed", None),
    "found unexpected document indicator": ("a quote is never closed", None),
    "found unknown escape character": (
        "a backslash in double quotes is followed by an unknown letter",
        "use single quotes, or write the backslash twice",
    ),
    "found invalid Unicode character escape code": (
        "a \\u escape is half of a character",
        "write the character itself, or \\U and its eight digits",
    ),
    "block sequence entries are not allowed": (
        "a list cannot begin on the line of its key",
        "begin the list on the next line, or put a text that begins with - in quotes",
    ),
    "mapping keys are not allowed": ("a value cannot begin with ?", "put the value in quotes"),
    "did not find expected comment or line break": (
        "text follows a | or > on one line",
        "begin the text on the next line, or put a value that begins with | or > in quotes",
    ),
    "did not find expected tag URI": ("unknown tag: the value begins with !", "put the text in quotes"),
    "found undefined tag handle": ("unknown tag: the value begins with !", "put the text in quotes"),
    "found incompatible YAML document": ("its %YAML line names a version other than 1.1 and 1.2", None),
    "did not find expected <document start>": ("text follows the end of the document", "put `---` between them"),
    "did not find expected alphabetic or numeric character": (
        "an & or * is not followed by a name",
        "put a text that begins with & or * in quotes",
    ),
}

_PURE_PYTHON = {
    "expected <block end>": "did not find expected key",
    "expected ',' or ']'": "did not find expected ',' or ']'",
    "expected ',' or '}'": "did not find expected ',' or '}'",
    "expected alphabetic or numeric": "did not find expected alphabetic or numeric character",
    "sequence entries are not allowed": "block sequence entries are not allowed",
    "expected '<document start>'": "did not find expected <document start>",
}
"""Phrases of the pure Python parser, used if libyaml is missing, and those of libyaml."""

_COMPLETE = re.compile(r"""(?:^|:|-)[ \t]+(?:\*\S+|\[.*\]|\{.*\}|'[^']*'|"[^"]*")[ \t]*$|&\S+[ \t]*$""")
"""The part of a line before a place where a value has ended: quotes, brackets, an alias or an anchor."""

_NEAR = 200
"""Characters before a place in which the end of a value is looked for."""

_FENCE = "```"
_QUOTE_ME = frozenset("@`%|>&*!{}[],?")


def in_plain_words(problem: str | None, text: str, line: int, column: int) -> tuple[str, str | None]:
    """Return what is wrong and a hint, for the phrase of the parser and its place (from 0)."""
    lines = text.splitlines()
    row = lines[line] if line < len(lines) else ""
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return "a tab is used as indentation; expected spaces", "replace the tab with spaces"
    if row.startswith(_FENCE):
        return "a line begins with ```, as in a page of Markdown", "remove the lines that begin with ```"
    problem = problem or "it cannot be read"
    problem = next((same for start, same in _PURE_PYTHON.items() if problem.startswith(start)), problem)
    if problem.startswith("did not find expected key") and _COMPLETE.search(row[max(0, column - _NEAR) : column]):
        return "more text follows a value that is complete", "put the whole value in quotes"
    for start, (words, hint) in _WORDS.items():
        if problem.startswith(start):
            return words, _ITEM if row.lstrip()[:1] in _BRACKETS and problem.startswith(_NO_COLON) else hint
    if "cannot start any token" in problem:
        character = row[column : column + 1]
        quoted = character in _QUOTE_ME
        return f"a value cannot begin with {character if quoted else 'this character'}", (
            "put the value in quotes" if quoted else None
        )
    return problem, None
