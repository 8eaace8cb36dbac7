"""What a plan says of another environment: sections of lines that every format shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from reconciler.model.comparison import ComparedObject, EnvironmentComparison, Promotion
from reconciler.model.plan import Plan
from reconciler.model.words import count, more
from reconciler.render import values

MOST = 20
"""Lines of a section that are shown in a terminal or a comment; the page and the document have all."""


class Section(Struct, frozen=True):
    """A heading with its lines."""

    heading: str
    lines: tuple[str, ...]


def heading(comparison: EnvironmentComparison) -> str:
    """Return the heading of all sections."""
    return f"Compared with environment {comparison.environment}"


def sections(plan: Plan, most: int | None = MOST) -> tuple[Section, ...]:
    """Return what to show of the comparison; empty where the plan has none."""
    found = plan.comparison
    if found is None:
        return ()
    here = plan.environment or "the project without an environment"
    there = found.environment
    all_of = [
        ("Expected to differ", [*_settings(found, there, expected=True), *_fields(found, there)]),
        ("Not expected to differ", [*_settings(found, there, expected=False), *_only(found, here)]),
        (f"Not promoted: applied to {there}, not to {here}", [*_standing(found, "not-promoted")]),
        (f"Not tried: applied neither to {there} nor to {here}", [*_standing(found, "not-tried")]),
        (f"Ahead: applied to {here}, not to {there}", [*_standing(found, "ahead", fields=False)]),
    ]
    shown = [Section(title, _cut(lines, most)) for title, lines in all_of if lines]
    waiting = any(item.promotion != "promoted" for item in found.objects)
    if not waiting:
        shown.append(Section(f"Everything that is applied to {there} is applied to {here}", (_promoted(found),)))
    return tuple(shown)


def _promoted(found: EnvironmentComparison) -> str:
    return f"{count(found.promoted, 'object')} applied as declared in each"


def _settings(found: EnvironmentComparison, there: str, *, expected: bool) -> Iterator[str]:
    for item in found.settings:
        if item.expected is expected:
            yield _differs(item.name, item.here, item.there, there, str)


def _fields(found: EnvironmentComparison, there: str) -> Iterator[str]:
    for item in found.objects:
        for pair in item.fields:
            yield _differs(f"{item.address} {pair.path}", pair.here, pair.there, there, values.words)


def _differs(name: str, here: Any, other: Any, there: str, words: Callable[[Any], str]) -> str:
    left, right = ("not set" if value is None else words(value) for value in (here, other))
    return f"{name}: {left} here, {right} in {there}"


def _only(found: EnvironmentComparison, here: str) -> Iterator[str]:
    for item in found.objects:
        if item.declared != "both":
            yield f"{item.address} is declared only in {here if item.declared == 'here' else found.environment}"


def _standing(found: EnvironmentComparison, promotion: Promotion, *, fields: bool = True) -> Iterator[str]:
    for item in found.objects:
        if item.promotion == promotion:
            yield f"{item.address}: {_what(item)}" if fields else str(item.address)


def _what(item: ComparedObject) -> str:
    return ", ".join(item.pending) or "the whole object"


def _cut(lines: list[str], most: int | None) -> tuple[str, ...]:
    if most is None or len(lines) <= most:
        return tuple(lines)
    return (*lines[:most], f"{more(len(lines) - most, 'line')}: the JSON document has all")
