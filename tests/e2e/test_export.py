"""Taking over what is live: export, validate, adopt --all, and nothing is left to change, whatever is answered."""

from __future__ import annotations

import pytest
from combinations import bookingbug_servers, first_quick
from desk import PROJECT

import reconciler
from reconciler.model import canonical
from reconciler.sandbox import Options
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.hostile import ODD_NAMES

CHOICES = [(name, value) for name, values in Options.choices().items() for value in values[1:]]
NUMBERS = [("page_size", 1), ("page_size", 2), ("max_page_size", 1), ("company_zone", "America/New_York")]
ROWS = bookingbug_servers()
TOGETHER = [
    {"show_fields": "all", "resource_fields": "all", "block_owner": "person"},
    {"show_fields": "all", "number_style": "fixed", "boolean_style": "digit", "time_style": "unpadded"},
    {"show_fields": "all", "empty_style": "absent", "list_order": "newest", "slot_order": "id"},
    {"resource_fields": "all", "slot_end": "no", "datetime_style": "millis", "company_zone": "Australia/Lord_Howe"},
    {"next_links": "misleading", "page_size": 1, "max_page_size": 1, "list_shows_deleted": "no"},
]
WINDOW = ("--from", "2031-01-01", "--until", "2031-12-31")


def furnish(desk):
    """A few objects of each kind: odd names, doubles, custom slots, what no manifest may state."""
    day = {"start_date": "2031-03-03", "end_date": "2031-03-03", "time": "09:30", "repeat": 0, "type": 0}
    for name in ("Spin", "Spin", "", "{{ values.x }} No", "Яблоко 🍏"):
        desk.box.add_session({**day, "name": name, "group": "12:30", "description": f"{name}\n  text: #1 "})
    slots = [{"date": "2031-03-03", "time": "11:00", "duration": 45}, {"date": "2031-03-10"}]
    course = {"name": "Course", "group": "No", "type": 1, "repeat": 6, "duration": 60, "time": "09:30", "price": "35.5"}
    desk.box.add_session({**course, "slots": slots})
    desk.box.add_session({**day, "name": "Weekly", "group": "G", "repeat": 1, "type": 2, "end_date": "2031-05-26"})
    address = {"address1": "1 High Street", "postcode": "010"}
    rooms = [
        desk.box.add_resource({"name": "Room", "api_ref": "1e5", "address": address, "price": 20, "position": 3}),
        desk.box.add_resource({"name": "Room", "email": "front desk", "disabled": True}),
        desk.box.add_resource({"name": "", "count": 2}),
    ]
    desk.box.add_resource({"name": "Gone", "deleted": True})
    for room in rooms:
        desk.box.add_block(room, "2031-03-30T00:30:00+00:00", "2031-03-30T01:30:00+00:00")
    desk.box.add_block(rooms[0], "2031-03-30T00:30:00+00:00", "2031-03-30T01:30:00+00:00")


def take_over(desk):
    """Export, validate, adopt, plan, apply; return the exported files by path."""
    desk.run("export", "--out", "manifests", *WINDOW, code=0)
    files = {path: path.read_text(encoding="utf-8") for path in sorted((desk.folder / "manifests").rglob("*.yaml"))}
    desk.run("validate", code=0)
    desk.run("adopt", "--all", code=0)
    desk.settled()
    desk.box.clear_log()
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == []
    again = desk.run("export", "--out", "manifests", *WINDOW, code=0)
    assert " 0 written" in again.err
    assert files == {path: path.read_text(encoding="utf-8") for path in (desk.folder / "manifests").rglob("*.yaml")}
    return files


@pytest.mark.slow
def test_the_hostile_company_is_taken_over_without_a_single_writing_call(desk):
    desk.box.set_options(show_fields="all", resource_fields="all")
    desk.box.reset("hostile")
    desk.box.clear_log()
    files = take_over(desk)
    managed = desk.run("state", "list", "--format", "json", code=0).json["objects"]
    counts = {
        kind: sum(item["address"].startswith(kind) for item in managed) for kind in ("Session", "Resource", "Block")
    }
    assert all(count >= 100 for count in counts.values()), counts
    live = len(desk.box.sessions()) + len(desk.box.resources()) - 1 + 112  # one resource is deleted
    assert len(files) == live
    assert len(managed) == live - 1  # a resource without a name cannot be declared; its file says so
    declared = reconciler.declare(reconciler.open_project(desk.folder)).desired.values()
    names = {item.fields.get("name") for item in declared}
    assert {canonical.text(name) for name in ODD_NAMES if name} <= names
    assert any("adopt-id" in text for text in files.values())


