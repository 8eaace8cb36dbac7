from collections import Counter

import pytest

from reconciler.model.change import Change, Risk, bind, bind_path
from reconciler.model.objects import Address, Problem, Record, Ref, SourceRef, problem_order
from reconciler.model.plan import Plan, Selection
from reconciler.model.report import Drift, Drifted, Outcome, Report

COURT = Address("Resource", "court")


@pytest.mark.parametrize("text", ["Session/a", "Session/spring-yoga", "Block/1", f"Session/{'a' * 63}"])
def test_an_address_reads_back(text):
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Session",
        "Session/",
        "/a",
        "session/a",
        "Session/A",
        "Session/-a",
        "Session/a-",
        "Session/a/b",
        "Session/a\n",
    ],
)
def test_what_is_no_address_is_refused_in_words(text):
    with pytest.raises(ValueError, match="KIND/NAME"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("Resource/court", True), ("Resource/*", True), ("*/c[no]urt", True), ("resource/court", False), ("court", False)],
)
def test_a_glob_names_a_whole_address_and_case_counts(pattern, matches):
    assert COURT.matches(pattern) is matches


def test_a_problem_prints_place_address_and_what_is_wrong():
    problem = Problem(code="x", summary="is wrong", where=SourceRef("a.yaml", 3, 7), address=COURT)
    assert str(problem) == "a.yaml:3:7: Resource/court: is wrong"
    assert str(Problem(code="x", summary="is wrong")) == "is wrong"


def test_problems_are_ordered_by_place_by_number_not_by_digit():
    places = [SourceRef("a.yaml", 10), None, SourceRef("a.yaml", 9), SourceRef("b.yaml", 1)]
    problems = sorted((Problem(code="x", summary="s", where=where) for where in places), key=problem_order)
    assert [str(item.where) for item in problems] == ["None", "a.yaml:9:1", "a.yaml:10:1", "b.yaml:1:1"]


def test_references_are_bound_at_any_depth():
    assert bind({"a": [Ref(COURT), {"b": Ref(COURT)}], "c": "x"}, {COURT: "7"}) == {"a": ["7", {"b": "7"}], "c": "x"}


def test_a_reference_without_an_id_is_not_sent():
    with pytest.raises(KeyError):
        bind(Ref(COURT), {})
    with pytest.raises(KeyError):
        bind_path("/resources/{Resource/court}/block", {}, (COURT,))


def test_a_path_is_bound_only_where_it_needs_to_be():
    assert bind_path("/resources/{Resource/court}/block", {COURT: "7"}, (COURT,)) == "/resources/7/block"
    assert bind_path("/resources/{Resource/court}/block", {COURT: "7"}, ()) == "/resources/{Resource/court}/block"


def change(name, action):
    return Change(address=Address("Session", name), connection="c", action=action, reason="")


def plan(*changes):
    header = {"project": "p", "environment": None, "tool_version": "1"}
    return Plan(**header, changes=changes)


def test_a_plan_counts_every_action_by_name():
    made = plan(change("a", "create"), change("b", "noop"), change("c", "create"), change("d", "unknown"))
    assert made.summary == {
        "create": 2,
        "update": 0,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "noop": 1,
        "unknown": 1,
        "record": 0,
    }
    assert [item.address.name for item in made.effective] == ["a", "c"]


def test_dependencies_are_those_recorded_once_the_manifest_is_gone():
    record = Record(address=COURT, connection="c", target="t", remote_id="1", fields={}, depends_on=(COURT,))
    gone = Change(address=COURT, connection="c", action="delete", reason="", record=record)
    assert gone.depends_on == (COURT,)
    assert change("a", "delete").depends_on == ()


@pytest.mark.parametrize(
    ("code", "about"),
    [("booked-slot-lost", True), ("bookings-unknown", True), ("already-exists", False), ("overbooked", False)],
)
def test_only_risks_to_bookings_can_be_allowed(code, about):
    assert Risk(code=code, level="block", message="").about_bookings is about


def test_no_selection_means_everything():
    assert Selection().everything
    assert not Selection(targets=("a",)).everything
    assert not Selection(excludes=("a",)).everything


def outcome(state):
    return Outcome(address=COURT, action="update", state=state)


@pytest.mark.parametrize("state", ["failed", "blocked", "unknown"])
def test_a_report_with_anything_held_up_is_not_clean(state):
    report = Report(plan_digest="", outcomes=(outcome("applied"), outcome(state)))
    assert not report.clean
    assert report.summary[state] == 1
    assert sum(report.summary.values()) == 2


def test_a_report_of_applied_and_idle_objects_is_clean_unless_interrupted():
    done = (outcome("applied"), outcome("noop"))
    assert Report(plan_digest="", outcomes=done).clean
    assert not Report(plan_digest="", outcomes=done, interrupted=True).clean


def test_drift_adds_up_what_could_be_verified():
    items = (
        Drifted(address=COURT, status="in_sync", verifiable=2, total=3),
        Drifted(address=COURT, status="missing", total=4),
    )
    drift = Drift(objects=items)
    assert drift.coverage == {"fields": 7, "verifiable": 2}
    assert Counter(drift.summary) == Counter(missing=1, in_sync=1)
