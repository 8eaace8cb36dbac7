"""Generate the page of the sandbox from its options and routes."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any

from wording import plain, prose, table

from reconciler import sandbox as sandbox_package
from reconciler.sandbox import Options, Sandbox, app, control
from reconciler.sandbox.api import Api

SERVED = {
    "/api/": "sessions XML API (bookingbug-sessions)",
    "/api/v1/": "admin JSON API (bookingbug-admin)",
    "/api/3.0/": "booking and item API (checkfront)",
}
STARTED = """
The command prints the address, the credentials to export, and the address of the request log. Each sandbox has its own
credentials and company; `--name NAME` gives the same ones at each start. A port that is in use is an error. The sandbox
listens only on this machine. Its data is lost when it ends, unless `--db` names a file. `--seed samples` starts with
the objects of the API documents, `--seed company` with a small leisure centre, and `--seed hostile` with hundreds of
objects whose names are hard to handle.

All options: [reconciler sandbox](commands.md#reconciler-sandbox).
"""
SNIPPET = """\
from reconciler.sandbox import Options, Sandbox

with Sandbox(Options(show_fields="all"), seed="samples") as box:
    print(box.url, box.sessions())
"""
OPTIONS = """
Set an option with `--option KEY=VALUE`, in Python with `Options(KEY=VALUE)`, or at run time with
`PATCH /_sandbox/options`. The first value is the default.
"""


def sandbox_page() -> list[str]:
    """Describe the sandbox: how to start it, its options, and its paths."""
    lines = ["# Sandbox", "", *prose((inspect.getdoc(sandbox_package) or "").partition("\n\n")[0])]
    lines += [
        "## Start it",
        "",
        "```console",
        "$ pip install '.[sandbox]'     # from a checkout",
        "$ reconciler sandbox",
        "```",
        "",
    ]
    lines += prose(STARTED)
    lines += ["## In a test", "", "```python", *SNIPPET.splitlines(), "```", ""]
    lines += table(("Method", "What it does"), methods())
    lines += ["## Options", "", *prose(OPTIONS)]
    lines += table(("Option", "Values", "Meaning"), map(option_row, fields(Options)))
    lines += ["## Control endpoints", "", *prose(inspect.getdoc(control) or ""), *routes(control.API)]
    for api in app.APIS:
        if api is not control.API:
            lines += [f"## Paths of the {SERVED.get(api.prefix, api.prefix)}", "", *routes(api)]
    return lines


def methods() -> Iterator[tuple[str, str]]:
    """Yield the table row of each public method of `Sandbox`."""
    methods = {name: method for each in (*Sandbox.__bases__, Sandbox) for name, method in vars(each).items()}
    for name, method in methods.items():
        if inspect.isfunction(method) and not name.startswith("_"):
            parameters = [item for item in inspect.signature(method).parameters.values() if item.name != "self"]
            names = ", ".join(f"**{item.name}" if item.kind is item.VAR_KEYWORD else item.name for item in parameters)
            yield f"`{name}({names})`", plain(" ".join((inspect.getdoc(method) or "").split()))


def option_row(option: Field[Any]) -> list[str]:
    """Return the table row of one option of the sandbox."""
    choices = option.metadata.get("choices")
    if choices:
        values = ", ".join(f"`{choice}`" for choice in choices)
    else:
        least = f"number, at least {option.metadata['least']}" if "least" in option.metadata else "text"
        values = f"{least}; default " + (f"`{option.default}`" if option.default != "" else "empty")
    return [f"`{option.name}`", values, plain(option.metadata["about"])]


def routes(api: Api) -> list[str]:
    """Return a table of the paths of an API with their methods."""
    found: dict[str, dict[str, None]] = {}
    for method, path, _ in api.routes:
        found.setdefault(re.sub(r":\w+}", "}", path).rstrip("/"), {})[method] = (
            None  # a final slash makes no difference
        )
    return table(("Path", "Methods"), [(f"`{path}`", ", ".join(methods)) for path, methods in found.items()])
