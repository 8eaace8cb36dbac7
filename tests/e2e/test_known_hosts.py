"""Credentials go only to hosts that the state knows: another one is refused before any credential is read."""

from __future__ import annotations

import sqlite3

import pytest
from desk import PROJECT
from older_state import FIRST_VERSION

import reconciler
from reconciler.sandbox import Sandbox

COURT = {"name": "Court 1"}


@pytest.fixture(scope="module")
def module_evil():
    with Sandbox() as box:
        yield box


@pytest.fixture
def evil(module_evil):
    module_evil.reset()
    module_evil.clear_log()
    return module_evil


@pytest.fixture
def applied(desk):
    """A state that knows one host."""
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    return desk


def two_hosts(desk, evil):
    """A pull request: the admin connection leads elsewhere, and something is declared there."""
    head, mark, tail = PROJECT.partition("    admin:")
    desk.project(head.format(url=desk.box.url) + mark + tail.format(url=evil.url))
    desk.declare("Resource", "court", COURT)


def place(box):
    return box.url.removeprefix("http://")


COMMANDS = [("plan",), ("apply", "--yes"), ("adopt", "--all"), ("adopt", "Resource/court", "1"), ("export",)]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_host_that_the_state_does_not_know_gets_nothing(applied, evil, command):
    two_hosts(applied, evil)
    done = applied.run(*command, code=1)
    assert f":17: connection admin leads to {evil.url}, which this state has never used" in done.err
    assert f"if the host is right: --trust-host {place(evil)}" in done.err
    assert evil.log() == []


def test_where_its_objects_are_is_said_too(applied, evil):
    applied.project(PROJECT.format(url=evil.url))
    applied.session("spin", name="Spin")
    done = applied.run("plan", code=1)
    assert f"has never used; its objects are managed at {applied.box.url}" in done.err
    assert evil.log() == []


def test_a_credential_command_does_not_run_for_it(applied, evil):
    two_hosts(applied, evil)
    file = applied.folder / "reconciler.yaml"
    ran = applied.folder / "ran"
    file.write_text(file.read_text().replace("{env: BB_TOKEN}", f"{{command: [touch, {ran}]}}"), encoding="utf-8")
    applied.run("plan", code=1)
    assert not ran.exists()


def test_an_apply_that_accepts_a_host_records_it(applied, evil):
    two_hosts(applied, evil)
    applied.run("plan", "--trust-host", place(evil), code=0)
    applied.run("plan", code=1)  # a plan records nothing
    applied.run("apply", "--yes", "--trust-host", place(evil), code=0)
    assert [item["name"] for item in evil.resources()] == ["Court 1"]
    applied.settled()


def test_a_host_that_is_accepted_where_nothing_changes_is_recorded_too(applied, evil):
    two_hosts(applied, evil)
    applied.run("adopt", "--all", "--trust-host", place(evil), code=1)
    applied.forget("Resource", "court")
    applied.declare("Resource", "court", {**COURT, "disabled": True})
    evil.add_resource({**COURT, "disabled": True})
    applied.run("adopt", "--all", "--trust-host", place(evil), code=0)
    applied.run("apply", "--yes", code=0)
    applied.settled()


def test_a_variable_of_the_pipeline_accepts_a_host(applied, evil):
    two_hosts(applied, evil)
    applied.run("plan", code=0, RECONCILER_TRUST_HOSTS=f"uk.bookingbug.com,{place(evil)}")


def test_a_variable_that_names_no_host_is_named(applied):
    done = applied.run("plan", code=1, RECONCILER_TRUST_HOSTS="*")
    assert "RECONCILER_TRUST_HOSTS: '*' is not a host" in done.err


@pytest.mark.parametrize("word", ["*", "*.example.com", "https://", "good.example/path", ""])
def test_an_option_that_names_no_host_is_an_error(applied, word):
    done = applied.run("plan", "--trust-host", word, code=1)
    assert "expected HOST or HOST:PORT" in done.err


