"""Requests of every command for every kind, and what one format more costs a plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from itertools import groupby

from lab import HERE, Lab
from measuring import Line, alternate, median, run
from projects import FORMATS

CHANGES = 5_000
SUFFIXES = {"text": "txt", "markdown": "md"}
"""The ending of a file that chooses a format, where it is another word."""


def requests(lab: Lab) -> Iterator[Line]:
    """Compare the requests of every command with the least that it could send."""
    out = lab.folder / "requests.json"
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for name in lab.checkouts:
        command = [sys.executable, "-P", str(HERE / "request_counts.py"), "--json"]
        run(command, lab.folder, lab.env(name), limit=lab.limit, out=out)
        for what, sent, least in json.loads(out.read_text(encoding="utf-8")):
            found.setdefault(what, {})[name] = (sent, least)
    for kind, group in groupby(sorted(found), key=lambda what: what.partition(":")[0]):
        commands = list(group)
        over = [what.partition(": ")[2] for what in commands if len(set(found[what]["now"])) > 1]
        yield Line(
            what=f"requests for a {kind}, every command",
            unit="over the least",
            goal=0,
            figures={
                name: [sum(sent - least for sent, least in (found[what][name] for what in commands))]
                for name in lab.checkouts
            },
            reference=f"{sum(found[what]['now'][1] for what in commands)} needed",
            remark=f"over: {', '.join(over)}" if over else "",
        )


def render(lab: Lab) -> Iterator[Line]:
    """Measure what a format adds to the same plan, for each change."""
    lab.server.control("latency/0")
    lab.server.control("fill/0")
    desks = {name: lab.desk(name, CHANGES, "rendered") for name in lab.checkouts}
    runs = {("text",), ("json",), *(("text", form) for form in FORMATS[1:])}
    taken = alternate(
        {
            f"{name}, {' and '.join(forms)}": partial(desk.run, "plan", *outputs(forms))
            for forms in sorted(runs)
            for name, desk in desks.items()
        },
        lab.rounds,
    )
    for form in FORMATS:
        both, without = ("text and json", "json") if form == "text" else (f"text and {form}", "text")
        yield Line(
            what=f"rendering {CHANGES:,} changes as {form}, CPU per change",
            unit="ms",
            goal=0.5,
            figures={
                name: [
                    (more.cpu - less.cpu) / CHANGES * 1000
                    for more, less in zip(taken[f"{name}, {both}"], taken[f"{name}, {without}"], strict=True)
                ]
                for name in desks
            },
            reference=f"{median(taken[f'now, {without}'], 'cpu'):.1f} s without",
            samples={name: samples for name, samples in taken.items() if name.endswith((f", {both}", f", {without}"))},
        )


def outputs(forms: tuple[str, ...]) -> list[str]:
    """Return the options that write these formats."""
    return [word for form in forms for word in ("--output", f"plan.{SUFFIXES.get(form, form)}")]


ROWS = {"requests": requests, "render": render}
