"""What is wrong with the command line is said before a remote system is read, and a login is made once."""

from __future__ import annotations

import pytest

LOGIN = "auth: {app_id: {env: BB_APP_ID}, email: {env: BB_EMAIL}, password: {env: BB_ADMIN_PASSWORD}}"


@pytest.fixture
def managed(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.session(price=40)
    desk.run("plan", "--out", "saved.plan", code=0)
    desk.box.clear_log()
    return desk


@pytest.mark.parametrize(
    "options",
    [
        ["--allow-booked", "Session/pilates"],
        ["--allow-booked", "Session/*", "--allow-booked", "Block/*"],
        ["--allow-shared", "Resource/*"],
        ["--allow-unknown", "Session/x"],
        ["--allow-missing", "shop"],
        ["--target", "Session/pilates"],
        ["--exclude", "Block/*"],
        ["--target", "Session/yoga", "--exclude", "nothing*"],
    ],
)
@pytest.mark.parametrize(
    "command", [["plan"], ["apply", "--yes"], ["destroy", "--yes"], ["apply", "saved.plan", "--yes"]]
)
def test_a_pattern_that_names_nothing_is_said_first(managed, command, options):
    done = managed.run(*command, *options, code=64)
    assert options[-1].rstrip("*") in done.err or options[1] in done.err or "saved plan" in done.err
    assert managed.box.log() == []


@pytest.mark.parametrize(
    "command",
    [
        ["adopt", "--all", "--allow-shared", "Block/*"],
        ["adopt", "--all", "--target", "Block/*"],
        ["adopt", "Session/yoga", "--allow-shared", "Session/pilates"],
        ["drift", "--target", "Session/pilates"],
        ["export", "--kind", "Sessions"],
        ["export", "--connection", "shop"],
        ["apply", "saved.plan", "--target", "Session/yoga"],
        ["plan", "--output", "a.json", "--output", "b.csv"],
        ["drift", "--format", "pdf"],
    ],
)
def test_other_wrong_usage_is_said_first_too(managed, command):
    managed.run(*command, code=64)
    assert managed.box.log() == []


@pytest.mark.parametrize(
    "command", [["apply", "missing.plan", "--yes"], ["export", "--out", "reconciler.yaml/x"], ["plan", "--out", "."]]
)
def test_a_file_that_cannot_be_used_is_said_first(managed, command):
    managed.run(*command, code=1)
    assert managed.box.log() == []


def test_an_override_for_an_object_of_the_plan_still_counts(managed):
    managed.run("apply", "--yes", "--allow-booked", "Session/y*", "--allow-missing", "sess*", code=0)


@pytest.fixture
def logging_in(desk):
    text = (desk.folder / "reconciler.yaml").read_text(encoding="utf-8")
    start = text.index("auth: {app_id")
    desk.project(text[:start] + LOGIN + "\n")
    desk.env |= {"BB_EMAIL": desk.box.options.email, "BB_ADMIN_PASSWORD": desk.box.options.admin_password}
    for number in range(4):
        desk.declare("Resource", f"room-{number}", {"name": f"Room {number}"})
    return desk


def logins(desk):
    return sum(call.endswith("/login/admin/37004") for call in desk.calls())


def test_an_apply_logs_in_once(logging_in):
    logging_in.run("apply", "--yes", "--verify", code=0)
    assert len(logging_in.box.resources()) == 4
    assert logins(logging_in) == 1
    logging_in.run("plan", code=0)
    assert logins(logging_in) == 1


@pytest.mark.parametrize("uses", [1, 3])
def test_a_token_that_expires_is_renewed_for_reads_and_writes(logging_in, uses):
    logging_in.run("apply", "--yes", code=0)
    logging_in.box.set_options(token_uses=uses)
    logging_in.calls()
    for number in range(4):
        logging_in.declare("Resource", f"room-{number}", {"name": f"Room {number}", "description": "new"})
    logging_in.run("apply", "--yes", "--parallelism", "1", code=0)
    assert {room["description"] for room in logging_in.box.resources()} == {"new"}
    assert logins(logging_in) > 1


def test_a_refused_login_is_not_tried_by_the_writer_again(logging_in):
    logging_in.run("apply", "--yes", code=1, BB_ADMIN_PASSWORD="wrong")
    assert logins(logging_in) == 1
