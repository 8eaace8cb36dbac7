"""Exit codes and streams of the real command: what the tests that run it in their own process rely on."""

from __future__ import annotations

import pytest

from reconciler.sandbox import Fault

LINES = [
    (0, ("plan",)),
    (0, ("plan", "--help")),
    (2, ("plan", "--detailed-exitcode", "--format", "json")),
    (1, ("show", "missing.plan")),
    (4, ("apply",)),
    (5, ("apply", "stale.plan", "--yes")),
    (64, ("plan", "--nonsense")),
]


@pytest.mark.parametrize(("code", "line"), LINES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_the_command_ends_as_a_run_in_the_test_s_own_process_does(desk, code, line):
    desk.session()
    desk.run("plan", "--out", "stale.plan", code=0)
    desk.session(price=40)
    assert desk.process(*line, code=code) == desk.run(*line, code=code)


def test_an_apply_that_failed_exits_3_and_one_that_is_repeated_exits_0(desk):
    desk.session()
    desk.box.fault(Fault(kind="status_before", status=422, match_method="POST", times=1))
    assert desk.process("apply", "--yes", "--format", "json", code=3).json["summary"]["failed"] == 1
    desk.process("apply", "--yes", code=0)
    desk.settled()
