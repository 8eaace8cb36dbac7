"""A second live object where one is managed: every plan, drift and apply says so, until a person settles it."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from desk import PROJECT, until
from older_state import FIRST_VERSION

from reconciler.engine import intents
from reconciler.model.canonical import utc
from reconciler.sandbox import Fault, Sandbox

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00", "spaces": 9}
LIVE = {**SWIM, "type": 0}
HOURS = {"start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"}
FORMATS = ("text", "json", "markdown", "html")


def lose(desk, kind="drop_before", method="POST"):
    """Have the answer to a create lost; `drop_before`: the server has not carried it out."""
    desk.box.fault(Fault(kind=kind, match_method=method, times=1))


def made_again(desk):
    """Lose a create, look, make it again; then the server carries out the first one. Return both ids, ours first."""
    desk.declare("Session", "swim", SWIM)
    lose(desk)
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    (ours,) = desk.box.sessions()
    return str(ours["id"]), str(desk.box.add_session(LIVE))


def doubled(desk, command="plan", code=None):
    """Return what a command says may exist twice, by address."""
    found = desk.run(*command.split(), "--format", "json", code=code).json.get("problems", ())
    return {item["address"]: item for item in found if item["code"] == "possible-duplicate"}


def unsuspicious(desk):
    """Assert that nothing is said to exist twice, and that nothing is to do."""
    desk.settled()
    assert doubled(desk) == {}
    assert doubled(desk, "drift", code=0) == {}


def follow(desk, problem, beginning):
    """Run the commands of one way out, as its text names them."""
    way = next(way for way in re.split(r"; (?=to |if )", problem["hint"]) if way.startswith(beginning))
    for command in re.findall(r"reconciler ([^,;`]+)", way):
        writes = command.startswith(("apply", "destroy"))
        desk.run(*shlex.split(command), *(["--yes"] if writes else []), code=0)


def test_a_create_that_is_carried_out_after_the_second_one_is_reported_everywhere(desk):
    ours, late = made_again(desk)
    for command, code in (("plan", 0), ("plan --detailed-exitcode", 2), ("drift", 2), ("apply --yes", 3)):
        problem = doubled(desk, command, code)["Session/swim"]
        assert problem["severity"] == "warning"
        assert {ours, late} <= set(re.findall(r"\d+", problem["message"]))
        for form in FORMATS:
            done = desk.run(*command.split(), "--format", form, code=code)
            assert "possible" in done.out, (command, form)
            assert f"id {late}" in done.out.replace("&#8203;", ""), (command, form)
    assert len(desk.box.sessions()) == 2
    assert "1 possible duplicate" in desk.run("plan", code=0).out
    assert "No drift" not in desk.run("drift", code=2).out


@pytest.mark.parametrize("command", ["plan", "drift", "apply --yes"])
def test_a_saved_document_shows_it_again(desk, command):
    _, late = made_again(desk)
    desk.run(*command.split(), "--format", "json", "--output", "saved.json")
    assert f"id {late}" in desk.run("show", "saved.json", code=0).out


def test_a_server_that_holds_the_first_create_for_long_doubles_nothing_in_silence(desk, monkeypatch):
    desk.declare("Session", "swim", SWIM)
    desk.box.fault(Fault(kind="drop_early", match_method="POST", times=1, seconds=60))
    desk.run("apply", "--yes", code=3)
    monkeypatch.setattr(intents, "left_to_wait", lambda _: -1.0)  # as if nobody had to wait any more
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()) == 1
    unsuspicious(desk)
    desk.box.clear_faults()
    until(lambda: len(desk.box.sessions()) == 2)
    assert list(doubled(desk)) == ["Session/swim"]


@pytest.mark.parametrize("kind", ["Session", "Resource", "Block"])
@pytest.mark.parametrize("edit", ["remove", "destroy", "rename"])
def test_a_run_that_takes_the_natural_key_from_the_object_does_not_silence_the_report(desk, kind, edit):
    """No create was lost here: a gateway sent one twice, and both were carried out."""
    desk.declare("Resource", "other", {"name": "Other"})
    desk.declare("Resource", "court", {"name": "Court"})
    spec, changed = {
        "Session": (SWIM, {"name": "Swim 2"}),
        "Resource": ({"name": "Hall"}, {"name": "Hall 2"}),
        "Block": ({"resource": "court", **HOURS}, {"end": "2027-03-01T23:00Z"}),
    }[kind]
    desk.declare(kind, "it", spec)
    desk.run("apply", "--yes", code=0)
    court = next(item["id"] for item in desk.box.resources() if item["name"] == "Court")
    late = str(
        {
            "Session": lambda: desk.box.add_session(LIVE),
            "Resource": lambda: desk.box.add_resource({"name": "Hall"}),
            "Block": lambda: desk.box.add_block(court, "2027-03-01T20:00:00Z", "2027-03-01T22:00:00Z"),
        }[kind]()
    )
    address = f"{kind}/it"
    if edit == "rename":
        desk.declare(kind, "it", {**spec, **changed})
    elif edit == "remove":
        desk.forget(kind, "it")
    command = ["destroy", "--target", address] if edit == "destroy" else ["apply"]
    desk.run(*command, "--yes", code=3)
    for again in ("plan", "drift"):
        assert f"id {late} " in doubled(desk, again)[address]["message"]
    follow(desk, doubled(desk)[address], f"to delete id {late}")
    assert doubled(desk) == {}


def test_it_stops_no_change_of_another_object(desk):
    made_again(desk)
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    done = desk.run("apply", "--yes", "--format", "json", code=3).json
    assert {item["address"]: item["state"] for item in done["outcomes"]} == {
        "Session/swim": "noop",
        "Session/yoga": "applied",
    }
    assert list(doubled(desk)) == ["Session/swim"], "a run that writes must not take it for one that was there before"


def test_the_duplicate_is_deleted_with_the_commands_that_are_named(desk):
    ours, late = made_again(desk)
    follow(desk, doubled(desk)["Session/swim"], f"to delete id {late}")
    assert [str(item["id"]) for item in desk.box.sessions()] == [ours]
    unsuspicious(desk)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_duplicate_is_kept_instead_with_the_commands_that_are_named(desk, command):
    ours, late = made_again(desk)
    follow(desk, doubled(desk, command)["Session/swim"], f"to keep it and delete id {ours}")
    assert [str(item["id"]) for item in desk.box.sessions()] == [late]
    unsuspicious(desk)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_a_person_says_that_it_is_another_object(desk, command):
    _, late = made_again(desk)
    hint = doubled(desk, command)["Session/swim"]["hint"]
    said = re.search(r'metadata\.annotations: \{distinct-from: "([^"]+)"\}', hint)
    desk.declare("Session", "swim", SWIM, annotations={"distinct-from": said[1]})
    unsuspicious(desk)
    second = str(desk.box.add_session(LIVE))
    assert f'"{late}, {second}"' in doubled(desk, command)["Session/swim"]["hint"]


def test_a_duplicate_of_a_protected_object_is_deleted_and_the_object_stays(desk):
    ours, late = made_again(desk)
    desk.declare("Session", "swim", SWIM, protect=True)
    desk.run("apply", "--yes", code=3)
    problem = doubled(desk)["Session/swim"]
    assert "to keep it" not in problem["hint"]
    follow(desk, problem, f"to delete id {late}")
    assert [str(item["id"]) for item in desk.box.sessions()] == [ours]


def test_a_duplicate_that_is_booked_is_not_deleted_unasked(desk):
    _, late = made_again(desk)
    desk.box.book(next(item for item in desk.box.sessions() if str(item["id"]) == late)["slots"][0]["id"])
    desk.run("adopt", "Session/swim", late, "--as-duplicate", code=0)
    assert "--allow-booked Session/duplicate-" in desk.run("apply", "--yes", code=4).err
    assert len(desk.box.sessions()) == 2


def test_only_a_possible_duplicate_can_be_adopted_as_one(desk):
    made_again(desk)
    other = str(desk.box.add_session({**LIVE, "name": "Chess"}))
    assert "no possible duplicate" in desk.run("adopt", "Session/swim", other, "--as-duplicate", code=1).err
    assert "is not managed" in desk.run("adopt", "Session/nosuch", other, "--as-duplicate", code=1).err
    for arguments in (["--all"], ["Session/swim"], ["Session/swim", other, "--allow-shared", "Session/swim"]):
        desk.run("adopt", *arguments, "--as-duplicate", code=64)
    assert len(desk.run("state", "list", "--format", "json", code=0).json["objects"]) == 1


@pytest.mark.parametrize("owners", ["documented", "hinted"])
def test_duplicates_of_resources_and_blocks_are_reported(desk, owners):
    desk.box.set_options(block_owner="resource" if owners == "documented" else "person")
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Block", "night", {"resource": "court", "start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"})
    desk.run("apply", "--yes", code=0)
    unsuspicious(desk)
    (court,) = desk.box.resources()
    second = desk.box.add_block(court["id"], "2027-03-01T20:00:00Z", "2027-03-01T22:00:00Z")
    third = desk.box.add_resource({"name": "Court"})
    found = doubled(desk)
    assert sorted(found) == ["Block/night", "Resource/court"]
    assert doubled(desk, "drift", 2).keys() == found.keys()
    for address, late in (("Block/night", second), ("Resource/court", third)):
        desk.run("adopt", address, str(late), "--as-duplicate", code=0)
    desk.run("apply", "--yes", code=0)
    unsuspicious(desk)
    assert [item["id"] for item in desk.box.resources() if not item["deleted"]] == [court["id"]]


def test_a_resource_with_blocks_is_replaced_by_its_duplicate(desk):
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Block", "night", {"resource": "court", "start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"})
    desk.run("apply", "--yes", code=0)
    late = desk.box.add_resource({"name": "Court"})
    follow(desk, doubled(desk)["Resource/court"], "to keep it and delete")
    unsuspicious(desk)
    assert [item["id"] for item in desk.box.resources() if not item["deleted"]] == [late]


def test_a_look_costs_no_request_where_nothing_is_new(desk):
    desk.box.add_session({**LIVE, "start_date": "2027-04-01"})  # of the same name and group, on another day
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Block", "night", {"resource": "court", "start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"})
    desk.run("apply", "--yes", code=0)
    for command in ("plan", "drift"):
        desk.box.clear_log()
        desk.run(command, code=0)
        reads = sorted(entry.path for entry in desk.box.log() if not entry.path.endswith("login"))
        kinds = [re.sub(r"\d+", "N", path.rpartition("/")[2]) for path in reads]
        assert sorted(kinds) == ["N.xml", "resources", "sessions.xml", "slots"], reads


def test_what_was_there_before_it_was_created_or_adopted_is_no_duplicate(desk):
    first, second = str(desk.box.add_session(LIVE)), str(desk.box.add_session(LIVE))
    desk.declare("Session", "swim", SWIM)
    desk.run("adopt", "Session/swim", first, code=0)
    desk.run("apply", "--yes", code=0)
    unsuspicious(desk)
    third = str(desk.box.add_session(LIVE))
    found = doubled(desk)["Session/swim"]
    assert third in found["message"]
    assert second not in found["message"]


def test_classes_of_one_name_at_other_times_are_no_duplicates(desk):
    made_again(desk)
    (late,) = [item for item in desk.box.sessions() if item["id"] == max(each["id"] for each in desk.box.sessions())]
    desk.box.edit_session(late["id"], time="18:00")
    for slot in late["slots"]:
        desk.box.edit_slot(slot["id"], time="18:00")
    unsuspicious(desk)


def test_a_late_create_is_found_after_the_object_was_renamed_or_destroyed(desk):
    desk.declare("Session", "swim", SWIM)
    lose(desk)
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    desk.declare("Session", "swim", {**SWIM, "name": "Bath"})
    desk.run("apply", "--yes", code=0)
    late = str(desk.box.add_session(LIVE))
    assert late in doubled(desk)["Session/swim"]["message"]
    desk.box.delete("session", int(late))
    unsuspicious(desk)
    desk.run("destroy", "--yes", code=0)
    desk.forget("Session", "swim")
    desk.settled()
    late = str(desk.box.add_session(LIVE))
    for command, code in (("plan --detailed-exitcode", 2), ("drift", 2)):
        assert late in doubled(desk, command, code)["Session/swim"]["message"]
    follow(desk, doubled(desk)["Session/swim"], f"to delete id {late}")
    assert desk.box.sessions() == []
    unsuspicious(desk)


def test_a_late_create_of_what_was_destroyed_can_be_managed_or_left(desk):
    desk.declare("Session", "swim", SWIM)
    lose(desk)
    desk.run("apply", "--yes", code=3)
    desk.forget("Session", "swim")
    desk.run("apply", "--yes", "--allow-empty", code=0)
    late = str(desk.box.add_session(LIVE))
    problem = doubled(desk)["Session/swim"]
    follow(desk, problem, "if it is another object")
    unsuspicious(desk)
    assert [str(item["id"]) for item in desk.box.sessions()] == [late]


def test_a_renamed_address_keeps_its_doubt(desk):
    made_again(desk)
    desk.forget("Session", "swim")
    desk.declare("Session", "bath", SWIM, moved_from="swim")
    problem = doubled(desk)["Session/bath"]
    follow(desk, problem, "to delete id")
    assert len(desk.box.sessions()) == 1
    desk.run("apply", "--yes", code=0)
    unsuspicious(desk)


def test_a_second_connection_to_the_same_system_shows_it_once(desk):
    text = PROJECT.format(url=desk.box.url)
    sessions = text.split("    sessions:")[1].split("    admin:")[0]
    desk.project(text + "    other:" + sessions)
    desk.declare("Session", "swim", SWIM, connection="sessions")
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"}, connection="other")
    desk.run("apply", "--yes", code=0)
    unsuspicious(desk)
    desk.box.add_session(LIVE)
    assert list(doubled(desk)) == ["Session/swim"]


def test_what_another_environment_manages_is_no_duplicate(desk):
    text = PROJECT.format(url=desk.box.url)
    desk.project(text + "  environments: {theirs: {values: []}}\n")
    desk.declare("Session", "swim", SWIM)
    desk.run("apply", "--yes", code=0)
    ours = str(desk.box.sessions()[0]["id"])
    theirs = str(desk.box.add_session(LIVE))
    assert list(doubled(desk)) == ["Session/swim"]
    desk.run("adopt", "Session/swim", theirs, "--env", "theirs", code=0)
    assert doubled(desk) == {}
    assert ours not in str(doubled(desk, "plan --env theirs"))


def test_a_state_of_the_first_version_reports_what_it_cannot_tell_apart(desk):
    desk.declare("Session", "swim", SWIM)
    desk.run("apply", "--yes", code=0)
    with sqlite3.connect(desk.folder / ".reconciler" / "state.db") as connection:
        for statement in FIRST_VERSION:
            connection.execute(statement)
    connection.close()
    unsuspicious(desk)
    late = str(desk.box.add_session(LIVE))
    assert "is not known to have been there before" in doubled(desk)["Session/swim"]["message"]
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    assert "Migrated the state" in desk.run("apply", "--yes", code=3).err
    assert late in doubled(desk)["Session/swim"]["message"]


def test_a_doubt_ends_after_days_but_not_while_its_object_is_there(desk, monkeypatch):
    def write(name):
        desk.declare("Session", name, {**SWIM, "name": name.title()})
        desk.run("apply", "--yes")

    desk.declare("Session", "swim", SWIM)
    lose(desk)
    desk.run("apply", "--yes", code=3)
    desk.forget("Session", "swim")
    desk.run("apply", "--yes", "--allow-empty", code=0)
    with sqlite3.connect(desk.folder / ".reconciler" / "state.db") as connection:
        old = utc(datetime.now(UTC) - timedelta(days=8))
        connection.execute("UPDATE reconciler_doubts SET started_at = ?", (old,))
    connection.close()
    late = desk.box.add_session(LIVE)
    write("yoga")
    assert str(late) in doubled(desk)["Session/swim"]["message"]
    desk.box.delete("session", late)
    write("zumba")
    desk.box.add_session(LIVE)
    unsuspicious(desk)


def test_a_backup_of_the_state_keeps_the_doubt(desk):
    desk.declare("Session", "swim", SWIM)
    lose(desk)
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    desk.run("apply", "--yes", code=0)
    desk.run("state", "rm", "Session/yoga", code=0)
    (kept,) = (desk.folder / ".reconciler" / "backups").glob("*-rm.db")
    (desk.folder / ".reconciler" / "state.db").unlink()
    desk.run("state", "restore", str(kept), code=0)
    desk.run("destroy", "--yes", code=0)
    desk.forget("Session", "swim")
    desk.forget("Session", "yoga")
    late = str(desk.box.add_session(LIVE))
    assert late in doubled(desk)["Session/swim"]["message"]


def test_a_new_look_alike_that_cannot_be_read_is_said_and_blocks_nothing(desk):
    made_again(desk)
    desk.box.fault(
        Fault(kind="status_before", status=500, match_method="GET", match_path="/api/sessions/124", times=None)
    )
    plan = desk.run("plan", "--detailed-exitcode", "--format", "json", code=2).json
    (problem,) = plan["problems"]
    assert problem["code"] == "possible-duplicate"
    assert "could not be read" in problem["message"]
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    desk.run("apply", "--yes", code=3)
    assert len(desk.box.sessions()) == 3
    desk.box.clear_faults()
    assert list(doubled(desk)) == ["Session/swim"]


def test_of_two_lost_creates_the_one_that_is_not_adopted_is_reported(desk):
    desk.declare("Session", "swim", SWIM)
    for kind in ("drop_before", "drop_after"):
        lose(desk, kind)
        desk.run("apply", "--yes", code=3)
    ours, late = str(desk.box.sessions()[0]["id"]), str(desk.box.add_session(LIVE))
    assert "2 live objects could be its result" in desk.run("plan", code=1).out
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    desk.run("apply", "--yes", code=3)
    desk.run("adopt", "Session/swim", ours, code=0)
    assert late in doubled(desk)["Session/swim"]["message"]


def test_a_duplicate_on_the_new_system_of_a_replaced_object_is_reported(desk):
    with Sandbox() as box:
        text = PROJECT.format(url=desk.box.url)
        second = text.split("    sessions:")[1].split("    admin:")[0].replace(desk.box.url, box.url)
        desk.project(text + "    other:" + second)
        desk.declare("Session", "swim", SWIM, connection="sessions")
        desk.run("apply", "--yes", code=0)
        desk.declare("Session", "swim", SWIM, connection="other")
        box.fault(Fault(kind="drop_before", match_method="POST", times=1))
        desk.run("apply", "--yes", "--trust-host", "127.0.0.1", code=3)
        desk.run("apply", "--yes", code=0)
        unsuspicious(desk)
        late = str(box.add_session(LIVE))
        assert late in doubled(desk)["Session/swim"]["message"]


def test_a_selection_is_about_what_it_selects(desk):
    made_again(desk)
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    assert doubled(desk, "plan --target Session/yoga") == {}
    desk.run("apply", "--yes", "--target", "Session/yoga", code=0)
    assert list(doubled(desk, "plan --target Session/swim")) == ["Session/swim"]


def test_a_plan_that_was_saved_before_is_still_applied_and_says_so(desk):
    made_again(desk)
    desk.declare("Session", "swim", {**SWIM, "price": 7})
    desk.run("plan", "--out", "pr.plan", code=0)
    done = desk.run("apply", "pr.plan", "--yes", "--format", "json", code=3).json
    assert done["summary"]["applied"] == 1
    assert [item["code"] for item in done["problems"]] == ["possible-duplicate"]
    assert json.loads((desk.folder / "pr.plan").read_text(encoding="utf-8"))["problems"]
