"""A state in Git as a team uses it: runners that are thrown away, plans that only read, errors that say what to do."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from desk import PROJECT, until
from git_server import Remote, served

LOCK = "refs/heads/reconciler-state-lock/acme/_default"


@pytest.fixture
def remote(tmp_path_factory):
    return Remote.made(tmp_path_factory.mktemp("remote") / "state.git")


def use(desk, url):
    desk.project(PROJECT.format(url=desk.box.url).replace("spec:\n", f"spec:\n  state: {url}\n"))


@pytest.fixture
def team(desk, remote):
    use(desk, remote.url)
    desk.session()
    return desk


def thrown_away(desk):
    """Remove everything that a runner loses: all but the checkout."""
    shutil.rmtree(desk.folder / ".reconciler", ignore_errors=True)


def test_each_runner_starts_from_the_branch_and_leaves_nothing_else(team, remote):
    team.run("apply", "--yes", code=0)
    thrown_away(team)
    team.session(price=40)
    team.run("apply", "--yes", code=0)
    thrown_away(team)
    team.settled()
    (record,) = team.run("state", "list", "--format", "json", code=0).json["objects"]
    assert record["address"] == "Session/yoga"
    assert len(team.box.sessions()) == 1
    subjects = remote.log(form="%s")
    assert subjects.count("apply: begin Session/yoga") == 2
    assert remote.audited() == len(subjects)


def test_commands_that_read_push_nothing_and_need_no_right_to(team, remote):
    team.run("plan", code=0)
    assert remote.heads == {}
    team.run("apply", "--yes", code=0)
    before = remote.heads
    remote.hook("pre-receive", "echo no >&2; exit 1")
    team.session(price=40)
    for command in (
        ["plan"],
        ["drift", "--no-record"],
        ["state", "list"],
        ["state", "show", "Session/yoga"],
        ["validate"],
    ):
        team.run(*command, code=0)
    assert "No drift" in team.run("drift", code=0).out
    assert remote.heads == before


def test_an_apply_that_may_not_push_sends_nothing_and_says_what_to_change(team, remote):
    remote.hook("update", "echo 'GH006: Protected branch update failed' >&2; exit 1")
    refused = team.run("apply", "--yes", code=1)
    assert (
        f"state {remote.url}: cannot write the branch reconciler-state: [remote rejected] (hook declined)"
        in refused.err
    )
    assert "GH006: Protected branch update failed" in refused.err
    assert "the rules of the forge must let this user push" in refused.err
    assert team.calls() == []


def test_a_lost_answer_during_an_apply_is_no_failure_and_doubles_nothing(desk, remote):
    with served(remote) as server:
        use(desk, server.url)
        for number in range(6):
            desk.declare("Resource", f"court-{number}", {"name": f"Court {number}"})
        answers = iter(range(1000))
        server.lose = lambda path: path.endswith("git-receive-pack") and next(answers) % 4 == 2
        desk.run("apply", "--yes", code=0)
        assert next(answers) > 6
        server.lose = lambda _: False
        assert len(desk.box.resources()) == desk.asked() == 6
        desk.settled()
    remote.audited()


def test_a_plan_made_before_another_run_wrote_is_stale(team, remote):
    team.run("plan", "--out", "one.plan", code=0)
    team.run("apply", "--yes", code=0)
    assert team.run("apply", "one.plan", "--yes", code=5)


def test_a_checkout_cannot_decide_how_git_is_run(team, remote):
    subprocess.run(["git", "init", "--quiet", team.folder], check=True, timeout=30)
    ran = team.folder / "ran"
    for key, value in {
        "core.hooksPath": str(team.folder),
        "core.sshCommand": f"touch {ran}",
        "core.fsmonitor": f"touch {ran}",
        f"url.ext::touch {ran} .insteadOf": remote.url.removeprefix("git+").partition("#")[0],
    }.items():
        subprocess.run(["git", "-C", team.folder, "config", key, value], check=True, timeout=30)
    hook = team.folder / "pre-push"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    hook.chmod(0o755)
    team.run("apply", "--yes", code=0, GIT_DIR=str(team.folder / ".git"), GIT_EXTERNAL_DIFF=f"touch {ran}")
    assert not ran.exists()
    assert LOCK in remote.heads


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("git+https://user:hunter2@host/x.git", "state contains a credential"),
        ("git+ftp://host/x.git", "state names no Git remote"),
        ("git+https://host/x.git#a..b", "state names a branch that Git or a forge refuses"),
    ],
)
def test_a_url_that_is_none_is_named_with_its_place(desk, state, words):
    use(desk, f'"{state}"')
    refused = desk.run("validate", code=1)
    assert f"reconciler.yaml:5:10: {words}" in refused.err
    assert "hunter2" not in refused.err + refused.out


def test_the_host_of_a_state_is_bounded_like_every_other(desk):
    use(desk, "git+git@forge.example:acme/state.git#x")
    refused = desk.run("plan", code=1, RECONCILER_HOSTS="127.0.0.1")
    assert "RECONCILER_HOSTS does not allow the host forge.example:22" in refused.err


def test_a_missing_git_is_named(team):
    refused = team.run("plan", code=1, PATH="")
    assert "git was not found on the PATH" in refused.err
    assert "install git" in refused.err


def test_a_lock_of_a_killed_runner_can_be_released_by_a_person(team, remote):
    team.hold()
    process = team.start("apply", "--yes")
    until(team.asked, process)
    process.kill()
    process.communicate(timeout=60)
    team.box.clear_faults()
    thrown_away(team)
    run_id = remote.text("lease.json", LOCK).partition('"run_id": "')[2].partition('"')[0]
    released = team.run("state", "unlock", run_id, code=0)
    assert f"Run {run_id} no longer holds the state lock" in released.err
    team.run("apply", "--yes", "--wait", code=0)
    assert len(team.box.sessions()) == 1
    team.settled()
