"""The page of every code: what it means, what to do, and an example."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from wording import anchor, plain, prose, table

from reconciler.model.codes import Code, codes

THEMES = {
    "RC01": "Syntax of a file",
    "RC02": "Fields and values of an object",
    "RC03": "Objects among each other, and their connections",
    "RC04": "Project file, paths and trust",
    "RC05": "Guards",
    "RC06": "Remote systems",
    "RC07": "How a command ends",
}


def errors_page() -> list[str]:
    """Describe every code by theme."""
    intro = """
    Each problem ends with a number, such as `[RC0301]`; an error that ends a command begins with one: `error[RC0713]`.
    JSON documents have `number` beside the name in `code`, SARIF has the name as the id of its rule. Numbers and names
    are stable. The command `reconciler explain RC0301` shows the same text.
    """
    lines = ["# Errors by number", "", *prose(intro)]
    rows = [(f"[{item.number}](#{anchor(_heading(item))})", f"`{item.code}`", plain(item.rule)) for item in codes()]
    lines += table(("Number", "Name", "Rule"), rows)
    for theme, members in groupby(codes(), lambda item: item.number[:4]):
        lines += [f"## {theme}: {THEMES[theme]}", ""]
        lines += [line for item in members for line in _section(item)]
    return lines


def _heading(code: Code) -> str:
    return f"{code.number} {code.code}".replace("*", "NAME")


def _section(code: Code) -> Iterator[str]:
    yield from (f"### {_heading(code)}", "", *prose(code.rule), *prose(code.about), *prose(f"Fix: {code.fix}"))
    for words, example in (("Wrong", code.wrong), ("Right", code.right)):
        if example.startswith("$"):
            yield from (f"{words}: `{example.removeprefix('$ ').strip()}`", "")
        elif example:
            language = "json" if code.file.endswith(".json") else "yaml"
            place = "" if code.file == "manifests/example.yaml" else f" (`{code.file}`)"
            yield from (f"{words}{place}:", "", f"```{language}", *example.rstrip().splitlines(), "```", "")