def test_the_seeded_company_is_exported_to_files_that_one_would_name_so(desk):
    desk.box.reset("company")
    desk.run("export", "--out", "manifests", "--from", "2027-04-01", "--until", "2027-07-31", code=0)
    made = {path.relative_to(desk.folder).as_posix() for path in (desk.folder / "manifests").rglob("*.yaml")}
    names = ("sessions/pool-lane-swim", "resources/main-hall", "blocks/studio-2-2027-06-24-1200")
    assert {f"manifests/{name}.yaml" for name in names} <= made
    assert len(made) == 20 + 8 + 4
    desk.run("validate", code=0)
    desk.run("adopt", "--all", code=0)
    desk.settled()


@pytest.mark.parametrize(
    "options", first_quick(ROWS, quick=4), ids=lambda options: f"{options['show_fields']}-{ROWS.index(options)}"
)
def test_nothing_is_left_to_change_under_every_pair_of_choices(desk, options):
    desk.box.set_options(**options)
    furnish(desk)
    take_over(desk)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [*CHOICES, *NUMBERS], ids=str)
def test_nothing_is_left_to_change_under_each_choice(desk, name, value):
    desk.box.set_options(**{name: value})
    furnish(desk)
    take_over(desk)


@pytest.mark.slow
@pytest.mark.parametrize("options", TOGETHER, ids="-".join)
def test_nothing_is_left_to_change_under_choices_together(desk, options):
    desk.box.set_options(**options)
    furnish(desk)
    take_over(desk)


def test_outside_edits_are_taken_over_by_another_export(desk):
    desk.box.set_options(show_fields="all", resource_fields="all")
    furnish(desk)
    take_over(desk)
    course = next(item for item in desk.box.sessions() if item["name"] == "Course")
    desk.box.edit_session(course["id"], price="40.00", name="Course: second edition")
    desk.box.edit_slot(course["slots"][0]["id"], time="12:15")
    desk.box.edit_resource(desk.box.resources()[0]["id"], name="Room 1", address={"postcode": "N1"})
    refused = desk.run("export", "--out", "manifests", *WINDOW, code=1)
    assert "manifests/sessions/course.yaml already exists with different content" in refused.err
    assert "nothing was written" in refused.err
    assert desk.run("plan", "--detailed-exitcode", code=2)
    done = desk.run("export", "--out", "manifests", "--force", *WINDOW, code=0)
    assert " 2 written" in done.err
    plan = desk.run("plan", "--detailed-exitcode", "--format", "json", code=2).json
    assert [change["record"] for change in plan["changes"] if "record" in change] == [["baseline"]] * 2
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert desk.calls() == []


def test_one_stream_to_stdout_is_a_whole_set_of_manifests(desk):
    furnish(desk)
    done = desk.run("export", *WINDOW, code=0)
    (desk.folder / "manifests" / "all.yaml").write_text(done.out, encoding="utf-8")
    desk.run("validate", code=0)
    desk.run("adopt", "--all", code=0)
    desk.settled()
    assert desk.run("export", *WINDOW, code=0).out == done.out
    assert "Blocks from 2031-01-01 until 2031-12-31" in done.err


