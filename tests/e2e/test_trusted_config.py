"""A pull request's project file does not decide on connections, state and policy where a trusted file does."""

from __future__ import annotations

import pytest
from desk import PROJECT

import reconciler
from reconciler.sandbox import Sandbox


@pytest.fixture
def evil():
    with Sandbox() as box:
        yield box


@pytest.fixture
def request_(desk, evil):
    """A managed session, and a pull request that sends every credential elsewhere and lifts a limit."""
    desk.session(spaces=9)
    desk.run("apply", "--yes", code=0)
    (desk.folder / "trusted.yaml").write_text((desk.folder / "reconciler.yaml").read_text(), encoding="utf-8")
    desk.project(PROJECT.format(url=evil.url) + "  policy: {max_deletes: 1000}\n")
    desk.session("spin", name="Spin", spaces=9)
    desk.box.clear_log()
    return desk


@pytest.mark.parametrize("command", [("plan",), ("drift",), ("apply", "--yes"), ("export",), ("adopt", "--all")])
@pytest.mark.parametrize("how", ["option", "variable"])
def test_every_command_uses_the_trusted_connections(request_, evil, command, how):
    if how == "option":
        done = request_.run(*command, "--trusted-config", "trusted.yaml")
    else:
        done = request_.run(*command, RECONCILER_TRUSTED_CONFIG=str(request_.folder / "trusted.yaml"))
    assert "spec.connections.admin.base_url is ignored" in done.out + done.err
    assert "spec.policy is ignored" in done.out + done.err
    assert request_.box.log() != []
    assert evil.log() == []


def test_a_plan_document_names_what_is_ignored(request_):
    plan = request_.run("plan", "--format", "json", "--trusted-config", "trusted.yaml", code=0).json
    assert {item["code"] for item in plan["problems"]} == {"untrusted-setting"}
    assert plan["summary"]["create"] == 1


def test_a_plan_made_with_it_is_applied_after_the_merge(request_):
    request_.run("plan", "--out", "pr.plan", "--trusted-config", "trusted.yaml", code=0)
    request_.project(PROJECT.format(url=request_.box.url))
    request_.run("apply", "pr.plan", "--yes", code=0)


def test_an_empty_variable_is_refused(request_, evil):
    done = request_.run("plan", code=1, RECONCILER_TRUSTED_CONFIG="")
    assert "RECONCILER_TRUSTED_CONFIG) is empty" in done.err
    assert request_.run("plan", "--trusted-config", "", code=1).err == done.err
    assert evil.log() == request_.box.log() == []


def test_python_uses_it_too(request_, monkeypatch):
    made = reconciler.open_project(request_.folder, trusted_config=request_.folder / "trusted.yaml")
    assert made.connections["admin"].base_url == request_.box.url
    monkeypatch.setenv("RECONCILER_TRUSTED_CONFIG", str(request_.folder / "trusted.yaml"))
    assert reconciler.open_project(request_.folder).policy.max_deletes == 10
