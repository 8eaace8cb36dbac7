"""Objects that change in the same way, as one line: `398 sessions: price 10.00 → 12.00`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from reconciler.model.change import EDITING, Change
from reconciler.model.report import Drifted, Outcome
from reconciler.model.words import count
from reconciler.render import marks, phrases, rows

NAMED = 4
"""Fields of one change that a line names."""


class Line(Struct, frozen=True, kw_only=True):
    """One object in a list."""

    address: str
    label: str
    kind: str
    verb: str
    """What happens to it, or happened: `update`, `created`."""
    steps: tuple[str, ...] = ()
    """What changes, before and after: `price 10.00 → 12.00`."""
    note: str = ""
    """What else there is to say, for people."""

    @property
    def words(self) -> str:
        """What changes, in one line."""
        return _listed(self.steps)

    @property
    def fields(self) -> str:
        """The names of what changes."""
        return _listed(dict.fromkeys(step.partition(" ")[0] for step in self.steps))


class Group(Struct, frozen=True, kw_only=True):
    """Objects of one kind to which the same happens."""

    verb: str
    kind: str
    words: str
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        """`398 sessions`."""
        return f"{_number(len(self.lines), self.kind)}"


def of_change(change: Change) -> Line:
    """Return a planned change as a line."""
    shown = rows.of_change(change.action, change.fields, zone=change.zone)
    return Line(
        address=str(change.address),
        label=phrases.label(change),
        kind=change.address.kind,
        verb=marks.mark(change).label,
        steps=_steps(shown) if change.action in EDITING else (),
        note=change.reason,
    )


def of_outcome(outcome: Outcome) -> Line:
    """Return what became of a change as a line."""
    return Line(
        address=str(outcome.address),
        label=phrases.label(outcome),
        kind=outcome.address.kind,
        verb=phrases.done(outcome) if outcome.state == "applied" else outcome.state,
        steps=_steps(rows.of_outcome(outcome)),
        note=phrases.outcome_words(outcome),
    )


def of_drifted(item: Drifted) -> Line:
    """Return what drift found of an object as a line."""
    return Line(
        address=str(item.address),
        label=phrases.label(item),
        kind=item.address.kind,
        verb=marks.SYNCS[item.status].label,
        steps=_steps(rows.of_drift(item)),
        note=phrases.drifted_words(item),
    )


def by_words(lines: Iterable[Line]) -> tuple[Group, ...]:
    """Group objects in which the same changes from the same to the same; the largest group first."""
    return _grouped((line, line.words) for line in lines)


def by_fields(lines: Iterable[Line]) -> tuple[Group, ...]:
    """Group as `by_words` does, and objects that are alone there by the fields that change in them."""
    found = by_words(lines)
    alone = [group.lines[0] for group in found if len(group.lines) == 1]
    together = [group for group in found if len(group.lines) > 1]
    return _largest_first([*together, *_grouped((line, line.fields) for line in alone)])


def by_kind(lines: Iterable[Line]) -> tuple[Group, ...]:
    """Group objects of one kind to which the same happens."""
    return _grouped((line, "") for line in lines)


def _grouped(lines: Iterable[tuple[Line, str]]) -> tuple[Group, ...]:
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line, words in lines:
        found.setdefault((line.verb, line.kind, words), []).append(line)
    made = [
        Group(verb=verb, kind=kind, words=words, lines=tuple(members)) for (verb, kind, words), members in found.items()
    ]
    return _largest_first(made)


def _largest_first(found: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(sorted(found, key=lambda group: -len(group.lines)))


def _steps(shown: rows.Rows) -> tuple[str, ...]:
    return tuple(f"{row.label} {row.step}" for row in (*shown.fields, *shown.slots, *shown.rest))


def _listed(items: Iterable[str]) -> str:
    given = list(items)
    hidden = len(given) - NAMED
    return ", ".join(given[:NAMED]) + (f" and {hidden} more" if hidden > 0 else "")


def _number(number: int, kind: str) -> str:
    """Return `398 sessions`, `1 booking session`."""
    return f"{number:,} {count(number, re.sub(r'(?<!^)(?=[A-Z])', ' ', kind).lower()).partition(' ')[2]}"
