"""`drift --accept`: live values go into the manifest or the values file, and every other byte stays."""

from __future__ import annotations

import os

import pytest
from desk import PROJECT
from holding import BIKES, KAYAKS

import reconciler

MANIFEST = """\
# The spring timetable
apiVersion: reconciler/v1
kind: Session   # a class
metadata: {name: yoga, labels: {season: 'spring'}}
spec:
    name: "Yoga"
    group:   'Body & Mind'
    type: course
    repeat: custom
    price:   35.00    # per place
    spaces: 12
    description: |   # for the website
      Bring a mat.
      Doors open at 10.

    slots:          # the first term
    - {date: 2027-03-01, time: 11:00, duration: 60}   # opening
    # the second
    - {date: 2027-03-08, time: 11:00, duration: 60}
    -   date: "2027-03-15"
        time: '09:30'
        duration: 90
"""
OTHER = """
---
apiVersion: reconciler/v1
kind: Session
metadata: {name: swim}
spec: {name: Swim, group: Pool, type: event, start_date: 2027-03-01, time: "10:00", price: 8}
"""


@pytest.fixture(autouse=True)
def _answers_all(box):
    box.set_options(show_fields="all")


@pytest.fixture
def applied(desk):
    desk.manifest("classes.yaml", MANIFEST + OTHER)
    desk.run("apply", "--yes", code=0)
    return desk


def live(desk, name="Yoga"):
    return next(item for item in desk.box.sessions() if item["name"] == name)


def text(desk, name="classes.yaml"):
    return (desk.folder / "manifests" / name).read_bytes().decode("utf-8")


def accepted(desk, *patterns, code=0):
    """Accept drift; afterwards the manifests are valid, and a plan changes at most what is recorded."""
    done = desk.run("drift", *(word for each in patterns for word in ("--accept", each)), code=code)
    if code == 0:
        desk.run("validate", code=0)
        plan = desk.run("plan", "--format", "json", code=0).json
        assert all(change["action"] == "noop" for change in plan["changes"]), plan["changes"]
        assert {code for change in plan["changes"] for code in change.get("record", ())} <= {"baseline"}
    return done


def test_only_the_value_changes(applied):
    before = text(applied)
    applied.box.edit_session(live(applied)["id"], price="40.00", spaces=15)
    done = accepted(applied, "Session/yoga")
    assert text(applied) == before.replace("price:   35.00    # per", "price:   40.00    # per").replace(
        "spaces: 12", "spaces: 15"
    )
    assert "manifests/classes.yaml:10:14: Session/yoga: price is the live value" in done.err
    found = applied.run("drift", "--format", "json", code=2).json["objects"]
    assert all(field["declared"] for item in found for field in item["fields"])
    applied.run("apply", "--yes", code=0)
    applied.run("drift", code=0)


def test_a_text_of_several_lines_keeps_its_form_and_comment(applied):
    before = text(applied)
    applied.box.edit_session(live(applied)["id"], description="Bring a mat.\nDoors open at 9.\n")
    accepted(applied, "Session/*")
    assert text(applied) == before.replace("Doors open at 10.", "Doors open at 9.")


def test_slots_are_changed_added_and_removed_one_by_one(applied):
    before = text(applied)
    slots = live(applied)["slots"]
    applied.box.edit_slot(slots[0]["id"], time="12:15")
    applied.box.delete("slot", slots[1]["id"])
    accepted(applied, "Session/yoga")
    found = applied.run("drift", "--format", "json", code=2).json["objects"]
    assert all(field["declared"] for item in found for field in item["fields"])
    changed = before.replace("2027-03-01, time: 11:00", "2027-03-01, time: 12:15")
    assert text(applied) == changed.replace("    - {date: 2027-03-08, time: 11:00, duration: 60}\n", "")


