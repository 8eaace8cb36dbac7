"""The pipeline bounds what a project file may use: outside of it nothing is read, run or sent, by any command."""

from __future__ import annotations

import pytest
from desk import CREDENTIALS, PROJECT

import reconciler

CONNECTING = [
    ("plan",),
    ("apply", "--yes"),
    ("apply", "saved.plan", "--yes"),
    ("drift",),
    ("destroy", "--yes"),
    ("adopt", "--all"),
    ("adopt", "Session/yoga", "1"),
    ("export",),
    ("state", "list"),
]


@pytest.fixture
def applied(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.session(price=40)
    desk.run("plan", "--out", "saved.plan", code=0)
    desk.box.clear_log()
    return desk


@pytest.mark.parametrize("command", CONNECTING, ids=" ".join)
def test_no_command_goes_beyond_the_bounds(applied, command):
    done = applied.run(*command, code=1, RECONCILER_HOSTS="uk.bookingbug.com", RECONCILER_ENV="BB_*")
    assert ":17: connections.sessions.base_url: RECONCILER_HOSTS does not allow" in done.err
    assert done.err.startswith("reconciler.yaml:")
    assert "nothing was read, run or sent" in done.err
    assert applied.box.log() == []


def test_within_the_bounds_nothing_changes(applied):
    host = applied.box.url.removeprefix("http://")
    bounds = {"RECONCILER_HOSTS": host, "RECONCILER_ENV": "BB_*", "RECONCILER_ALLOW_COMMANDS": "0", "CI": "true"}
    applied.run("apply", "saved.plan", "--yes", code=0, **bounds)


def test_a_variable_beyond_the_bounds_is_not_sent(applied):
    applied.project(PROJECT.format(url=applied.box.url).replace("BB_USERNAME", "DEPLOY_KEY"))
    done = applied.run("plan", code=1, RECONCILER_ENV=" ".join(CREDENTIALS), DEPLOY_KEY="the-deploy-key-of-all")
    assert ":24: connections.sessions.auth.username: RECONCILER_ENV does not" in done.err
    assert "the-deploy-key" not in done.out + done.err
    assert applied.box.log() == []


def test_a_command_of_a_pull_request_does_not_run_in_ci(applied):
    stolen = applied.folder / "stolen"
    command = f"{{command: [sh, -c, 'env > {stolen}; echo x']}}"
    applied.project(PROJECT.format(url=applied.box.url).replace("{env: BB_USERNAME}", command))
    applied.run("plan", code=1, CI="true")
    applied.run("plan", code=1, RECONCILER_ALLOW_COMMANDS="op")
    assert not stolen.exists()
    applied.run("plan", CI="true", RECONCILER_ALLOW_COMMANDS="sh")
    assert "BB_PASSWORD" in stolen.read_text(encoding="utf-8")


def test_python_is_bounded_as_the_command_line_is(applied, monkeypatch):
    monkeypatch.setenv("RECONCILER_HOSTS", "")
    with pytest.raises(reconciler.InvalidInput, match="does not allow"):
        reconciler.ProjectSession(reconciler.open_project(applied.folder))


@pytest.mark.parametrize("url", ["postgresql://u@127.0.0.1:1/d", "postgresql://good.example#@127.0.0.1:1/d"])
def test_the_state_is_bounded_before_it_is_opened(applied, url):
    applied.project(PROJECT.format(url=applied.box.url) + f"  state: '{url}'\n")
    hosts = applied.box.url.removeprefix("http://") + " good.example"
    done = applied.run("state", "list", code=1, RECONCILER_HOSTS=hosts, PGPASSWORD="the-password-of-the-state")
    assert "state: RECONCILER_HOSTS does not allow the host 127.0.0.1:1" in done.err


def test_validate_runs_nothing_and_connects_to_nothing(desk):
    desk.session()
    project = PROJECT.format(url=desk.box.url).replace("{env: BB_USERNAME}", "{command: [touch, ran]}")
    desk.project(project.replace("{env: BB_PASSWORD}", "{file: missing}") + "  state: postgresql://u@127.0.0.1:1/d\n")
    desk.run("validate", code=0, **dict.fromkeys(CREDENTIALS, ""))
    assert not (desk.folder / "ran").exists()
    assert not (desk.folder / ".reconciler").exists()
    assert desk.box.log() == []
