"""Plans, reports and drift for people: as text, Markdown and HTML.

What only some commands show is loaded on first use, as `render.html`.
"""

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module
if TYPE_CHECKING:
    from reconciler.render import github, html, junit, markdown, marks, phrases, sarif

__all__ = ["github", "html", "junit", "markdown", "marks", "phrases", "sarif"]


if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """Load a renderer (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - as above

        return import_module(f"{__name__}.{name}")