def test_line_ends_and_a_byte_order_mark_stay(desk):
    content = b"\xef\xbb\xbf" + (MANIFEST + OTHER).replace("\n", "\r\n").encode()
    (desk.folder / "manifests" / "classes.yaml").write_bytes(content)
    desk.run("apply", "--yes", code=0)
    desk.box.edit_session(live(desk)["id"], price="41.50", description="One\nTwo\nThree\n")
    accepted(desk, "Session/yoga")
    changed = (desk.folder / "manifests" / "classes.yaml").read_bytes()
    assert changed == content.replace(b"35.00 ", b"41.50 ").replace(
        b"Bring a mat.\r\n      Doors open at 10.", b"One\r\n      Two\r\n      Three"
    )


def test_json_stays_json(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    before = text(desk, "session-yoga.json")
    slot = live(desk)["slots"][1]
    desk.box.edit_session(live(desk)["id"], price="40.00", name='Yoga "for all"')
    desk.box.edit_slot(slot["id"], time="12:00")
    accepted(desk, "Session/yoga")
    changed = before.replace('"price": 35', '"price": 40.00').replace('"name": "Yoga"', '"name": "Yoga \\"for all\\""')
    assert text(desk, "session-yoga.json") == changed.replace(
        '8",\n        "time": "11:00"', '8",\n        "time": "12:00"'
    )


def test_a_dry_run_shows_the_edit_and_changes_nothing(applied):
    before = text(applied)
    applied.box.edit_session(live(applied)["id"], price="40.00")
    done = applied.run("drift", "--accept", "Session/yoga", "--dry-run", code=0)
    assert "-    price:   35.00    # per place\n+    price:   40.00    # per place\n" in done.out
    assert "--- a/manifests/classes.yaml\n+++ b/manifests/classes.yaml\n" in done.out
    assert text(applied) == before
    assert applied.run("drift", "--accept", "Session/yoga", "--diff", code=0).out == done.out
    assert text(applied) != before


def test_nothing_is_written_to_a_remote_system_or_to_the_state(applied):
    applied.box.edit_session(live(applied)["id"], price="40.00")
    state = (applied.folder / ".reconciler" / "state.db").read_bytes()
    applied.box.clear_log()
    applied.run("drift", "--accept", "Session/yoga", code=0)
    assert applied.calls() == []
    assert (applied.folder / ".reconciler" / "state.db").read_bytes() == state


def test_without_drift_there_is_nothing_to_accept(applied):
    before = text(applied)
    assert "Nothing to accept" in applied.run("drift", "--accept", "Session/*", code=0).err
    assert text(applied) == before
    assert "matches no object" in applied.run("drift", "--accept", "Session/none", code=64).err


@pytest.mark.parametrize("options", [(), ("--diff",), ("--dry-run",)])
def test_what_was_accepted_already_changes_no_file(applied, options):
    applied.box.edit_session(123, name="Gentle Yoga")
    applied.run("drift", "--accept", "Session/*", code=0)
    done = applied.run("drift", "--accept", "Session/*", *options, code=0)
    assert "No file changed: the manifests have these values already, and the next apply records them." in done.err
    assert (done.out, "Changed " in done.err) == ("", False)


def test_all_or_nothing(applied):
    before = text(applied)
    applied.box.edit_session(live(applied)["id"], price="40.00")
    applied.box.delete("session", live(applied, "Swim")["id"])
    done = accepted(applied, "Session/*", code=1)
    assert text(applied) == before
    assert "Session/swim: is missing" in done.err
    assert "reconciler state rm Session/swim" in done.err
    assert "reconciler apply --target Session/swim" in done.err
    applied.run("apply", "--target", "Session/swim", "--yes", code=0)
    applied.box.delete("session", live(applied, "Swim")["id"])
    applied.run("state", "rm", "Session/swim", code=0)
    applied.run("drift", "--accept", "Session/*", code=0)


VALUES = "# prices\nprices:\n  adult:   35.00   # since 2026\n  child: 8\n"


def templated(desk, price="{{ values.prices.adult }}", other="8"):
    desk.project(PROJECT.format(url=desk.box.url) + "  values: [values.yaml]\n")
    (desk.folder / "values.yaml").write_text(VALUES, encoding="utf-8")
    desk.manifest(
        "classes.yaml",
        MANIFEST.replace("35.00", f'"{price}"') + OTHER.replace("price: 8", f'price: "{other}"'),
    )
    desk.run("apply", "--yes", code=0)
    desk.box.edit_session(live(desk)["id"], price="40.00")
    return desk.folder / "values.yaml"


def test_a_value_that_only_this_field_uses_is_changed_in_its_values_file(desk):
    file, before = templated(desk), None
    before = text(desk)
    accepted(desk, "Session/yoga")
    assert file.read_text(encoding="utf-8") == VALUES.replace("35.00", "40.00")
    assert text(desk) == before


def test_the_values_file_of_the_environment_is_the_one_that_changes(desk):
    more = "  values: [values.yaml]\n  environments: {prod: {values: [prod.yaml]}}\n"
    desk.project(PROJECT.format(url=desk.box.url) + more)
    desk.manifest("classes.yaml", MANIFEST.replace("35.00", '"{{ values.prices.adult }}"'))
    (desk.folder / "values.yaml").write_text(VALUES, encoding="utf-8")
    (desk.folder / "prod.yaml").write_text("prices: {adult: 36.00}\n", encoding="utf-8")
    desk.run("apply", "--yes", "--env", "prod", code=0)
    desk.box.edit_session(live(desk)["id"], price="44.00")
    desk.run("drift", "--accept", "Session/yoga", "--env", "prod", code=0)
    assert (desk.folder / "prod.yaml").read_text(encoding="utf-8") == "prices: {adult: 44.00}\n"
    assert (desk.folder / "values.yaml").read_text(encoding="utf-8") == VALUES


@pytest.mark.parametrize("other", ["{{ values.prices.adult }}", "{{ values.prices.adult - 27 }}"])
def test_a_value_that_others_use_is_refused_with_their_names(desk, other):
    file, before = templated(desk, other=other), None
    before = file.read_bytes()
    done = accepted(desk, "Session/yoga", code=1)
    assert file.read_bytes() == before
    assert (
        "manifests/classes.yaml:10:14: Session/yoga: price: values.prices.adult is also used by Session/swim "
        in done.err
    )
    assert "(manifests/classes.yaml:28:" in done.err


@pytest.mark.parametrize("price", ["{{ values.prices.adult + 0 }}", "3{{ values.prices.child - 3 }}.00"])
def test_a_computed_value_is_refused_with_its_place(desk, price):
    before, _ = templated(desk, price).read_bytes(), None
    done = accepted(desk, "Session/yoga", code=1)
    assert "manifests/classes.yaml:10:14: Session/yoga: price: its template" in done.err
    assert (desk.folder / "values.yaml").read_bytes() == before


def test_a_value_behind_an_alias_is_refused(desk):
    manifest = MANIFEST.replace("price:   35.00", "price:   &price 35.00").replace(
        "spaces: 12", "spaces: 12\n    min_cancel: 0"
    )
    desk.manifest("classes.yaml", manifest + OTHER.replace("spec: {", "spec: {"))
    desk.run("apply", "--yes", code=0)
    desk.box.edit_session(live(desk)["id"], price="40.00")
    accepted(desk, "Session/yoga")
    assert "price:   &price 40.00    # per place" in text(desk)


def test_a_text_that_looks_like_a_template_stays_a_text(applied):
    applied.box.edit_session(live(applied)["id"], name="Yoga {{ values.x }} # no comment")
    accepted(applied, "Session/yoga")


def test_a_file_that_cannot_be_written_is_named(applied):
    applied.box.edit_session(live(applied)["id"], price="40.00")
    file = applied.folder / "manifests" / "classes.yaml"
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    file.chmod(0o400)
    assert "cannot write manifests/classes.yaml" in applied.run("drift", "--accept", "Session/yoga", code=1).err


@pytest.mark.parametrize(
    "arguments", [["--dry-run"], ["--diff"], ["--accept", "x", "--format", "json"], ["--accept", "x", "--target", "y"]]
)
def test_options_that_do_not_go_together_are_wrong_usage(desk, arguments):
    desk.run("drift", *arguments, code=64)


ROOMS = """\
apiVersion: reconciler/v1
kind: Resource
metadata: {name: court}
spec:
  name: Court 1
  description: hard court
  address:
    address1: 1 High St   # the gate
    postcode: "AB1 2CD"
---
apiVersion: reconciler/v1
kind: Resource
metadata: {name: hall}
spec: {name: Hall}
---
apiVersion: reconciler/v1
kind: Block
metadata: {name: closed}
spec:
  resource: court
  start: 2027-06-01T09:00   # local
  end: 2027-06-01 17:00
  timezone: Europe/London
"""


def test_references_local_times_and_parts_of_an_address_keep_their_form(desk):
    desk.manifest("rooms.yaml", ROOMS)
    desk.run("apply", "--yes", code=0)
    court, hall = (item["id"] for item in desk.box.resources())
    desk.box.edit_slot(desk.box.slots()[0]["id"], start="2027-06-01T10:30:00Z", resource_id=hall)
    desk.box.edit_resource(court, address={"postcode": "XY9 9ZZ"}, description="two\nlines")
    done = accepted(desk, "*")
    assert "Block/closed: start is the live value: Tue 1 Jun 2027, 11:30 Europe/London" in done.err
    assert text(desk, "rooms.yaml") == (
        ROOMS.replace("description: hard court", "description: |-\n    two\n    lines")
        .replace('"AB1 2CD"', '"XY9 9ZZ"')
        .replace("resource: court", "resource: hall")
        .replace("2027-06-01T09:00 ", "2027-06-01T11:30 ")
    )


def test_a_reference_to_what_is_not_managed_is_refused(desk):
    desk.manifest("rooms.yaml", ROOMS)
    desk.run("apply", "--yes", code=0)
    other = desk.box.add_resource({"name": "Annexe"})
    desk.box.edit_slot(desk.box.slots()[0]["id"], resource_id=int(other))
    done = accepted(desk, "Block/*", code=1)
    assert "rooms.yaml:20:13: Block/closed: resource_id: the live object refers to id" in done.err
    assert text(desk, "rooms.yaml") == ROOMS


def test_a_reference_is_to_an_object_of_its_kind_whatever_else_has_the_same_id(desk):
    desk.manifest("rooms.yaml", ROOMS + OTHER)
    desk.run("apply", "--yes", code=0)
    same = live(desk, "Swim")["id"]
    while (annexe := int(desk.box.add_resource({"name": "Annexe"}))) < int(same):
        pass
    added = "---\napiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: annexe}\nspec: {name: Annexe}\n"
    desk.manifest("rooms.yaml", ROOMS + OTHER + added)
    desk.run("adopt", "Resource/annexe", str(annexe), code=0)
    desk.box.edit_slot(desk.box.slots()[0]["id"], resource_id=annexe)
    accepted(desk, "Block/*")
    assert text(desk, "rooms.yaml") == (ROOMS + OTHER + added).replace("resource: court", "resource: annexe")


def test_an_item_of_a_held_booking_is_found_by_its_key(holding):
    holding.box.set_options(altered_slip="kept", line_fields="all")
    holding.hold([BIKES, KAYAKS])
    holding.applied()
    file = holding.folder / "manifests" / "group.json"
    before = file.read_text(encoding="utf-8")
    line = next(item for item in holding.box.holds()[0]["lines"] if item["item_id"] == 21)
    holding.box.edit_line(holding.session_id, line["line_id"], params={"qty": 5})
    holding._run(lambda session, declared: reconciler.accept(session, declared, ["*"]).write())
    assert file.read_text(encoding="utf-8") == before.replace('"quantity": 3', '"quantity": 5')
    assert {code for change in holding.plan().plan.changes for code in change.remembers} == {"baseline"}
