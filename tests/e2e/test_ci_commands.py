"""`reconciler ci`: each step of a pipeline as a command line, with its words and exit codes."""

from __future__ import annotations

import json

import pytest
from desk import run_in
from forge_github import BOT, REPOSITORY, GitHub
from repository import git

LINE = "/allow-booked Session/yoga"


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remote")
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", ".")
    tree = git(folder, "hash-object", "-t", "tree", "-w", "/dev/null")
    for branch in ("main", "a"):
        git(folder, "update-ref", f"refs/heads/{branch}", git(folder, "commit-tree", tree, "-m", branch))
    return folder


@pytest.fixture
def forge(remote):
    with GitHub(remote) as served:
        yield served
        assert served.faults == []


@pytest.fixture
def ci(tmp_path, forge):
    """Run `reconciler ci` as a step of a job does."""
    run = forge.start("apply", "push", forge.head("main"), "main")
    variables = {
        "GITHUB_API_URL": forge.url,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": str(run.number),
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        "RECONCILER_FORGE_TOKEN": forge.token,
        "PATH": "/usr/bin:/bin",
    }

    def call(*arguments, **more):
        done = run_in(tmp_path, {**variables, **more}, "ci", *arguments)
        assert "Traceback" not in done.out + done.err
        assert "internal error" not in done.err
        assert forge.token not in done.out + done.err
        return done

    return call


def _mine(forge, number):
    return [item["body"] for item in forge.comments.get(number, []) if item["user"]["login"] == BOT]


def test_a_comment_has_the_page_the_note_and_the_way_to_the_run(ci, forge, tmp_path):
    number = forge.open("a").number
    (tmp_path / "plan.md").write_text("## Plan: 1 to create.\n")
    done = ci("comment", str(number), "--key", "plan x", "--body", "plan.md", "--note", "Read\n  it.")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"Pull request {number}: wrote the comment.\n"
    (body,) = _mine(forge, number)
    lines = body.splitlines()
    assert lines[:5] == ["<!-- reconciler: plan-x -->", "## Plan: 1 to create.", "", "Read it.", ""]
    assert lines[5].startswith(f"[Run](https://github.com/{REPOSITORY}/actions/runs/")


def test_a_plan_that_failed_without_a_page_shows_its_log(ci, forge, tmp_path):
    number = forge.open("a").number
    (tmp_path / "plan.log").write_text("error: BB_TOKEN is not set\n")
    assert ci("comment", str(number), "--key", "p", "--body", "plan.md", "--log", "plan.log", "-q").err == ""
    assert "## Plan failed\n\n```text\nerror: BB_TOKEN is not set\n```" in _mine(forge, number)[0]


def test_an_issue_is_opened_with_any_code_but_0_and_closed_with_0(ci, forge, tmp_path):
    (tmp_path / "drift.md").write_text("## Drift: 1 changed.\n")
    asked = ("issue", "--key", "drift", "--title", "Drift", "--body", "drift.md")
    assert "The issue is https://github.com/acme/timetable/issues/" in ci(*asked, "--code", "2").err
    (issue,) = forge.issues.values()
    assert ci(*asked, "--code", "0").err == f"Closed issue {issue['number']}.\n"
    assert issue["state"] == "closed"
    assert ci(*asked, "--code", "0").err == ""
    assert len(forge.issues) == 1


def test_decisions_are_written_and_what_does_not_count_is_named(ci, forge, tmp_path):
    pull = forge.open("a", author="ben", body=f"{LINE}\n/allow-booked Session/*")
    done = ci("decisions", str(pull.number), "--out", "decisions.json")
    url = f"https://github.com/{REPOSITORY}/pull/{pull.number}"
    assert done.code == 0
    said, warned = done.err.splitlines()
    assert said == f"Allowed despite booked places: Session/yoga, decided by ben in {url}."
    assert warned.startswith(f"warning: does not count: #{pull.number}: /allow-booked Session/* in a description: ")
    assert warned.endswith("expected the exact address of one object, such as Session/spring-yoga")
    assert json.loads((tmp_path / "decisions.json").read_text()) == {
        "decisions": [{"address": "Session/yoga", "by": "ben", "url": url}]
    }
    ci("decisions", str(pull.number), "--by", "review", "--out", "decisions.json")
    assert json.loads((tmp_path / "decisions.json").read_text()) == {"decisions": []}


def test_an_apply_without_changes_needs_no_reviewed_plan(ci, forge, tmp_path):
    done = ci("reviewed", "--commit", forge.head("main"), "--out", "reviewed")
    assert (done.code, done.err) == (0, "")
    assert json.loads((tmp_path / "reviewed/requests.json").read_text()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["comment", "999", "--key", "p", "--body", "no.md"], 0, None),
        (["decisions", "0", "--out", "x"], 64, "Invalid value for 'NUMBER'"),
        (["compare", "no.plan", "--reviewed", "reviewed"], 1, "cannot read no.plan"),
        (["propose", "no.patch", "--in", ".", "--base", "main", "--title", "x"], 64, "cannot read no.patch"),
    ],
)
def test_what_cannot_be_done_is_an_error_with_words(ci, arguments, code, words):
    done = ci(*arguments)
    assert done.code == code
    assert words is None or words in done.err


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"RECONCILER_FORGE_TOKEN": ""}, 64, "RECONCILER_FORGE_TOKEN is not set"),
        ({"RECONCILER_FORGE_TOKEN": "another-token-1234"}, 1, "answers 401: Bad credentials"),
        ({"GITHUB_API_URL": "http://api.example.com"}, 1, "expected an address with https"),
        ({"GITHUB_REPOSITORY": "acme"}, 1, "expected owner/name"),
    ],
)
def test_a_job_without_its_token_or_its_variables_is_an_error(ci, variables, code, words):
    done = ci("decisions", "1", "--out", "x.json", **variables)
    assert (done.code, words in done.err) == (code, True), done.err


def test_a_change_is_pushed_as_a_branch_and_proposed(ci, forge, tmp_path, remote):
    git(tmp_path, "clone", "--quiet", str(remote), "project")
    (tmp_path / "change.patch").write_text("--- /dev/null\n+++ b/x.txt\n@@ -0,0 +1 @@\n+hello\n")
    (tmp_path / "empty.patch").write_text("")
    about = ("--in", "project", "--base", "main", "--title", "Accept the live values of Session/yoga")
    assert ci("propose", "empty.patch", *about).err == "Nothing to propose: the patch is empty.\n"
    done = ci("propose", "change.patch", *about)
    assert done.code == 0, done.err
    (pull,) = forge.pulls.values()
    assert git(remote, "show", f"{pull.branch}:x.txt") == "hello"
    assert (pull.title, pull.author) == ("Accept the live values of Session/yoga", BOT)
    assert f"https://github.com/{REPOSITORY}/pull/{pull.number}" in done.err
    broken = ci("propose", "change.patch", *about)
    assert (broken.code, "git checkout failed" in broken.err) == (1, True)


def test_decisions_of_another_shape_are_refused(tmp_path):
    for text in ("{}", "[]", '{"decisions": [{"address": 1}]}', "no json"):
        (tmp_path / "d.json").write_text(text)
        done = run_in(tmp_path, {"PATH": "/usr/bin:/bin"}, "plan", "--decisions", "d.json")
        assert (done.code, "d.json is not a file of decisions" in done.err) == (1, True), done.err
