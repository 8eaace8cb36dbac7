"""`--verify`: after an apply or a destroy everything is planned anew, and that plan must be empty."""

from __future__ import annotations

import pytest


def test_an_apply_that_converged_says_so(desk):
    desk.session()
    done = desk.run("apply", "--yes", "--verify", code=0)
    assert "Verified: a new plan of the whole project is empty." in done.out
    report = desk.run("apply", "--yes", "--verify", "--format", "json", code=0).json
    assert report["verify"]["summary"] == {**dict.fromkeys(report["verify"]["summary"], 0), "noop": 1}
    assert (report["verify"]["changes"], report["verify"]["words"]) == ([], [])
    assert "verify" not in desk.run("apply", "--yes", "--format", "json", code=0).json


@pytest.mark.parametrize("saved", [False, True])
def test_what_has_not_converged_is_listed_whatever_was_selected(desk, saved):
    desk.box.set_options(show_fields="all")
    desk.session()
    desk.session("swim", name="Swim")
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.run("apply", "--yes", "--target", "Session/*", code=0)
    desk.session(price=40)
    swim = next(item["id"] for item in desk.box.sessions() if item["name"] == "Swim")
    chosen = ["--target", "Session/yoga"]
    if saved:
        desk.run("plan", "--out", "saved.plan", *chosen, code=0)
    desk.box.edit_session(swim, price="12.00")
    done = desk.run("apply", *(["saved.plan"] if saved else chosen), "--yes", "--verify", code=3)
    assert "not converged: Resource/court-1: to create: new" in done.out
    assert "not converged: Session/swim: price 12.00 → 35.00" in done.out
    assert "Not converged: 2 objects" in done.out
    desk.session(price=41)
    report = desk.run("apply", *chosen, "--yes", "--verify", "--format", "json", code=3)
    verify = report.json["verify"]
    assert verify["changes"] == ["Resource/court-1", "Session/swim"]
    assert (verify["summary"]["create"], verify["summary"]["update"], verify["summary"]["noop"]) == (1, 1, 1)
    (desk.folder / "report.json").write_text(report.out, encoding="utf-8")
    for form in ("text", "markdown", "html"):
        assert "ession/swim" in desk.run("show", "report.json", "--format", form, code=0).out
    assert "not converged: Session/swim: price 12.00 → 35.00" in desk.run("show", "report.json", code=0).out
    assert desk.run("show", "report.json", "--format", "json", code=0).out == report.out


def test_what_cannot_be_read_afterwards_has_not_converged(desk):
    from reconciler.sandbox import Fault  # noqa: PLC0415 - here only

    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.run("apply", "--yes", code=0)
    desk.session(price=40)
    desk.box.fault(Fault(kind="status_before", match_path="/resources", status=403, times=None))
    done = desk.run("apply", "--yes", "--target", "Session/yoga", "--verify", code=3)
    assert "not converged: Resource/court-1: could not be read" in done.out


def test_a_destroy_verifies_what_it_destroyed(desk):
    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.run("apply", "--yes", code=0)
    done = desk.run("destroy", "--yes", "--target", "Session/yoga", "--verify", code=0)
    assert "Verified" in done.out
    assert desk.run("destroy", "--yes", "--verify", "--format", "json", code=0).json["verify"]["changes"] == []
