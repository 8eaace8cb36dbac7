"""Pages by templates of the project, rendered with bounded operations where nothing can be reached but the document.

This runs in a process with limits (`operations.custom_pages`): jinja2's sandbox alone bounds neither time nor memory.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler.render.escaping import prose
from reconciler.render.safe import visible


class TemplateFault(Exception):
    """A template cannot be rendered: `where` is its file and line."""

    def __init__(self, where: str, summary: str) -> None:
        super().__init__(summary)
        self.where = where
        self.summary = summary


class _Markup(str):
    """Text that is written as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


class _Loader(BaseLoader):
    """Templates by their names in the folder; an error names the file."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002 - jinja2's signature
        if template not in self._sources:
            raise TemplateNotFound(template)
        return self._sources[template], template, lambda: True


def page(name: str, sources: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Return the page of one of the templates; TemplateFault says where it goes wrong."""
    environment = _html(sources) if name.endswith(".html.j2") else _markdown(sources)
    environment.filters.pop("safe", None)  # a value of a remote system is never markup
    try:
        return environment.get_template(name).render(values)
    except TemplateSyntaxError as error:
        raise TemplateFault(f"{error.name or name}:{error.lineno}", error.message or "it cannot be read") from None
    except TemplateNotFound as error:
        known = ", ".join(sorted(sources))
        raise TemplateFault(_place(error, name, sources), f"there is no template {error}; there are {known}") from None
    except RecursionError as error:
        raise TemplateFault(_place(error, name, sources), "it includes or calls itself without end") from None
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise TemplateFault(_place(error, name, sources), str(error)) from None


def _place(error: BaseException, name: str, sources: Mapping[str, str]) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in sources]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else name


def _html(sources: Mapping[str, str]) -> Environment:
    return _environment(
        sources,
        autoescape=True,
        shown=lambda value: visible(str(value)),
        code=lambda value: _Markup(f"<code>{escape(visible(str(value)))}</code>"),
    )


def _markdown(sources: Mapping[str, str]) -> Environment:
    return _environment(sources, autoescape=False, shown=lambda value: _Markup(prose(value)), code=_code)


def _code(value: object) -> _Markup:
    """Return a value as code of Markdown that no value can end."""
    return _Markup(f"<code>{prose(value)}</code>")


def _environment(
    sources: Mapping[str, str],
    *,
    autoescape: bool,
    shown: Callable[[object], str],
    code: Callable[[object], _Markup],
) -> Environment:
    def finalize(value: object) -> object:
        return value if value is None or hasattr(value, "__html__") else shown(value)

    environment = ImmutableSandboxedEnvironment(
        loader=_Loader(sources),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    environment.filters["code"] = code
    environment.filters["md"] = lambda value: _Markup(prose(value))
    return environment
