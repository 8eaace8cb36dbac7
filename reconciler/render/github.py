"""Problems as workflow commands of GitHub: annotations on the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model.codes import number
from reconciler.model.objects import Severity
from reconciler.model.place import Placed
from reconciler.model.words import plural
from reconciler.render.safe import visible

MOST = 10
"""Annotations of each severity that GitHub shows for one step; it drops the others without a message."""

_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def commands(found: Iterable[Placed]) -> str:
    """Return a line for each problem, errors first, at most as many as GitHub shows: the last one counts the rest."""
    problems = tuple(found)
    lines: list[str] = []
    for severity in ("error", "warning"):
        kind: Severity = severity
        same = [item for item in problems if item.problem.severity == kind]
        shown = same if len(same) <= MOST else same[: MOST - 1]
        lines += [_annotation(item) for item in shown]
        hidden = len(same) - len(shown)
        if hidden:
            words = f"{hidden} more {plural(hidden, kind)}. GitHub shows {MOST} per step; the log has all of them."
            lines.append(_command(kind, {"title": "reconciler"}, words))
    return "".join(f"{line}\n" for line in lines)


def _annotation(item: Placed) -> str:
    problem, place = item.problem, item.place
    properties: dict[str, str | int] = {}
    if place is not None:
        properties = {"file": place.file, "line": place.line, "col": place.column}
        properties |= {"endLine": place.line, "endColumn": place.end_column}
    code = " ".join(each for each in (number(problem.code), problem.code) if each)
    title = f"{code}: {problem.address}" if problem.address is not None else code
    words = visible(problem.summary)
    if place is None and problem.where is not None:
        words = f"{visible(str(problem.where))}: {words}"
    if problem.hint:
        words += f"\nhint: {visible(problem.hint)}"
    return _command(problem.severity, {**properties, "title": title}, words)


def _command(kind: str, properties: Mapping[str, str | int], words: str) -> str:
    """Return one command: each value escaped, so that no value can end it or begin another one."""
    shown = ",".join(f"{name}={visible(str(value)).translate(_IN_PROPERTY)}" for name, value in properties.items())
    return f"::{kind} {shown}::{words.translate(_IN_DATA)}"
