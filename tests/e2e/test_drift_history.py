"""Drift says since when, who applied last, what is ignored or not managed, and which fields two sides fight over."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from desk import PROJECT, Desk
from guarded import project, room
from older_state import FIRST_VERSION

from reconciler.state.holder import myself
from reconciler.state.lease import hold
from reconciler.state.store import Store

EARLY = "2026-01-01T00:00:00Z"


def drift(desk, *arguments, code=2):
    done = desk.run("drift", "--format", "json", *arguments, code=code)
    return {item["address"]: item for item in done.json["objects"]}


def field(desk, path="description", address="Resource/room", **more):
    return {item["path"]: item for item in drift(desk, **more)[address]["fields"]}[path]


def by_hand(desk, **values):
    """Change the first room as someone in the web interface would."""
    desk.box.edit_resource(desk.box.resources()[0]["id"], **values)


def sql(desk, *statements):
    with closing(sqlite3.connect(desk.folder / ".reconciler" / "state.db")) as state, state:
        return [state.execute(statement).fetchall() for statement in statements]


@pytest.fixture
def applied(desk):
    room(desk, description="10.00", email="a@example.com")
    desk.run("apply", "--yes", code=0)
    return desk


def test_a_change_keeps_the_day_on_which_it_was_first_seen(applied):
    by_hand(applied, description="12.00")
    first = drift(applied)["Resource/room"]
    assert first["since"] == first["fields"][0]["since"]
    sql(applied, f"UPDATE reconciler_drift SET sightings = replace(sightings, '{first['since']}', '{EARLY}')")
    by_hand(applied, description="13.00", email="b@example.com")
    found = drift(applied)["Resource/room"]
    assert found["since"] == EARLY
    assert {item["path"]: item["since"] == EARLY for item in found["fields"]} == {"email": False, "description": True}
    assert f"since {EARLY} (first seen)" in applied.run("drift", code=2).out


def test_what_comes_back_has_a_new_beginning(applied):
    by_hand(applied, description="12.00")
    drift(applied)
    sql(applied, 'UPDATE reconciler_drift SET sightings = replace(sightings, \'"since": "20\', \'"since": "19\')')
    by_hand(applied, description="10.00")
    assert drift(applied, code=0)["Resource/room"]["status"] == "in_sync"
    by_hand(applied, description="12.00")
    found = field(applied)
    assert found["since"].startswith("20")
    assert "fight" not in found


def test_a_missing_object_has_a_day_too(applied):
    applied.box.delete("resource", applied.box.resources()[0]["id"])
    found = drift(applied)["Resource/room"]
    assert found["status"] == "missing"
    assert found["since"] == drift(applied)["Resource/room"]["since"]


def test_the_last_applier_is_named_with_the_facts_of_the_pipeline(desk):
    room(desk, description="10.00")
    facts = {
        "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "maria", "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/timetable", "GITHUB_RUN_ID": "77",
    }  # fmt: skip
    desk.run("apply", "--yes", code=0, **facts)
    by_hand(desk, description="12.00")
    applied = drift(desk)["Resource/room"]["applied"]
    assert (applied["command"], applied["context"]["actor"]) == ("apply", "maria")
    assert applied["context"]["run_url"] == "https://github.com/acme/timetable/actions/runs/77"
    words = desk.run("drift", code=2).out
    assert f"last applied {applied['at']} by maria, run {applied['run_id']}" in words


def test_drift_remembers_nothing_if_it_is_asked_not_to(applied):
    by_hand(applied, description="12.00")
    assert "since" not in drift(applied, "--no-record")["Resource/room"]
    assert sql(applied, "SELECT * FROM reconciler_drift") == [[]]
    assert "since" in drift(applied)["Resource/room"]
    assert "since" in drift(applied, "--no-record")["Resource/room"]


def test_a_lock_that_another_run_holds_does_not_hinder_drift(applied):
    by_hand(applied, description="12.00")
    with closing(Store(f"sqlite:///{applied.folder}/.reconciler/state.db", project="acme")) as store:
        with hold(store, "r2"):
            assert "since" not in drift(applied)["Resource/room"]
        assert store.claim(myself("r3")) is None
        store.release("r3")
    assert "since" in drift(applied)["Resource/room"]


def test_a_state_of_an_older_version_is_not_migrated_by_drift(applied):
    sql(applied, *FIRST_VERSION)
    by_hand(applied, description="12.00")
    found = drift(applied)["Resource/room"]
    assert found["applied"].keys() == {"at"}
    assert "since" not in found
    assert sql(applied, "SELECT value FROM reconciler_meta WHERE key = 'schema_version'") == [[("1",)]]


def runner(desk, folder):
    """Return a desk that was never there before: only the state on the branch of a Git remote is shared."""
    folder.mkdir()
    new = Desk(folder, desk.box)
    state = f"  state: git+file://{desk.folder}/state.git#reconciler-state\n"
    new.project(PROJECT.format(url=desk.box.url) + state)
    room(new, description="10.00")
    return new


@pytest.mark.slow
def test_since_survives_runners_that_are_thrown_away(desk, tmp_path):
    subprocess.run(["git", "init", "-q", "--bare", str(desk.folder / "state.git")], check=True)
    runner(desk, tmp_path / "one").run("apply", "--yes", code=0)
    by_hand(desk, description="12.00")
    first = drift(runner(desk, tmp_path / "two"))["Resource/room"]
    assert first["since"] == drift(runner(desk, tmp_path / "three"))["Resource/room"]["since"]
    assert first["applied"]["command"] == "apply"
    hook = desk.folder / "state.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    by_hand(desk, email="b@example.com", description="10.00")
    runner(desk, tmp_path / "four").run("drift", code=0)  # a state that cannot be written hinders no report


def test_a_field_that_two_sides_set_again_and_again_is_a_fight(applied):
    by_hand(applied, description="12.00")
    assert "fight" not in field(applied)
    applied.run("apply", "--yes", code=0)
    assert drift(applied, code=0)["Resource/room"]["status"] == "in_sync"
    by_hand(applied, description="12.00")
    found = field(applied)["fight"]
    assert (found["changes"], found["applied"], found["live"]) == (3, "10.00", "12.00")
    words = applied.run("drift", code=2).out
    assert "description has changed 3 times between 10.00 (applied by " in words
    assert " and 12.00 (outside) since " in words
    for form in ("markdown", "html"):
        assert "has changed 3 times between" in applied.run("drift", "--format", form, code=2).out
    assert "Stop one side: an entry in drift.ignore, `reconciler drift --accept Resource/room`, or ask who" in words
    applied.run("drift", "--accept", "Resource/room", code=0)
    applied.run("apply", "--yes", code=0)
    applied.run("drift", code=0)


def test_a_fight_is_seen_without_a_drift_check_between_two_applies(applied):
    for _ in range(2):
        by_hand(applied, description="12.00")
        applied.run("apply", "--yes", code=0)
    by_hand(applied, description="12.50")
    found = field(applied)["fight"]
    assert (found["changes"], found["live"]) == (5, "12.50")


def test_the_history_of_a_field_is_bounded(applied):
    for number in range(13):
        by_hand(applied, description=f"12.{number:02}")
        applied.run("apply", "--yes", code=0)
    (((kept,),),) = sql(applied, "SELECT sightings FROM reconciler_drift")
    assert len(json.loads(kept)["description"]) == 10


IGNORE = "drift: {ignore: [{address: 'Resource/*', field: description, reason: 'set by the box office'%s}]}"


def test_ignored_drift_is_shown_with_its_reason_and_does_not_count(applied):
    project(applied, IGNORE % "")
    by_hand(applied, description="12.00")
    done = applied.run("drift", code=0)
    assert ". Resource/room" in done.out
    assert "ignored description: set by the box office" in done.out
    assert "1 object has ignored drift." in done.out
    document = applied.run("drift", "--format", "json", code=0).json
    assert (document["summary"]["changed"], document["summary"]["ignored"]) == (0, 1)
    assert document["objects"][0]["fields"][0]["ignored"] == {"reason": "set by the box office"}
    by_hand(applied, email="b@example.com")
    assert drift(applied)["Resource/room"]["status"] == "changed"


def test_ignored_drift_is_still_repaired_by_apply(applied):
    project(applied, IGNORE % "")
    by_hand(applied, description="12.00")
    assert applied.run("plan", "--detailed-exitcode", code=2)
    applied.run("apply", "--yes", code=0)
    assert str(applied.box.resources()[0]["description"]).startswith("10")


def test_an_entry_holds_through_its_last_day_and_is_a_warning_after_it(applied):
    today = datetime.now(UTC).date()
    project(applied, IGNORE % f", until: {today + timedelta(days=1)}")
    by_hand(applied, description="12.00")
    assert f"(until {today + timedelta(days=1)})" in applied.run("drift", code=0).out
    project(applied, IGNORE % f", until: {today - timedelta(days=1)}")
    done = applied.run("drift", code=2)
    assert f"ended on {today - timedelta(days=1)} and ignores nothing" in done.out
    document = applied.run("drift", "--format", "json", code=2)
    assert [note["code"] for note in document.json["notes"]] == ["drift-ignore-expired"]
    assert "reconciler.yaml:" in document.err


def test_an_entry_that_covers_nothing_is_named_for_those_who_ask(applied):
    project(applied, IGNORE % "")
    assert "covers no change" not in applied.run("drift", code=0).out
    assert "the entry for Resource/* description covers no change" in applied.run("drift", "-v", code=0).out


def test_an_entry_without_a_field_covers_an_object_that_is_missing(applied):
    project(applied, "drift: {ignore: [{address: Resource/room, reason: it is being rebuilt}]}")
    applied.box.delete("resource", applied.box.resources()[0]["id"])
    found = drift(applied, code=0)["Resource/room"]
    assert (found["status"], found["ignored"]) == ("ignored", {"reason": "it is being rebuilt"})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{address: Resource/room}", "reason"),
        ("{address: Resource/room, reason: x, until: 2027-02-30}", "February 2027 has 28 days"),
        ("{address: Resource/room, reason: x, fields: y}", 'did you mean "field"'),
    ],
)
def test_an_entry_must_say_what_and_why(desk, entry, words):
    project(desk, f"drift: {{ignore: [{entry}]}}")
    assert words in desk.run("validate", code=1).err


def test_live_objects_that_are_not_managed_are_reported_if_asked(applied):
    applied.box.add_resource({"name": "Annexe"})
    assert drift(applied, code=0).keys() == {"Resource/room"}
    done = applied.run("drift", "--unmanaged", code=2)
    live = applied.box.resources()[1]["id"]
    assert f'+ Resource/annexe "Annexe" (id {live})  not managed: name' in done.out
    assert "reconciler export Resource/annexe --out manifests" in done.out
    assert f"reconciler adopt Resource/annexe {live}" in done.out
    found = drift(applied, "--unmanaged")["Resource/annexe"]
    assert found["since"] == drift(applied, "--unmanaged")["Resource/annexe"]["since"]
    for command in found["adopt"]:
        applied.run(*command.split()[1:], code=0)
    assert drift(applied, "--unmanaged", code=0)["Resource/annexe"]["status"] == "in_sync"
    applied.run("plan", "--detailed-exitcode", code=0)


def test_an_object_that_a_manifest_declares_needs_only_adopt(applied):
    live = applied.box.add_resource({"name": "The hall"})
    room(applied, "hall")
    found = drift(applied, "--unmanaged")["Resource/hall"]
    assert found["adopt"] == [f"reconciler adopt Resource/hall {live}"]


def test_what_another_project_manages_is_not_unmanaged(applied):
    live = applied.box.add_resource({"name": "The hall"})
    applied.project(PROJECT.format(url=applied.box.url) + "  environments: {test: {}}\n")
    room(applied, "hall")
    applied.run("adopt", "Resource/hall", str(live), "--env", "test", code=0)
    applied.forget("Resource", "hall")
    assert "Resource/hall" not in drift(applied, "--unmanaged", code=0)


def test_unmanaged_objects_can_be_ignored_and_selected(applied):
    applied.box.add_resource({"name": "Annexe"})
    assert "Resource/annexe" not in drift(applied, "--unmanaged", "--target", "Resource/room", code=0)
    project(applied, "drift: {ignore: [{address: 'Resource/ann*', reason: not ours}]}")
    assert drift(applied, "--unmanaged", code=0)["Resource/annexe"]["status"] == "ignored"