def test_the_order_of_lists_and_the_hash_seed_change_nothing(desk):
    furnish(desk)
    first = desk.process("export", *WINDOW, code=0, PYTHONHASHSEED="1").out
    desk.box.set_options(list_order="newest", page_size=2)
    assert desk.process("export", *WINDOW, code=0, PYTHONHASHSEED="2").out == first


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--kind", "Session", "--match", "Cou*"), ["sessions/course"]),
        (("Session/course",), ["sessions/course"]),
        (("Session/*", "--match", "session/*", "--match", "Weekly"), ["sessions/weekly"]),
        (("--connection", "sessions", "--match", "*🍏"), ["sessions/yabloko-green-apple"]),
        (("--kind", "Resource", "--match", "room-1?"), ["resources/room-13", "resources/room-14"]),
    ],
)
def test_a_choice_of_objects(desk, arguments, expected):
    furnish(desk)
    desk.run("export", "--out", "chosen", *arguments, *WINDOW, code=0)
    found = sorted(path.relative_to(desk.folder / "chosen") for path in (desk.folder / "chosen").rglob("*.yaml"))
    assert [str(path.with_suffix("")) for path in found] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("Session/coarse",),
        ("--kind", "Sesion"),
        ("--connection", "nosuch"),
        ("--connection", "sessions", "--kind", "Block"),
        ("--force",),
        ("--from", "2031-02-01", "--until", "2031-01-01"),
        ("--from", "soon"),
        ("--until", "2031-06-31"),
        ("--from", "9999-12-31"),
    ],
)
def test_wrong_usage(desk, arguments):
    furnish(desk)
    desk.run("export", *arguments, code=64)


def test_a_block_names_its_resource_only_where_that_will_be_declared(desk):
    room = desk.box.add_resource({"name": "Hall"})
    desk.box.add_block(room, "2031-03-30T00:30:00Z", "2031-03-30T01:30:00Z")
    alone = desk.run("export", "--kind", "Block", *WINDOW, code=0).out
    assert f"resource_id: {room}" in alone
    assert "name: hall-2031-03-30-0030" in alone
    assert "resource: hall\n" in desk.run("export", *WINDOW, code=0).out
    desk.declare("Resource", "main-hall", {"name": "Hall"})
    assert "resource: main-hall\n" in desk.run("export", "--kind", "Block", *WINDOW, code=0).out


def test_what_is_declared_keeps_its_address_and_is_not_declared_twice(desk):
    furnish(desk)
    desk.declare(
        "Session", "my-course", {"name": "Course", "group": "No", "start_date": "2031-03-03"}, labels={"a": "b"}
    )
    desk.run("adopt", "--all", code=0)
    done = desk.run("export", "--out", "manifests", *WINDOW, code=0)
    assert "Skipped Session/my-course: manifests/session-my-course.json already declares it" in done.err
    desk.run("validate", code=0)
    shown = desk.run("export", "Session/my-course", code=0).out
    assert "name: my-course" in shown
    assert "labels:\n    a: b" in shown
    desk.run("export", "--out", "elsewhere", *WINDOW, code=0)
    assert (desk.folder / "elsewhere/sessions/my-course.yaml").exists()


def test_what_cannot_be_read_is_reported_and_the_rest_is_written(desk):
    furnish(desk)
    number = desk.box.sessions()[0]["id"]
    fault = Fault(kind="status_before", match_path=f"/api/sessions/{number}.xml", status=500, times=None)
    desk.box.fault(fault)
    done = desk.run("export", "--out", "manifests", *WINDOW, code=1)
    assert f"Session on connection sessions, id {number}, could not be read" in done.err
    assert len(list((desk.folder / "manifests/sessions").iterdir())) == 6
    desk.box.clear_faults()
    desk.box.fault(Fault(kind="status_before", match_path="/api/sessions.xml", status=500, times=None))
    done = desk.run("export", *WINDOW, code=1)
    assert "the list of every Session on connection sessions could not be read" in done.err
    assert "kind: Resource" in done.out


def test_a_session_that_disappears_while_it_is_read_is_reported(desk):
    furnish(desk)
    number = desk.box.sessions()[0]["id"]
    desk.box.fault(Fault(kind="status_before", match_path=f"/api/sessions/{number}.xml", status=404, times=None))
    done = desk.run("export", *WINDOW, code=1)
    assert f"id {number}, could not be read: show returned 404, but the list contains it" in done.err


def test_a_refused_value_stands_in_a_comment_and_in_a_warning(desk):
    room = desk.box.add_resource({"name": "Desk", "email": "front desk"})
    done = desk.run("export", code=0)
    assert "# email: front desk\n" in done.out
    assert 'warning: email is not exported: email is "front desk"; expected an email address' in done.err
    desk.box.edit_resource(room, name="")
    done = desk.run("export", code=0)
    assert "cannot be declared: name is missing" in done.err
    assert all(line.startswith("#") for line in done.out.splitlines())


