"""Problems for a terminal: one line each, then the line of the file with the value marked, then what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import cycle, groupby

from reconciler import commands
from reconciler.model.codes import tag
from reconciler.model.objects import Problem, SourceRef, problem_order
from reconciler.model.words import count, listed
from reconciler.render import marks
from reconciler.render.console import Console, say

MOST = 20
"""Problems that have their source line and hint. Each error beyond is one line; warnings beyond are counted."""

ALIKE = 4
"""Objects that are named where the same is wrong with more of them."""

IN_FILES = ("RC01", "RC02", "RC03", "RC04")
"""How the numbers of problems begin that are in the files of a project, not in what was read or planned."""

LISTED = "--format json lists all"
HELP = "= help:"


def problems(
    console: Console, problems: Iterable[Problem], *, verbose: bool = False, most: int = MOST, all_by: str = LISTED
) -> None:
    """Write each problem as `FILE:LINE:COLUMN: KIND/NAME: … [CODE]`, then its source line and its hint.

    The place comes first, so that editors and CI annotations find it; only a warning says what it is. Unless `verbose`,
    what is wrong with many objects outside of their manifests is one problem, and of many problems the first errors
    have their source line; `all_by` says how to see the warnings that are left out.
    """
    found = sorted(problems, key=problem_order)
    said = [(problem, 1) for problem in found] if verbose else _together(found)
    rest: list[tuple[Problem, int]] = []
    if not verbose and len(said) > most:
        ranked = sorted(said, key=lambda each: each[0].severity != "error")
        said, rest = sorted(ranked[:most], key=lambda each: problem_order(each[0])), ranked[most:]
    for _, group in groupby((problem for problem, _ in said), _line):
        _group(console, tuple(group))
    for problem, _ in rest:
        if problem.severity == "error":
            _sentence(console, problem)
    left = sum(number for problem, number in rest if problem.severity != "error")
    if left:
        say(console, f"and {count(left, 'more warning', 'more warnings')}; {all_by}")


def _together(found: Iterable[Problem]) -> list[tuple[Problem, int]]:
    """Return each problem with the number of those that it stands for.

    A connection that leads elsewhere is one problem, not three hundred. What is wrong in a manifest stays at its place.
    """
    same: dict[object, list[Problem]] = {}
    for problem in found:
        quoted = problem.where is not None and problem.where.quote is not None
        alone = problem.address is None or quoted or tag(problem.code).startswith(IN_FILES)
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


def _sentence(console: Console, problem: Problem) -> None:
    mark = marks.SEVERITIES[problem.severity]
    parts = [str(part) for part in (problem.where, problem.address) if part is not None]
    named = "".join(f"{part}: " for part in parts)
    word = f"{mark.label}: " if problem.severity == "warning" or not parts else ""
    say(console, (named, "bold"), (word, f"bold {mark.style}"), problem.summary, (f" [{tag(problem.code)}]", "dim"))


def _group(console: Console, group: Sequence[Problem]) -> None:
    for problem in group:
        _sentence(console, problem)
    places = [problem.where for problem in group if problem.where is not None]
    lines = _excerpt(console, places) if places else ()
    style = marks.SEVERITIES[group[0].severity].style
    for (gutter, text), look in zip(lines, cycle(("", f"bold {style}"))):
        say(console, (gutter, "blue"), (commands.kept(text), look))
    hints: dict[str, Problem] = {}
    for problem in group:
        if problem.hint:
            hints.setdefault(problem.hint, problem)
    for hint, problem in hints.items():
        column = f" (column {problem.where.column})" if len(group) > 1 and problem.where is not None else ""
        say(console, (f"  {HELP}", "cyan"), f" {hint}{column}")
    if lines:
        say(console)


def _excerpt(console: Console, places: Sequence[SourceRef]) -> tuple[tuple[str, str], ...]:
    from reconciler.render.excerpt import WIDEST, excerpt  # noqa: PLC0415 - rich, which a run without problems needs not

    return excerpt(places, console.width if console.is_terminal else WIDEST, console.encoding)
