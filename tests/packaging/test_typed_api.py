"""The types of the Python API, as mypy sees them in a user's file next to the installed wheel."""

import re
import subprocess
import sys

import pytest

GOOD = """
import reconciler
from reconciler.testing import Playground, sandbox


def run(box: Playground) -> reconciler.Report:
    with reconciler.open_session(box.create_project("here"), parallelism=4) as session:
        planned: reconciler.Planned = reconciler.plan(session)
        changes: tuple[reconciler.Change, ...] = planned.plan.changes
        print([str(change.address) for change in changes], reconciler.to_json(planned.plan))
        callbacks = reconciler.Callbacks(confirm=lambda plan: bool(plan.effective))
        report = reconciler.apply(session, planned, callbacks=callbacks, verify=True)
        found: reconciler.Drift = reconciler.drift(session)
        adopted: reconciler.Adopted = reconciler.adopt_all(session)
        manifests: list[str] = [item.text for item in reconciler.export(session).manifests]
        print(found.summary, adopted.records, manifests, reconciler.to_json(report, planned.plan))
        return report


try:
    with sandbox() as served:
        applied: int = run(served).summary["applied"]
except reconciler.Refused as error:
    problems: tuple[reconciler.Problem, ...] = error.problems
"""

BAD = """
import reconciler

with reconciler.open_session(37) as session:  # arg-type
    planned = reconciler.plan(session)
    planned.plan.effectiv  # attr-defined
    reconciler.apply(session, planned.plan)  # arg-type
    reconciler.apply(session, planned, verfy=True)  # call-arg
    report: reconciler.Drift = reconciler.apply(session, planned)  # assignment
    reconciler.to_json(reconciler.apply(session, planned))  # call-overload
    reconciler.Callbacks(confirm=lambda plan: plan.nothing)  # attr-defined
    planned.plan.changes = ()  # misc
reconciler.no_such_function()  # attr-defined
"""


@pytest.mark.slow
def test_a_good_file_passes_and_a_bad_one_has_exactly_its_errors(installed, tmp_path):
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.py").write_text(BAD, encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--python-executable"]
    done = subprocess.run(
        [*mypy, str(installed.scripts / "python"), "good.py", "bad.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    expected = [
        ("bad.py", str(number), line.partition("  # ")[2])
        for number, line in enumerate(BAD.splitlines(), 1)
        if "  # " in line
    ]
    assert found == expected, done.stdout + done.stderr
