"""Whether a plan does only what was reviewed: the plans of several pull requests together."""

from __future__ import annotations

import json
from unittest.mock import Mock

import pytest
from desk import Desk

from reconciler.documents.load import load_plan
from reconciler.forge.base import Request, Text
from reconciler.operations.reviewed import collect, compare
from reconciler.sandbox import Sandbox

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def desk(tmp_path):
    with Sandbox() as box:
        yield Desk(tmp_path, box)


def _plan(desk, name="x.plan", **env):
    desk.run("plan", "--out", name, **env)
    return (desk.folder / name).read_bytes()


def _compared(desk, plans, fresh, monkeypatch, key=None):
    """Compare a plan with those that merged pull requests have."""
    if key is not None:
        monkeypatch.setenv("RECONCILER_PLAN_KEY", key)
    requests = [
        Request(number=number, url=f"https://forge/{number}", author="ben", body="", head="h", own=True)
        for number in range(1, len(plans) + 1)
    ]
    forge = Mock(kinds=frozenset())
    forge.merged_since_apply.return_value = requests
    forge.reviewed_plan.side_effect = plans
    forge.texts.return_value = []
    folder = desk.folder / "reviewed"
    collect(forge, "h", "write", "reconciler-plan", folder)
    assert json.loads((folder / "decisions.json").read_text()) == {"decisions": []}
    return compare(load_plan(fresh.decode()), folder)


def _resource(desk, name, email):
    desk.declare("Resource", name, {"name": name, "email": f"{email}@example.com"})


def test_the_plans_of_two_pull_requests_count_together(desk, monkeypatch):
    """The run of the first was skipped: the second applies both, although its own plan has only one of them."""
    _resource(desk, "a", 1)
    first = _plan(desk)
    desk.forget("Resource", "a")
    _resource(desk, "b", 2)
    second = _plan(desk)
    _resource(desk, "a", 1)
    both = _plan(desk)
    assert _compared(desk, [first, second], both, monkeypatch).differences == ()
    found = _compared(desk, [second], both, monkeypatch)
    assert [words.partition(":")[0] for words in found.differences] == ["Resource/a"]
    assert "no reviewed plan contains it; it would create" in found.differences[0]


def test_what_was_changed_by_hand_since_the_plan_is_a_difference(desk, monkeypatch):
    _resource(desk, "a", 1)
    _resource(desk, "other", 1)
    desk.run("apply", "--yes", code=0)
    _resource(desk, "a", 2)
    reviewed = _plan(desk)
    rows = {item["name"]: item["id"] for item in desk.box.resources()}
    desk.box.edit_resource(rows["a"], email="by-hand@example.com")
    desk.box.edit_resource(rows["other"], email="by-hand@example.com")
    differences = _compared(desk, [reviewed], _plan(desk), monkeypatch).differences
    assert differences[0].startswith("Resource/a: email was")
    assert differences[-1].startswith("Resource/other: no reviewed plan contains it; it would update")


def test_a_decision_ends_where_a_later_pull_request_changes_the_object_again(desk):
    """Who allowed one change has not allowed another one of the same object, which a later pull request makes."""
    _resource(desk, "a", 1)
    first = _plan(desk)
    _resource(desk, "a", 2)
    second = _plan(desk)
    desk.forget("Resource", "a")
    _resource(desk, "b", 2)
    other = _plan(desk)

    def collected(plans, allowing):
        requests = [
            Request(number=number, url=f"https://forge/{number}", author="ben", body="", head="h", own=True)
            for number in range(1, len(plans) + 1)
        ]
        forge = Mock(kinds=frozenset({"description"}))
        forge.merged_since_apply.return_value = requests
        forge.reviewed_plan.side_effect = plans
        forge.texts.side_effect = lambda request: [
            Text(
                place="description",
                by="ben",
                words="/allow-booked Resource/a" if request.number in allowing else "",
            )
        ]
        found = collect(forge, "h", "write", "reconciler-plan", desk.folder / "reviewed")
        return [(item.address, item.url) for item in found.decisions], found.ignored

    assert collected([first, other], {1}) == ([("Resource/a", "https://forge/1")], ())
    assert collected([first, second], {1, 2}) == ([("Resource/a", "https://forge/2")], ())
    assert collected([first, second], {1}) == (
        [],
        ("decided by ben in https://forge/1: #2 changes Resource/a again, without a decision",),
    )


def test_what_is_no_longer_needed_is_not_missed(desk, monkeypatch):
    _resource(desk, "a", 1)
    _resource(desk, "b", 1)
    reviewed = _plan(desk)
    desk.run("apply", "--yes", "--target", "Resource/a", code=0)
    assert _compared(desk, [reviewed], _plan(desk), monkeypatch).differences == ()


def test_without_changes_nothing_has_to_be_reviewed(desk, monkeypatch):
    _resource(desk, "a", 1)
    desk.run("apply", "--yes", code=0)
    found = _compared(desk, [], _plan(desk), monkeypatch)
    assert found.differences == ()
    assert found.notes == ("no pull request was merged since the last apply",)


def _forged(plan):
    return plan.replace(b"1@example.com", b"2@example.com")


def _garbage(plan):
    return plan[::-1]


def _same(plan):
    return plan


def _none(plan):
    assert plan


def _another(plan):
    return plan.replace(b'"project": "acme"', b'"project": "other"')


@pytest.mark.parametrize(
    ("forge", "key", "words"),
    [
        (_forged, None, "its plan cannot be read|does not count: it was edited"),
        (_another, None, "does not count"),
        (_garbage, None, "its plan cannot be read"),
        (_same, KEY, "does not count: it is not signed"),
        (_none, None, "it has no plan"),
    ],
    ids=["edited", "another project", "no document", "not signed", "none"],
)
def test_a_plan_that_cannot_be_trusted_does_not_count(desk, monkeypatch, forge, key, words):
    _resource(desk, "a", 1)
    plan = _plan(desk)
    found = _compared(desk, [forge(plan)], plan, monkeypatch, key)
    assert len(found.differences) == 1
    assert any(part in found.notes[0] for part in words.split("|")), found.notes


def test_a_signed_plan_counts_with_its_key_only(desk, monkeypatch):
    _resource(desk, "a", 1)
    plan = _plan(desk, RECONCILER_PLAN_KEY=KEY)
    assert _compared(desk, [plan], plan, monkeypatch, KEY).differences == ()
    found = _compared(desk, [plan], plan, monkeypatch, KEY[::-1])
    assert "its signature does not match" in found.notes[0]
    assert found.differences
