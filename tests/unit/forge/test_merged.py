"""Which pull requests an apply is about, and which of their plans count."""

from __future__ import annotations

import io
import zipfile

import pytest
from forge_github import REPOSITORY

from reconciler.errors import RemoteError

PLAN = b'{"a plan": 1}'


def _planned(served, pull, content=PLAN, *, name="reconciler-plan", event="pull_request", repository=REPOSITORY):
    run = served.start("plan", event, served.head(pull.branch), pull.branch, repository)
    run.status = "success"
    served.upload(run, name, {"reconciler.plan": content})
    return run


def _numbers(forge, served):
    return [request.number for request in forge.merged_since_apply(served.head("main"))]


def test_before_the_first_apply_only_the_pull_request_of_the_head_counts(served, forge):
    assert _numbers(forge, served) == []
    served.merge(served.open("a"))
    second = served.open("b")
    served.merge(second)
    assert _numbers(forge, served) == [second.number]


def test_the_next_run_has_the_pull_requests_of_those_that_were_skipped(served, forge):
    done = served.start("apply", "push", served.merge(served.open("a")), "main")
    done.status = "success"
    pulls = [served.open("b"), served.open("c"), served.open("b")]
    for pull in (pulls[1], pulls[0]):
        served.merge(pull)
    skipped = served.start("apply", "push", served.head("main"), "main")
    skipped.status = "cancelled"
    drift = served.start("drift", "schedule", served.head("main"), "main")  # a success of another workflow
    drift.status = "success"
    served.page = 1
    assert _numbers(forge, served) == [pulls[1].number, pulls[0].number]


def test_a_run_that_is_started_again_has_what_was_merged_into_the_commit_that_it_applies(served, forge):
    first = served.open("a")
    commit = served.merge(first)
    served.merge(served.open("b"))
    assert [request.number for request in forge.merged_since_apply(commit)] == [first.number]


def test_the_plan_of_the_newest_run_for_the_merged_commit_counts(served, forge):
    pull = served.open("a")
    _planned(served, pull, b"old")
    _planned(served, pull, b"new", event="pull_request_review")
    _planned(served, pull, b"other project", name="other-plan")
    _planned(served, served.open("b"), b"other branch")
    served.start("plan", "pull_request", served.head("a"), "a")  # runs, and has no plan yet
    assert forge.reviewed_plan(forge.request(pull.number), "reconciler-plan") == b"new"


def test_a_branch_that_moved_after_its_plan_has_none(served, forge):
    pull = served.open("a")
    _planned(served, pull)
    pull.branch = "b"
    assert forge.reviewed_plan(forge.request(pull.number), "reconciler-plan") is None


@pytest.mark.parametrize("about", [{"repository": "eve/timetable"}, {"event": "push"}, {"event": "workflow_dispatch"}])
def test_what_the_run_of_a_fork_or_of_another_event_uploads_does_not_count(served, forge, about):
    pull = served.open("a")
    _planned(served, pull, **about)
    assert forge.reviewed_plan(forge.request(pull.number), "reconciler-plan") is None


def test_an_artifact_of_another_shape_is_an_error(served, forge):
    pull = served.open("a")
    run = _planned(served, pull)
    for content in (b"not an archive", _archive({"../reconciler.plan": b"x"})):
        run.artifacts["reconciler-plan"] = content
        with pytest.raises(RemoteError, match=r"is not an archive with reconciler\.plan"):
            forge.reviewed_plan(forge.request(pull.number), "reconciler-plan")


def _archive(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_branch_is_proposed(served, forge):
    address = forge.propose("a", "main", "Accept", "Body")
    (pull,) = served.pulls.values()
    assert (address, pull.title, pull.body) == (f"https://github.com/{REPOSITORY}/pull/{pull.number}", "Accept", "Body")
