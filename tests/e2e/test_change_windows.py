"""`policy.windows`: outside of them nothing is written; the run says when it may, waits, or records why it did not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from desk import PROJECT

import reconciler
from reconciler.engine import guards
from reconciler.operations import windows as operations

START = datetime.now(UTC).replace(microsecond=0)


class Clock:
    """What a run in this process takes for the time: it passes where a test or a wait lets it, on any machine."""

    passed = 0.0

    def now(self, _=None):
        return START + timedelta(seconds=self.passed)

    def sleep(self, seconds):
        self.passed += seconds

    def time(self):
        return self.now().timestamp()


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(guards, "datetime", made)
    monkeypatch.setattr(operations, "_now", made.now)
    monkeypatch.setattr(operations, "time", made)
    monkeypatch.setattr(
        operations.wait_for_window,
        "__kwdefaults__",
        {**operations.wait_for_window.__kwdefaults__, "clock": made.now, "sleep": made.sleep},
    )
    return made


def moment(seconds):
    return (START + timedelta(seconds=seconds)).isoformat()


def windows(desk, *entries, extra=""):
    stated = json.dumps([{"timezone": "Europe/London", **entry} for entry in entries])
    desk.project(PROJECT.format(url=desk.box.url) + f"  policy:\n    windows: {stated}\n{extra}")


FROZEN = {"deny": "the sale", "from": "2020-01-01"}


def test_outside_of_the_windows_apply_and_destroy_exit_4_before_the_first_write(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.calls()
    windows(desk, FROZEN)
    desk.settled()  # nothing to write: no window is needed
    desk.run("apply", "--yes", code=0)
    desk.session(price=40)
    for command in ("apply", "destroy"):
        done = desk.run(command, "--yes", code=4)
        assert "no change window is open: deny 'the sale' applies (policy.windows at reconciler.yaml:19)" in done.err
        assert "no window opens within two years" in done.err
        assert "--override-window REASON" in done.err
    assert desk.calls() == []
    report = desk.run("apply", "--yes", "--format", "json", code=4).json
    assert (report["refused"], report["outcomes"][0]["state"]) == (True, "blocked")


def test_a_plan_shows_what_blocks_apply_and_is_saved_all_the_same(desk):
    desk.session(spaces=9)
    windows(desk, FROZEN)
    done = desk.run("plan", "--detailed-exitcode", "--out", "p.plan", code=4)
    assert "apply would refuse: no change window is open" in done.out
    assert "Apply would refuse it" in done.err
    document = json.loads((desk.folder / "p.plan").read_text(encoding="utf-8"))
    assert [item["code"] for item in document["problems"]] == ["guard-window"]
    assert document["changes"][0]["guarded"] == ["guard-window"]
    assert desk.run("apply", "p.plan", "--yes", code=4).err.count("no change window is open") == 1
    windows(desk)  # the window opens: the same file is applied
    desk.run("apply", "p.plan", "--yes", code=0)


def test_a_plan_for_later_only_notes_that_no_window_is_open(desk):
    desk.session(spaces=9)
    windows(desk, FROZEN)
    done = desk.run("plan", "--detailed-exitcode", "--ignore-windows", "--out", "p.plan", code=2)
    assert "no change window is open: deny 'the sale' applies" in done.out
    assert "would refuse" not in done.out + done.err
    document = json.loads((desk.folder / "p.plan").read_text(encoding="utf-8"))
    assert [item["severity"] for item in document["problems"]] == ["warning"]
    assert document["changes"][0]["guarded"] == []
    desk.run("apply", "p.plan", "--yes", code=4)
    windows(desk)
    desk.run("apply", "p.plan", "--yes", code=0)


def test_an_override_is_recorded_in_the_report_and_in_the_state(desk):
    desk.session()
    windows(desk, FROZEN)
    report = desk.run("apply", "--yes", "--override-window", "the pool is shut", "--format", "json", code=0).json
    (allowed,) = report["outcomes"][0]["allowed"]
    assert (allowed["code"], allowed["by"]) == ("guard-window", "--override-window 'the pool is shut'")
    with reconciler.ProjectSession(reconciler.open_project(desk.folder)) as session:
        (run,) = session.store.past_runs().values()
    assert run.context["override_window"] == "the pool is shut"


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_an_override_needs_a_reason(desk, reason):
    assert "expected a reason" in desk.run("apply", "--override-window", reason, code=64).err


def test_a_run_waits_for_the_window_and_plans_again_when_it_opens(desk, clock):
    desk.session()
    windows(desk, {"deny": "maintenance", "until": moment(100)})
    done = desk.run("apply", "--yes", "--wait-for-window", code=0)
    assert clock.passed == 100
    assert done.err.count("Waiting until ") == 1
    desk.settled()
    # Nothing to write, or another refusal: it does not wait.
    windows(desk, FROZEN)
    assert "Waiting" not in desk.run("apply", "--yes", "--wait-for-window", code=0).err
    windows(desk, {"deny": "maintenance", "until": moment(900)}, extra="    max_deletes: 0\n")
    done = desk.run("destroy", "--yes", "--wait-for-window", code=4)
    assert "Waiting" not in done.err
    assert "more than the limit of 0" in done.err


def test_a_run_does_not_wait_for_a_window_after_its_time_limit(desk):
    desk.session()
    windows(desk, {"deny": "maintenance", "until": moment(900)})
    done = desk.run("apply", "--yes", "--wait-for-window", "--timeout", "60", code=4)
    assert "--timeout ends the run before " in done.err
    assert "Waiting" not in done.err
    windows(desk, FROZEN)
    assert "no change window is open" in desk.run("apply", "--yes", "--wait-for-window", code=4).err


def test_the_window_is_checked_again_at_the_first_write(desk, monkeypatch, clock):
    """It closes between the guards and the lock."""
    for name, value in desk.env.items():
        monkeypatch.setenv(name, value)
    desk.session()
    windows(desk, {"deny": "the sale", "from": moment(3)})
    shown = []

    def on_plan(plan):
        shown.append(plan)
        clock.sleep(3)

    project = reconciler.open_project(desk.folder)
    with reconciler.ProjectSession(project) as session:
        planned = reconciler.plan(session, reconciler.declare(project))
        with pytest.raises(reconciler.Refused, match="refused before the first write"):
            reconciler.apply(session, planned, callbacks=reconciler.Callbacks(on_plan=on_plan))
    assert [dict(plan.guarded) for plan in shown] == [{}]
    assert desk.calls() == []


def test_when_the_window_closes_calls_in_flight_end_and_no_other_change_starts(desk, clock, monkeypatch):
    for number in range(4):
        desk.session(f"s{number}", name=f"Yoga {number}")
    windows(desk, {"deny": "the sale", "from": moment(3)})
    monkeypatch.setattr(Clock, "passed", property(lambda _: 2 * desk.asked()))
    done = desk.run("apply", "--yes", "--verify", "--parallelism", "1", "--format", "json", code=3)
    states = [outcome["state"] for outcome in done.json["outcomes"]]
    assert sorted(states) == ["applied"] * 2 + ["blocked"] * 2  # it closes while the second call is in flight
    blocked = next(outcome["error"] for outcome in done.json["outcomes"] if outcome["state"] == "blocked")
    assert blocked.startswith("not started, because the change window closed on ")
    assert done.json["verify"]["summary"]["create"] == 2  # it may still read
    windows(desk)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def test_the_windows_of_the_trusted_file_count(desk):
    desk.session()
    windows(desk, FROZEN)
    trusted = desk.folder / "trusted.yaml"
    trusted.write_text((desk.folder / "reconciler.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    windows(desk)
    done = desk.run("apply", "--yes", "--trusted-config", "trusted.yaml", code=4)
    assert "deny 'the sale' applies (policy.windows at trusted.yaml:19)" in done.err
