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
OTHER = {"text": "json"}
"""What a plan is written as beside the format that is measured; html for the others."""


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
    desks = {name: lab.desk(name, CHANGES, "rendered") for name in lab.checkouts}
    for form in FORMATS:
        beside = ("--output", f"beside.{suffix(OTHER.get(form, 'html' if form != 'html' else 'markdown'))}")
        both = (*beside, "--output", f"plan.{suffix(form)}")
        lab.server.control("fill/0")
        contenders = {}
        for name, desk in desks.items():
            contenders[name] = partial(desk.run, "plan", *both)
            contenders[f"{name}, without"] = partial(desk.run, "plan", *beside)
        taken = alternate(contenders, lab.rounds)
        yield Line(
            what=f"rendering {CHANGES:,} changes as {form}, CPU per change",
            unit="ms",
            goal=0.5,
            figures={
                name: [
                    (with_it.cpu - without.cpu) / CHANGES * 1000
                    for with_it, without in zip(taken[name], taken[f"{name}, without"], strict=True)
                ]
                for name in desks
            },
            reference=f"{median(taken['now, without'], 'cpu'):.1f} s without",
            samples=taken,
        )


def suffix(form: str) -> str:
    """Return the ending of a file that chooses a format."""
    return {"text": "txt", "markdown": "md"}.get(form, form)


ROWS = {"requests": requests, "render": render}
