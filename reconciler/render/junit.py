"""What `validate` found as JUnit XML: one test case for each file, failed where it has errors."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from reconciler.model.characters import NOT_XML
from reconciler.model.place import Placed
from reconciler.render import phrases
from reconciler.render.safe import escaped, visible

_NO_FILE = "project"


def junit(found: Iterable[Placed]) -> str:
    """Return the XML text. A file without problems is not named, so a valid project is one case that passed."""
    by_file: dict[str, list[Placed]] = {}
    for item in found:
        by_file.setdefault(item.place.file if item.place is not None else _NO_FILE, []).append(item)
    cases = [case for file, items in (by_file or {_NO_FILE: []}).items() for case in _cases(file, items)]
    failed = sum(case.startswith("    <testcase") and "<failure " in case for case in cases)
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0"'
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="reconciler validate" {counts}>',
            f'  <testsuite name="reconciler validate" {counts} skipped="0">',
            *cases,
            "  </testsuite>",
            "</testsuites>",
            "",
        )
    )


def _cases(file: str, items: list[Placed]) -> list[str]:
    """Return a case for each error of a file, and one that passed where it has none, with its warnings."""
    errors = [item for item in items if item.problem.severity == "error"]
    warnings = "\n".join(_words(item) for item in items if item.problem.severity != "error")
    output = f"<system-out>{_text(warnings)}</system-out>" if warnings else ""
    if not errors:
        return [f"    <testcase {_attributes(classname=file, name='valid')}>{output}</testcase>"]
    cases = []
    for number, item in enumerate(errors):
        place = {} if item.place is None else {"file": item.place.file, "line": str(item.place.line)}
        name = _name(item)
        stated = _attributes(type=item.problem.code, message=item.problem.summary)
        failure = f"<failure {stated}>{_text(_words(item))}</failure>"
        rest = output if number == 0 else ""
        cases.append(f"    <testcase {_attributes(classname=file, name=name, **place)}>{failure}{rest}</testcase>")
    return cases


def _name(item: Placed) -> str:
    """Return what tells the errors of one file apart."""
    place = "" if item.place is None else f" {item.place.line}:{item.place.column}"
    return f"{item.problem.address or item.problem.code}{place}"


def _words(item: Placed) -> str:
    hint = f"\nhint: {visible(item.problem.hint)}" if item.problem.hint else ""
    return f"{item.problem.severity}: {visible(phrases.problem(item.problem))}{hint}"


def _attributes(**values: str) -> str:
    return " ".join(f"{name}={quoteattr(_carried(value))}" for name, value in values.items())


def _carried(text: str) -> str:
    """Return a text that XML can carry: what it cannot becomes an escape that a reader sees."""
    return NOT_XML.sub(lambda match: escaped(match[0]), visible(text))


def _text(words: str) -> str:
    return escape("\n".join(map(_carried, words.split("\n"))))
