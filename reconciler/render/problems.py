"""Problems for a terminal: one line each, then the line of the file with the value marked, then what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle, groupby

from rich.console import Console

from reconciler.model.codes import tag
from reconciler.model.objects import Problem, problem_order
from reconciler.model.words import count
from reconciler.render import marks
from reconciler.render.excerpt import WIDEST, excerpt
from reconciler.render.wrapping import say

MOST = 20
"""Problems that are shown; the rest is counted."""

LISTED = "--format json lists all"
HELP = "= help:"


def problems(
    console: Console, problems: Iterable[Problem], *, verbose: bool = False, most: int = MOST, all_by: str = LISTED
) -> None:
    """Write each problem as `FILE:LINE:COLUMN: KIND/NAME: … [CODE]`, then its source line and its hint.

    The place comes first, so that editors and CI annotations find it; only a warning says what it is. Of many, the
    first errors are shown, unless `verbose`; `all_by` says how to see all.
    """
    found = sorted(problems, key=problem_order)
    ranked = sorted(found, key=lambda problem: problem.severity != "error")
    shown = found if verbose or len(found) <= most else sorted(ranked[:most], key=problem_order)
    for _, group in groupby(shown, _line):
        _group(console, tuple(group))
    if len(shown) < len(found):
        say(console, f"and {count(len(found) - len(shown), 'more problem', 'more problems')}; {all_by}")


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
    for hint, problem in {problem.hint: problem for problem in reversed(group) if problem.hint}.items():
        column = f" (column {problem.where.column})" if len(group) > 1 and problem.where is not None else ""
        say(console, (f"  {HELP}", "cyan"), f" {hint}{column}")
    if lines:
        say(console)
