"""Commands without a network: start-up, and validate."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial

from lab import Desk, Lab
from measuring import Line, Sample, alternate, median, ratios

STARTS = {"--version": 1.3, "--help": 3.0, "plan --help": 3.0}
ADDRESS = "plan --target Sess"
COMPLETED = {"a command": "pl", "an option": "plan --ta", "an address": ADDRESS}


def startup(lab: Lab) -> Iterator[Line]:
    """Compare the start of commands with that of a bare interpreter: the time that a person waits."""
    desks = {name: lab.adopted(name, 1) for name in lab.checkouts}
    for desk in desks.values():
        desk.run("plan")  # compiles
    rounds = 5 * lab.rounds
    cases = {
        words: ({name: partial(desk.run, *words.split()) for name, desk in desks.items()}, goal)
        for words, goal in STARTS.items()
    }
    for what, line in COMPLETED.items():
        cases[f"completion of {what}"] = ({name: partial(complete, desk, line) for name, desk in desks.items()}, 3.0)
    first = {name: partial(first_complete, desk, ADDRESS) for name, desk in desks.items()}
    cases["first completion of an address"] = (first, 3.0)
    cases["plan of one object"] = ({name: partial(desk.run, "plan") for name, desk in desks.items()}, 8.0)
    for words, (contenders, goal) in cases.items():
        taken = alternate({"bare": partial(lab.python, "-c", "pass"), **contenders}, rounds)
        yield Line(
            what=f"start-up: {words}",
            unit="times a bare interpreter",
            goal=goal,
            figures=ratios(taken, lab.checkouts, "bare", "wall"),
            reference=f"{median(taken['bare'], 'wall') * 1000:.0f} ms",
            remark=f"CPU {median(taken['now'], 'cpu') / median(taken['bare'], 'cpu'):.1f} times",
            samples=taken,
        )


def complete(desk: Desk, line: str) -> Sample:
    """Complete the last word of a line as bash does."""
    words = f"reconciler {line}"
    number = str(words.count(" "))
    return desk.run(more={"COMP_WORDS": words, "COMP_CWORD": number, "_RECONCILER_COMPLETE": "bash_complete"})


def first_complete(desk: Desk, line: str) -> Sample:
    """Complete a line where nothing is kept of the time before."""
    _forget(desk)
    return complete(desk, line)


def validate(lab: Lab) -> Iterator[Line]:
    """Compare `validate` with loading the same files, without and with what a run before left in its cache."""
    size = lab.sizes[1]
    desks = {name: lab.desk(name, size, "validated") for name in lab.checkouts}
    files = desks["now"].folder / "manifests"
    taken = alternate(
        {
            "YAML load": partial(lab.script, "yaml_load.py", files),
            **{name: partial(first_run, desk) for name, desk in desks.items()},
        },
        lab.rounds,
    )
    again = alternate({name: partial(desk.run, "validate") for name, desk in desks.items()}, lab.rounds)
    reference = f"{median(taken['YAML load'], 'cpu'):.2f} s"
    for what, samples, goal in (
        ("", taken, 1.2),
        (" again, unchanged", again | {"YAML load": taken["YAML load"]}, 0.3),
    ):
        yield Line(
            what=f"validate {size:,} manifests{what}, CPU",
            unit="times the YAML load",
            goal=goal,
            figures=ratios(samples, lab.checkouts, "YAML load", "cpu"),
            reference=reference,
            samples=samples,
        )


def first_run(desk: Desk) -> Sample:
    """Validate without a cache."""
    _forget(desk)
    return desk.run("validate")


def _forget(desk: Desk) -> None:
    shutil.rmtree(desk.lab.folder / desk.checkout / "home", ignore_errors=True)


ROWS = {"start-up": startup, "validate": validate}
