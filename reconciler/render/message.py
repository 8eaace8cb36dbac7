"""The message of a webhook: JSON made by a template of the project file, or the drift document itself."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from reconciler.errors import ReconcilerError
from reconciler.redaction import redacted_data

LONGEST = 256 * 1024
"""Maximum number of characters of a message."""

SECONDS = 5.0
"""Maximum time of a template."""


class _Environment(ImmutableSandboxedEnvironment):
    """Templates that loop over what they are given, and reach nothing else."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or any(isinstance(side, (str, list)) for side in (left, right)):
            raise jinja2.TemplateRuntimeError(f"the operator {operator} is not allowed for these values")
        return super().call_binop(context, operator, left, right)


def message(template: str | None, document: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """Return the JSON of a message; ReconcilerError says why the template makes none.

    `document` is the drift document, known to the template as `drift` beside `facts`. A value is escaped for a text in
    JSON, so that a name cannot end it; the filter tojson writes a whole value.
    """
    known = redacted_data(dict(document))
    if template is None:
        return json.dumps(known, ensure_ascii=False).encode("utf-8", "replace")
    try:
        text = _rendered(template, {"drift": known, **redacted_data(dict(facts))})
    except jinja2.TemplateError as error:
        raise ReconcilerError(f"the template cannot be rendered: {_line(error)}") from None
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError, MemoryError) as error:
        raise ReconcilerError(f"the template cannot be computed: {_line(error)}") from None
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ReconcilerError(
            f"the template does not make JSON: {_line(error)}",
            hint="put texts in double quotes, or use the filter tojson",
        ) from None
    return json.dumps(redacted_data(data), ensure_ascii=False).encode("utf-8", "replace")


def _rendered(template: str, names: Mapping[str, Any]) -> str:
    environment = _Environment(
        undefined=jinja2.StrictUndefined, finalize=_in_text, trim_blocks=True, lstrip_blocks=True, cache_size=0
    )
    environment.globals.clear()
    environment.filters["tojson"] = lambda value: Markup(json.dumps(value, ensure_ascii=False))  # noqa: S704 - no HTML
    parts: list[str] = []
    length, deadline = 0, time.monotonic() + SECONDS
    for part in environment.from_string(template).generate(names):
        parts.append(part)
        length += len(part)
        if length > LONGEST or time.monotonic() > deadline:
            raise jinja2.TemplateRuntimeError(
                f"it makes more than {LONGEST // 1024} KB, or takes more than {SECONDS:g} s"
            )
    return "".join(parts)


def _in_text(value: Any) -> Any:
    """Return a value as the inside of a text in JSON; numbers, true and false as they are, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, (Markup, jinja2.Undefined)):
        return value
    if isinstance(value, bool) or not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if isinstance(value, (bool, int, float)) else _escaped(str(value))
    return _escaped(value)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