def test_it_only_reads_and_writes_no_half_file(desk):
    furnish(desk)
    desk.box.clear_log()
    desk.run("export", "--out", "manifests", *WINDOW, code=0)
    assert desk.calls() == []
    assert [path.name for path in (desk.folder / "manifests").rglob(".*")] == []
    assert not (desk.folder / ".reconciler").exists()


def test_without_any_manifest_folder_it_works_and_says_how_it_went(desk):
    (desk.folder / "manifests").rmdir()
    furnish(desk)
    done = desk.run("export", "--out", "manifests", *WINDOW, code=0)
    assert "Exported 14 objects (4 Block, 3 Resource, 7 Session) to manifests: 14 written, 0 unchanged." in done.err
    (desk.folder / "mine").touch()
    modes = {path.stat().st_mode for path in (desk.folder / "manifests").rglob("*.yaml")}
    assert modes == {(desk.folder / "mine").stat().st_mode}


def test_a_credential_that_a_live_field_repeats_is_written_nowhere(desk):
    word = desk.env["BB_TOKEN"] = "Pineapple-Tin-Roof"
    desk.box.set_options(auth_token=word)
    desk.box.add_resource({"name": word, "description": f"ask for {word}"})
    desk.box.add_resource({"name": "Desk", "description": f"ask for {word}"})
    done = desk.run("export", "--out", "manifests", code=0)
    texts = [path.read_text(encoding="utf-8") for path in (desk.folder / "manifests").rglob("*.yaml")]
    names = [path.name for path in (desk.folder / "manifests").rglob("*.yaml")]
    assert len(texts) == 2
    assert word.lower() not in " ".join([*texts, *names, done.err, done.out]).lower()
    assert "it contains a credential of this project" in done.err
    desk.run("validate", code=0)


TWO_DOORS = """\
    again:
      provider: bookingbug-sessions
      base_url: {url}
      auth: {{username: {{env: BB_USERNAME}}, password: {{env: BB_PASSWORD}}}}
"""


def test_two_connections_to_one_system_never_manage_one_object_twice(desk):
    desk.project((PROJECT + TWO_DOORS).format(url=desk.box.url))
    furnish(desk)
    desk.run("export", "--connection", "sessions", "--out", "manifests", "--match", "Course", code=0)
    assert "  connection: sessions\n" in (desk.folder / "manifests/sessions/course.yaml").read_text(encoding="utf-8")
    desk.run("adopt", "--all", code=0)
    assert "name: Course" not in desk.run("export", "--connection", "again", code=0).out
    spec = {"name": "Course", "group": "No", "start_date": "2031-03-03"}
    desk.declare("Session", "again", spec, connection="again")
    done = desk.run("adopt", "--all", code=1)
    assert "Session/again: no unmanaged live object has its natural key" in done.err
    desk.declare("Session", "weekly", {**spec, "name": "Weekly", "group": "G"}, connection="sessions")
    desk.declare("Session", "weekly-too", {**spec, "name": "Weekly", "group": "G"}, connection="again")
    assert "Adopted 1 object (1 Session); 2 not adopted" in desk.run("adopt", "--all", code=1).err


def test_a_system_that_cannot_be_reached_is_the_error_not_the_address(desk):
    furnish(desk)
    desk.box.fault(Fault(kind="status_before", match_path="/api/sessions", status=503, times=None))
    done = desk.run("export", "Session/course", code=1)
    assert "could not be read" in done.err
    assert "matches no live object" not in done.err


def test_what_is_managed_and_can_no_longer_be_declared_keeps_its_manifest(desk):
    furnish(desk)
    files = take_over(desk)
    room = desk.box.resources()[0]["id"]
    desk.box.edit_resource(room, name="")
    done = desk.run("export", "--out", "manifests", "--force", *WINDOW, code=0)
    assert f"Kept the manifest of Resource/room-{room}: a manifest cannot express its live state." in done.err
    assert {path: path.read_text(encoding="utf-8") for path in files} == files
    desk.run("validate", code=0)
    plan = desk.run("plan", "--format", "json", code=0).json
    assert plan["summary"]["delete"] == 0
    assert plan["summary"]["update"] == 1
