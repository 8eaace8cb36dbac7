"""`{{ values.NAME }}` in manifests: rendered after parsing, value by value (the only user of jinja2 here).

Rendering before parsing would let a value change the document's structure and lose every place.
Expressions only: no statement, no call and a short list of filters, so that a manifest from a pull
request can neither loop nor fill the memory. Rendered text is never rendered again. This module is
imported only where a text contains `{{`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

import jinja2
from jinja2 import nodes
from jinja2.filters import do_round
from jinja2.sandbox import SandboxedEnvironment

from reconciler.manifests.explain import label
from reconciler.manifests.load import Document
from reconciler.manifests.scalars import shown
from reconciler.model.nearest import did_you_mean, nearest
from reconciler.model.objects import Problem

MAX_LENGTH = 64 * 1024
MAX_SOURCE = 16 * 1024
MAX_REPEAT = 1_000
MAX_PRECISION = 30
MAX_TEMPLATES = 5_000
"""Maximum number of templates in one document: each is compiled, so more would take minutes."""

_FILTERS = (
    "abs", "capitalize", "d", "default", "first", "float", "int", "last", "length", "lower", "max", "min", "round",
    "string", "title", "trim", "upper",
)  # fmt: skip

Path = tuple[str | int, ...]


class _Refused(Exception):
    """A template that cannot be rendered; the message completes `FIELD: `."""


def render(document: Document, names: Mapping[str, object]) -> tuple[Document, list[Problem]]:
    """Return the document with every string that holds `{{` rendered. `names` are the values for templates.

    A string that is one whole expression becomes the expression's value with its type, any other
    string stays text. What cannot be rendered is a problem at its place, and stays as it is.
    """
    problems: list[Problem] = []
    count = 0

    def visit(value: Any, path: Path) -> Any:
        nonlocal count
        if isinstance(value, str):
            if "{{" not in value or count > MAX_TEMPLATES:
                return value
            count += 1
            try:
                return _rendered(value, names, count)
            except _Refused as error:
                where = document.positions.locate(path)
                summary = f"{label(path)}: {error}"
                problems.append(Problem(code="template", summary=summary, where=where, address=document.address))
                return value
        if isinstance(value, dict):
            return {key: visit(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [visit(item, (*path, index)) for index, item in enumerate(value)]
        return value

    data = visit(document.data, ())
    return Document(data, document.positions, templated=False), problems


def _rendered(text: str, names: Mapping[str, object], number: int) -> Any:
    if number > MAX_TEMPLATES:
        raise _Refused(f"the document contains more than {MAX_TEMPLATES:,} templates")
    if len(text) > MAX_SOURCE:
        raise _Refused(f"the template is longer than {MAX_SOURCE // 1024} KB")
    environment = _environment()
    try:
        tree = environment.parse(text)
        parts = _parts(tree)
        if len(parts) == 1 and not _is_text(parts[0]):
            # The whole string is one expression, so its value keeps its type.
            inner = text.strip()[2:-2].strip("-+")
            value = environment.compile_expression(inner, undefined_to_none=False)(**names)
            if isinstance(value, jinja2.Undefined):
                str(value)  # a strict undefined raises here
            return _bounded(_plain(value))
        return _bounded(environment.from_string(text).render(**names))
    except jinja2.UndefinedError as error:
        raise _Refused(_undefined(text, names) or f"the template uses a value that is not defined: {error}") from None
    except jinja2.TemplateError as error:
        raise _Refused(f"the template cannot be read: {_one_line(error)}") from None
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise _Refused(f"the template cannot be computed: {_one_line(error)}") from None
    except (RecursionError, MemoryError, SyntaxError):
        raise _Refused("the template is too complex") from None


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _parts(tree: nodes.Template) -> list[nodes.Node]:
    """Return the parts of a template; _Refused if one of them is more than an expression."""
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Stmt) and not isinstance(node, nodes.Output):
            raise _Refused("a template statement {% … %} is not allowed; expected only expressions {{ … }}")
        if isinstance(node, nodes.Call):
            raise _Refused("a template cannot call functions; expected values and filters such as {{ values.x }}")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            expected = ", ".join(_FILTERS)
            near = did_you_mean(node.name, _FILTERS)
            raise _Refused(f"the filter {shown(node.name)} is not allowed; expected one of {expected}{near}")
    outputs = [node for output in tree.body if isinstance(output, nodes.Output) for node in output.nodes]
    return [node for node in outputs if not (isinstance(node, nodes.TemplateData) and not node.data.strip())]


def _is_text(node: nodes.Node) -> bool:

    return isinstance(node, nodes.TemplateData)


@cache
def _environment() -> SandboxedEnvironment:

    class Expressions(SandboxedEnvironment):
        """An environment in which attributes are only keys of mappings, and repetition is limited."""

        intercepted_binops = frozenset({"*", "**", "%"})

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, Mapping) and attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            sized = [each for each in (left, right) if isinstance(each, (str, list, tuple))]
            if (operator == "*" and sized) or (operator == "%" and sized):
                message = f"{operator} only works on numbers"
                raise ValueError(message)
            if operator == "**" and (abs(left) > MAX_REPEAT or abs(right) > MAX_REPEAT):
                message = "the power is too large"
                raise ValueError(message)
            return super().call_binop(context, operator, left, right)

    environment = Expressions(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.filters["round"] = _round
    environment.globals = {}
    return environment


def _round(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    """Round as jinja2 does, with a limit: jinja2 computes 10**precision, which takes minutes for a billion."""
    if not isinstance(precision, int) or abs(precision) > MAX_PRECISION:
        message = f"round takes at most {MAX_PRECISION} digits"
        raise ValueError(message)
    return do_round(value, precision, method)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool, list, dict)):
        return value
    return list(value) if isinstance(value, tuple) else str(value)


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_LENGTH:
        raise _Refused(f"the rendered text is longer than {MAX_LENGTH // 1024} KB")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > MAX_REPEAT:
        raise _Refused("the computed number is too large")
    return value


def _undefined(text: str, names: Mapping[str, object]) -> str | None:
    """Describe the first `a.b.c` of a template that is not defined."""
    for chain in _chains(_environment().parse(text)):
        scope: Any = names
        for depth, step in enumerate(chain):
            if not isinstance(scope, Mapping) or step not in scope:
                known = scope if isinstance(scope, Mapping) else ()
                prefix = "".join(f"{part}." for part in chain[:depth])
                near = nearest(step, known)
                expected = f"; expected one of {', '.join(sorted(map(str, known))[:10])}" if known else ""
                return f"{prefix}{step} is not defined" + (f'; did you mean "{prefix}{near}"?' if near else expected)
            scope = scope[step]
    return None


def _chains(tree: nodes.Template) -> Iterator[tuple[str, ...]]:

    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    inner |= {id(node.node) for node in tree.find_all(nodes.Getitem)}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)):
        chain = _chain(node) if id(node) not in inner else None
        if chain:
            yield chain


def _chain(node: nodes.Node) -> tuple[str, ...] | None:

    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        step = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        step = str(node.arg.value)
    else:
        return None
    parent = _chain(node.node)
    return None if parent is None else (*parent, step)
