"""Problems for a terminal: one line each, then the line of the file with the value marked, then what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import cycle, groupby

from rich.console import Console

from reconciler.model.codes import tag
from reconciler.model.objects import Problem, problem_order
from reconciler.model.words import count, listed
from reconciler.render import marks
from reconciler.render.excerpt import WIDEST, excerpt
from reconciler.render.wrapping import say

MOST = 20
"""Problems that are shown; the rest is counted."""

ALIKE = 4
"""Objects that are named where the same is wrong with more of them."""

ALIKE = 4
"""Objects that are named where the same is wrong with more of them."""

LISTED = "--format json lists all"
HELP = "= help:"


def problems(
    console: Console, problems: Iterable[Problem], *, verbose: bool = False, most: int = MOST, all_by: str = LISTED
) -> None:
    """Write each problem as `FILE:LINE:COLUMN: KIND/NAME: … [CODE]`, then its source line and its hint.

    The place comes first, so that editors and CI annotations find it; only a warning says what it is. Unless `verbose`,
    what is wrong with many objects is one problem, and of many problems the first errors are shown; `all_by` says how
    to see all.
    """
    found = sorted(problems, key=problem_order)
    said = [(problem, 1) for problem in found] if verbose else _together(found)
    if not verbose and len(said) > most:
        ranked = sorted(said, key=lambda each: each[0].severity != "error")
        said = sorted(ranked[:most], key=lambda each: problem_order(each[0]))
    for _, group in groupby((problem for problem, _ in said), _line):
        _group(console, tuple(group))
    left = len(found) - sum(number for _, number in said)
    if left:
        say(console, f"and {count(left, 'more problem', 'more problems')}; {all_by}")


def _together(found: Iterable[Problem]) -> list[tuple[Problem, int]]:
    """Return each problem with the number of those that it stands for.

    A connection that leads elsewhere is one problem, not three hundred. What has its own line of a file to show stays.
    """
    same: dict[object, list[Problem]] = {}
    for problem in found:
        alone = problem.address is None or (problem.where is not None and problem.where.quote is not None)
        same.setdefault(id(problem) if alone else (problem.code, problem.severity, problem.summary), []).append(problem)
    said = []
    for alike in same.values():
        if len(alike) <= ALIKE:
            said += [(problem, 1) for problem in alike]
            continue
        hint, named = alike[0].hint, listed([str(problem.address) for problem in alike], ALIKE)
        if hint and any(problem.hint != hint for problem in alike):
            hint = f"{hint} (for the others likewise)"
        said.append(
            (replace(alike[0], summary=f"{named}: {alike[0].summary}", hint=hint, where=None, address=None), len(alike))
        )
    return sorted(said, key=lambda each: problem_order(each[0]))


def _line(problem: Problem) -> tuple[object, ...]:
    """Return what problems of one source line have in common."""
    where = problem.where
    return (id(problem),) if where is None or where.quote is None else (where.path, where.line)


def _group(console: Console, group: Sequence[Problem]) -> None:
    for problem in group:
        mark = marks.SEVERITIES[problem.severity]
        parts = [str(part) for part in (problem.where, problem.address) if part is not None]
        named = "".join(f"{part}: " for part in parts)
        word = f"{mark.label}: " if problem.severity == "warning" or not parts else ""
        number = (f" [{tag(problem.code)}]", "dim")
        say(console, (named, "bold"), (word, f"bold {mark.style}"), problem.summary, number)
    places = [problem.where for problem in group if problem.where is not None]
    width = console.width if console.is_terminal else WIDEST
    lines = excerpt(places, width, console.encoding) if places else ()
    style = marks.SEVERITIES[group[0].severity].style
    for (gutter, text), look in zip(lines, cycle(("", f"bold {style}"))):
        say(console, (gutter, "blue"), (text, look))
    hints: dict[str, Problem] = {}
    for problem in group:
        if problem.hint:
            hints.setdefault(problem.hint, problem)
    for hint, problem in hints.items():
        column = f" (column {problem.where.column})" if len(group) > 1 and problem.where is not None else ""
        say(console, (f"  {HELP}", "cyan"), f" {hint}{column}")
    if lines:
        say(console)
