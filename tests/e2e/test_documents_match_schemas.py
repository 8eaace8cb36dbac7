"""Every document of real runs is what its published schema says, under whatever the runs met."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
from desk import PROJECT
from guarded import course, hours, moved, project, room
from holding import CREDENTIALS as SHOP
from holding import PROJECT as SHOP_PROJECT
from holding import ROOM

from reconciler.sandbox import Fault, Sandbox

SCHEMAS = Path(__file__).parents[2] / "schemas"
FORGET = "apiVersion: reconciler/v1\nkind: Removed\nmetadata: {name: old}\nspec: {forget: [Resource/other]}\n"


@functools.cache
def validator(name):
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def documented(desk, kind, *arguments, code=0):
    """Run a command, hold its document against the schema and against what `show` makes of it, and return it."""
    done = desk.run(*arguments, "--format", "json", code=code)
    validator(kind).validate(done.json)
    (desk.folder / "document.json").write_text(done.out, encoding="utf-8")
    for form in ("text", "markdown", "html"):
        desk.run("show", "document.json", "--format", form, code=0)
    assert desk.run("show", "document.json", "--format", "json", code=0).out == done.out
    return done.json


def everything(desk):
    """A first apply; then something to create, update, delete, move and forget, and something at risk."""
    project(desk, "currency: GBP")
    course(desk)
    room(desk)
    room(desk, "gone")
    start, end = hours(0, 2)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    desk.run("apply", "--yes", code=0)
    moved(desk)
    desk.forget("Resource", "gone")
    desk.forget("Resource", "other")
    desk.manifest("removed.yaml", FORGET)
    desk.forget("Resource", "room")
    desk.declare("Resource", "hall", {"name": "The room", "disabled": True}, moved_from="room")
    desk.declare("Block", "works", {"resource": "hall", "start": start, "end": hours(0, 3)[1]})
    room(desk, "new")


def seen(desk):
    assert desk.box.sessions()


def blind(desk):
    desk.box.set_options(slot_counts="no", bookings_list="forbidden")
    desk.box.fault(Fault(kind="status_before", match_method="GET", match_path="/slots", status=500, times=None))


@pytest.mark.parametrize("view", [seen, blind])
def test_plans_and_reports_of_all_kinds_of_change(desk, view):
    everything(desk)
    view(desk)
    blinded = view is blind
    plan = documented(desk, "plan", "plan", code=1 if blinded else 0)
    assert plan["summary"]["unknown"] == (1 if blinded else 0)
    documented(desk, "drift", "drift", code=1 if blinded else 0)
    documented(desk, "report", "apply", "--yes", code=4)
    desk.box.clear_faults()
    report = documented(desk, "report", "apply", "--yes", "--verify", "--allow-booked", "*", code=0)
    assert {item["state"] for item in report["outcomes"]} == {"applied"}
    assert [item["address"] for item in report["outcomes"] if item.get("forget")] == ["Resource/other"]
    documented(desk, "plan", "plan")
    documented(desk, "report", "destroy", "--yes", code=4)
    documented(desk, "report", "destroy", "--yes", "--verify", "--allow-booked", "*")
    documented(desk, "drift", "drift", code=2)  # nothing is managed, and objects are declared


def test_plans_of_what_exists_is_broken_or_cannot_be_reached(desk):
    desk.box.add_resource({"name": "The room"})
    room(desk)
    documented(desk, "plan", "plan")
    desk.run("adopt", "--all", code=0)
    desk.run("apply", "--yes", code=0)
    desk.box.edit_resource(desk.box.resources()[0]["id"], name="Another")
    documented(desk, "drift", "drift", code=2)
    desk.box.delete("resource", desk.box.resources()[0]["id"])
    documented(desk, "drift", "drift", code=2)
    desk.manifest("broken.yaml", "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: Bad}\nspec: {nam: x}\n")
    plan = documented(desk, "plan", "plan", code=1)
    assert plan["problems"]
    (desk.folder / "manifests" / "broken.yaml").unlink()
    desk.box.fault(Fault(kind="status_before", match_path="/resources", status=503, times=None))
    plan = documented(desk, "plan", "plan", code=1)
    assert plan["summary"]["unknown"] == 1


def test_reports_of_what_failed_was_lost_or_waits(desk):
    room(desk)
    room(desk, "other")
    start, end = hours(0, 2)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    desk.box.fault(Fault(kind="status_before", match_method="POST", match_path="/resources", status=422, times=1))
    report = documented(desk, "report", "apply", "--yes", "--parallelism", "1", code=3)
    assert report["summary"]["failed"] == 1
    desk.box.fault(Fault(kind="drop_after", match_method="POST", match_path="/resources", times=1))
    report = documented(desk, "report", "apply", "--yes", code=3)
    assert {"unknown"} <= {item["state"] for item in report["outcomes"]}


def test_documents_of_another_connection_and_of_held_bookings(desk):
    with Sandbox() as elsewhere:
        second = PROJECT.format(url=elsewhere.url).split("  connections:\n")[1].split("    admin:")[0]
        desk.project(PROJECT.format(url=desk.box.url) + second.replace("sessions:", "other:", 1))
        desk.env["RECONCILER_TRUST_HOSTS"] = urlsplit(elsewhere.url).netloc
        spec = {"name": "Yoga", "type": "event", "group": "Body", "start_date": "2027-03-01", "time": "11:00"}
        desk.declare("Session", "yoga", spec, connection="sessions")
        desk.run("apply", "--yes", code=0)
        desk.declare("Session", "yoga", spec, connection="other")
        plan = documented(desk, "plan", "plan")
        assert plan["summary"]["replace"] == 1
        documented(desk, "report", "apply", "--yes")
        desk.forget("Session", "yoga")
        desk.run("apply", "--yes", "--allow-empty", code=0)
    desk.env |= SHOP
    desk.project(SHOP_PROJECT.format(url=desk.box.url))
    for wish in ("recreate", "forget"):
        desk.declare("BookingSession", wish, {"on_expiry": wish, "items": [ROOM]})
    documented(desk, "report", "apply", "--yes")
    desk.box.expire_sessions()
    documented(desk, "drift", "drift", code=2)
    documented(desk, "plan", "plan")
    documented(desk, "report", "apply", "--yes")
