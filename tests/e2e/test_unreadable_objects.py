"""What was wanted and could not be read stops a run before its first write, unless it is left out by name."""

from __future__ import annotations

import shlex

import pytest
from desk import CREDENTIALS, PROJECT

from reconciler.sandbox import Fault

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00", "price": 5}
LOGIN = "auth_token: {{env: BB_TOKEN}}"


@pytest.fixture
def two(desk):
    """A project with an object on each of two connections; the second one logs in."""
    text = PROJECT.replace(LOGIN, "email: {{env: BB_EMAIL}}, password: {{env: BB_OWNER}}").format(url=desk.box.url)
    desk.project(text)
    desk.env |= {"BB_EMAIL": desk.box.options.email, "BB_OWNER": desk.box.options.admin_password, **CREDENTIALS}
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", {"name": "Court"})
    return desk


def written(desk):
    return [call for call in desk.calls() if "/login/" not in call]


def test_a_login_that_is_refused_on_one_of_two_connections_writes_nothing_on_the_other(two):
    done = two.run("apply", "--yes", "--format", "json", code=4, BB_OWNER="wrong")
    assert written(two) == []
    assert "401: wrong credentials for connection `admin`" in done.err
    assert "--allow-unknown Resource/court" in done.err
    assert {item["address"]: item["state"] for item in done.json["outcomes"]} == {
        "Resource/court": "unknown",
        "Session/swim": "blocked",
    }
    done = two.run("apply", "--yes", "--allow-unknown", "Resource/court", code=3, BB_OWNER="wrong")
    assert written(two) == ["POST /api/sessions.xml"]
    two.run("apply", "--yes", code=0)
    two.settled()


def test_the_plan_says_that_apply_would_refuse(two):
    done = two.run("plan", code=1, BB_OWNER="wrong")
    assert "apply would refuse" in done.out
    assert "--allow-unknown Resource/court" in done.out


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_one_object_that_cannot_be_read_stops_the_others(two, command):
    two.run("apply", "--yes", code=0)
    two.declare("Resource", "court", {"name": "Court 1"})
    (session,) = two.box.sessions()
    two.box.fault(Fault(kind="status_before", status=500, match_path=rf"/{session['id']}\.xml", times=None))
    two.box.clear_log()
    two.run(command, "--yes", code=4)
    assert written(two) == []
    two.run(command, "--yes", "--allow-unknown", "Session/*", code=3)
    assert len(written(two)) == 1


def test_a_plan_with_an_unknown_object_is_saved_and_applied_without_it(two):
    two.run("apply", "--yes", code=0)
    two.declare("Resource", "court", {"name": "Court 1"})
    (session,) = two.box.sessions()
    two.box.fault(Fault(kind="status_before", status=500, match_path=rf"/{session['id']}\.xml", times=None))
    two.box.clear_log()
    done = two.run("plan", "--out", "saved.plan", code=1)
    assert "Saved to saved.plan. Apply would refuse it, for the reasons above." in done.err
    two.run("apply", "saved.plan", "--yes", code=4)
    done = two.run("plan", "--out", "saved.plan", "--allow-unknown", "Session/*", code=1)
    command = done.err.partition("To apply exactly this plan: `reconciler ")[2].partition("`")[0]
    assert written(two) == []
    done = two.run(*shlex.split(command), "--yes", "--format", "json", code=3)
    assert {item["address"]: item["state"] for item in done.json["outcomes"]} == {
        "Resource/court": "applied",
        "Session/swim": "unknown",
    }
    assert len(written(two)) == 1


def test_a_saved_plan_is_stale_once_its_unknown_object_can_be_read(two):
    two.run("apply", "--yes", code=0)
    two.declare("Resource", "court", {"name": "Court 1"})
    two.box.fault(Fault(kind="status_before", status=500, match_path=r"/\d+\.xml", times=None))
    two.run("plan", "--out", "saved.plan", code=1)
    two.box.clear_faults()
    two.box.clear_log()
    assert "Session/swim" in two.run("apply", "saved.plan", "--yes", code=5).err
    assert written(two) == []


def test_what_the_user_left_out_need_not_be_readable(two):
    two.run("apply", "--yes", "--target", "Session/*", code=0, BB_OWNER="wrong")
    two.run("apply", "--yes", "--exclude", "Resource/*", code=0, BB_OWNER="wrong")


def test_with_nothing_else_to_write_the_run_ends_with_the_object_unknown(two):
    two.run("apply", "--yes", code=0)
    two.run("apply", "--yes", code=3, BB_OWNER="wrong")


def test_an_option_that_names_no_object_is_wrong_usage(two):
    two.run("apply", "--yes", "--allow-unknown", "Session/nobody", code=64)


def test_an_object_between_two_pages_that_move_is_no_new_object(two):
    two.box.set_options(page_size=2, max_page_size=2)
    ids = [two.box.add_resource({"name": f"Hall {number}"}) for number in range(4)]
    two.declare("Resource", "court", {"name": "Hall 2"})
    two.box.fault(Fault(kind="shift_before", match_method="GET", match_path=r"/resources$", after=1))
    done = two.run("plan", "--target", "Resource/court", "--detailed-exitcode", code=4)
    assert f"id {ids[2]}" in done.out
    assert sum(item["name"] == "Hall 2" for item in two.box.resources()) == 1