def test_another_host_is_not_accepted_with_it(applied, evil):
    two_hosts(applied, evil)
    for other in (place(applied.box), "localhost", "127.0.0.1:1", "evil.example"):
        applied.run("plan", "--trust-host", other, code=1)
    assert evil.log() == []


def test_a_destroyed_project_still_knows_its_hosts(applied, evil):
    applied.run("destroy", "--yes", code=0)
    two_hosts(applied, evil)
    applied.run("plan", code=1)
    assert evil.log() == []


def test_an_empty_state_accepts_what_its_first_apply_uses(desk, evil):
    two_hosts(desk, evil)
    desk.session()
    desk.run("plan", code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()


OTHERS = {
    "project": ("name: acme", "name: other", ()),
    "state": ("spec:\n", "spec:\n  state: sqlite:///other.db\n", ()),
    "environment": ("spec:\n", "spec:\n  environments: {staging: {}}\n", ("--env", "staging")),
}


@pytest.mark.parametrize("what", OTHERS)
def test_known_hosts_belong_to_a_state_environment_and_project_name(applied, evil, what):
    applied.project(PROJECT.format(url=evil.url))
    applied.run("plan", code=1)
    assert evil.log() == []
    old, new, options = OTHERS[what]
    applied.project(PROJECT.format(url=evil.url).replace(old, new))
    applied.run("plan", *options, code=0)
    assert evil.log() != []


def test_a_renamed_connection_keeps_its_host(applied):
    text = PROJECT.format(url=applied.box.url).replace("    sessions:", "    timetable:")
    applied.project(text)
    applied.run("plan", "--detailed-exitcode", code=2)
    applied.run("apply", "--yes", code=0)
    applied.settled()


def test_a_new_connection_under_a_known_name_is_a_new_host(applied, evil):
    """The name of a connection says nothing: only its host counts."""
    head, mark, tail = PROJECT.partition("    sessions:")
    old = (mark + tail).format(url=applied.box.url).replace("    sessions:", "    old:").partition("    admin:")[0]
    applied.project(head + f"    sessions:{tail}".format(url=evil.url) + old)
    applied.session("spin", name="Spin")
    applied.run("plan", code=1)
    assert evil.log() == []


@pytest.mark.parametrize("spelled", ["http://localhost:{port}", "http://127.0.0.2:{port}", "http://127.1:{port}"])
def test_another_name_of_a_machine_is_another_host(applied, spelled):
    port = place(applied.box).partition(":")[2]
    file = applied.folder / "reconciler.yaml"
    text = file.read_text().replace(applied.box.url, spelled.format(port=port))
    file.write_text(text.replace("      auth:", "      allow_http: true\n      auth:"), encoding="utf-8")
    applied.session("spin", name="Spin")
    assert "this state has never used" in applied.run("plan", code=1).err
    assert applied.box.log() == []


def test_a_state_of_an_older_version_knows_the_hosts_of_its_objects(applied, evil):
    with sqlite3.connect(applied.folder / ".reconciler" / "state.db") as database:
        for statement in FIRST_VERSION:
            database.execute(statement)
    applied.run("plan", code=0)
    two_hosts(applied, evil)
    applied.run("plan", code=1)
    applied.project(PROJECT.format(url=applied.box.url))
    applied.run("apply", "--yes", code=0)
    two_hosts(applied, evil)
    applied.run("plan", code=1)
    assert evil.log() == []


def test_python_is_asked_the_same(applied, evil, monkeypatch):
    two_hosts(applied, evil)
    for name, value in applied.env.items():
        monkeypatch.setenv(name, value)
    project = reconciler.open_project(applied.folder)
    declared = reconciler.declare(project)
    with reconciler.ProjectSession(project) as session, pytest.raises(reconciler.InvalidInput) as error:
        reconciler.plan(session, declared)
    assert {problem.code for problem in error.value.problems} == {"unknown-host"}
    assert evil.log() == []
    with reconciler.ProjectSession(project, trust_hosts=[place(evil)]) as session:
        assert reconciler.plan(session, declared).plan.summary["create"] == 1
