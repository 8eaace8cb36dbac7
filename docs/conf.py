"""How Sphinx builds the documentation: `make docs`. Nothing is loaded from a network, to build it or to read it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import reconciler

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "reconciler"
version = release = reconciler.__version__
copyright = "the reconciler contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
nitpick_ignore_regex = [("py:.*", ".*")]  # a type that is not public has no page
myst_heading_anchors = 4
html_theme = "furo"
html_title = f"reconciler {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_sourcelink = html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}
default_role = "code"
smartquotes = False  # it would make one dash of the two of an option
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
suppress_warnings = ["misc.highlighting_failure"]  # the reference of errors shows broken YAML on purpose
exclude_patterns = ["reference/*.py"]

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)\s]+)\)")
"""A link to a file of the repository that is no page of the site."""


def _name_files_outside(_app: Sphinx, page: str, source: list[str]) -> None:
    """Name a file of the repository instead of linking it: the site stands alone."""
    depth = page.count("/") + 1

    def plain(found: re.Match[str]) -> str:
        path = PurePosixPath(found[2].partition("#")[0])
        inside = found[0].count("../") < depth
        named = found[1] if str(path) in found[1] else f"{found[1]} (`{path}`)"
        return found[0] if inside else f"{named} in the repository"

    source[0] = _OUTSIDE.sub(plain, source[0])


def _signature(_app: Sphinx, what: str, *_more: object) -> tuple[str, str | None] | None:
    """Leave out the arguments of a class: each is a field, and described below it."""
    return ("", None) if what == "class" else None


def setup(app: Sphinx) -> None:
    """Let Sphinx call the functions above, and find the names that are loaded on first use."""
    for name in reconciler.__all__:
        getattr(reconciler, name)
    app.connect("source-read", _name_files_outside)
    app.connect("autodoc-process-signature", _signature)
