"""`{{ values.NAME }}` in manifests: rendered after parsing, value by value.

Rendering before parsing would let a value change the document's structure and lose every place. Rendered text is never
rendered again. This module is imported only where a text contains `{{`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jinja2

from reconciler.manifests.explain import label
from reconciler.manifests.expressions import Budget, Exhausted, evaluate
from reconciler.manifests.load import Document
from reconciler.manifests.template_functions import Refused
from reconciler.model.objects import Problem, SourceRef

MAX_TEMPLATES = 5_000
"""Maximum number of templates in one document."""

_EXPRESSION = re.compile(r"\{\{.*?\}\}")
_LOOKED_AGAIN = 10_000
"""Steps that one expression may take when it is computed alone, to find the one that failed."""

Path = tuple[str | int, ...]


def render(
    document: Document, names: Mapping[str, object], budget: Budget | None = None, failed: set[SourceRef] | None = None
) -> tuple[Document, list[Problem]]:
    """Return the document with every string that holds `{{` rendered. `names` are the values for templates.

    A string that is one whole expression becomes the expression's value with its type. Any other string stays text, in
    which a value is spelled as it was written. What cannot be rendered is a problem at its place, and stays as it is.
    `budget` is what all documents of a run may take together; where nothing is left of it, that is one problem.
    The places of the values that could not be rendered are added to `failed`.
    """
    problems: list[Problem] = []
    failed = set() if failed is None else failed
    budget = budget or Budget()
    count = 0

    def visit(value: Any, path: Path) -> Any:
        nonlocal count
        if isinstance(value, str):
            if "{{" not in value or count > MAX_TEMPLATES or budget.is_reported:
                return value
            count += 1
            try:
                return _rendered(value, names, count, budget)
            except Refused as error:
                budget.is_reported = isinstance(error, Exhausted)
                where = document.positions.locate(path)
                failed.add(where)
                summary, place = f"{label(path)}: {error}", _expression_at(where, value, names, budget)
                problems.append(Problem(code="template", summary=summary, where=place, address=document.address))
                return value
        if isinstance(value, dict):
            return {key: visit(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [visit(item, (*path, index)) for index, item in enumerate(value)]
        return value

    data = visit(document.data, ())
    return Document(data, document.positions, templated=False), problems


def _expression_at(where: SourceRef, text: str, names: Mapping[str, object], budget: Budget) -> SourceRef:
    """Return the place of the first expression of a value that has no value itself; else that of the whole value."""
    line = where.quote or ""
    for expression in _EXPRESSION.findall(text):
        start = line.find(expression, where.column - 1)
        if start < 0:
            return where  # it is on another line, or written with escapes
        try:
            _rendered(expression, names, 1, budget.apart(_LOOKED_AGAIN))
        except Refused:
            return replace(where, column=start + 1)
    return where


def _rendered(text: str, names: Mapping[str, object], number: int, budget: Budget) -> Any:
    if number > MAX_TEMPLATES:
        raise Refused(f"the document contains more than {MAX_TEMPLATES:,} templates")
    try:
        return evaluate(text, names, budget)
    except jinja2.TemplateError as error:
        words = _one_line(error).replace("'end of print statement'", "}}")
        raise Refused(f"the template cannot be read: {words}") from None
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise Refused(f"the template cannot be computed: {_uncomputed(error)}") from None
    except (RecursionError, MemoryError, SyntaxError):
        raise Refused("the template is too complex") from None


def _uncomputed(error: Exception) -> str:
    """Say why an expression has no value; the words of Python name types that no manifest has."""
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero"
    if isinstance(error, OverflowError):
        return "the computed number is too large"
    return (
        "an operator or a filter does not fit its values; +, -, *, / and filters such as round take numbers, "
        "~ joins texts, and only values of one type can be compared"
    )


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
