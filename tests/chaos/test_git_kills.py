"""Kills while a push of the state is in flight: it still lands after the run is dead, or never."""

from __future__ import annotations

import random
import time

import pytest
from chaos_town import APPLY, Town
from combinations import first_quick
from git_server import Remote

from reconciler.sandbox import Sandbox

PATIENCE = 60

HOLD = """
cd {folder}
echo push >> count
[ "$(wc -l < count)" = {number} ] || exit 0
touch here
while [ ! -e go ]; do sleep 0.02; done
exit $(cat go)
"""

PUSHES = range(1, 13)
"""More than an apply of two objects makes: claim, start, baseline, an intent and a record for each, end, release."""

ENDS = {"lands": "0", "is refused": "1"}


@pytest.fixture
def town(tmp_path):
    (tmp_path / "town").mkdir()
    remote = Remote.made(tmp_path / "state.git")
    with Sandbox() as box:
        made = Town(folder=tmp_path / "town", box=box, rng=random.Random(3), hurried=True, state=remote.url)
        made.fill(1, 1, 0, 0)
        made.remote = remote
        yield made


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (4, "lands"),
        (5, "is refused"),
        *(
            pytest.param(number, end, marks=pytest.mark.slow)
            for number in PUSHES
            for end in ENDS
            if (number, end) not in {(4, "lands"), (5, "is refused")}
        ),
    ],
)
def test_a_push_that_outlives_its_run_neither_loses_nor_doubles(town, number, end):
    folder = town.remote.folder
    town.remote.hook("pre-receive", HOLD.format(folder=folder, number=number))
    process = town.start(APPLY)
    deadline = time.monotonic() + PATIENCE
    while not (folder / "here").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait(timeout=PATIENCE)
    (folder / "hooks" / "pre-receive").unlink()
    (folder / "go").write_text(ENDS[end], encoding="utf-8")
    assert town.run(APPLY).code == 0
    assert not town.differences(), town.differences()
    assert town.untouched()
    town.desk.settled()
    town.remote.audited()


@pytest.mark.parametrize("runs", first_quick((2, 4)))
def test_applies_that_race_on_one_branch_make_each_object_once(town, runs):
    processes = [town.start([*APPLY, "--lock-timeout", "100"]) for _ in range(runs)]
    for process in processes:
        assert process.wait(timeout=2 * PATIENCE) == 0
    assert not town.differences(), town.differences()
    assert sum(entry.method == "POST" and entry.status in {200, 201} for entry in town.box.log()) == 2
    town.desk.settled()
    town.remote.audited()
