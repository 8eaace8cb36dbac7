"""A server that stores a text in another form: what means the same is the same, and any other form is reported once."""

from __future__ import annotations

import shutil
import unicodedata

import pytest

DECOMPOSED = unicodedata.normalize("NFD", "Caf\u00e9 \u00c5ngstr\u00f6m")
TEXT = f"{DECOMPOSED}\nsecond line\r\nthird line\n"
SESSION = {"name": DECOMPOSED, "group": DECOMPOSED, "type": "event", "start_date": "2027-03-01", "time": "10:00"}


def declare(desk, **resource):
    desk.declare("Session", "swim", {**SESSION, "description": TEXT})
    address = {"address1": DECOMPOSED, "postcode": "E12 8YH"}
    desk.declare("Resource", "court", {"name": DECOMPOSED, "description": TEXT, "address": address, **resource})


def forget(desk):
    shutil.rmtree(desk.folder / ".reconciler")


@pytest.mark.parametrize("spells", ["", "strip", "crlf", "lf", "nfc", "nfd", "strip,crlf,nfd"])
def test_what_means_the_same_is_the_same(desk, spells):
    desk.box.set_options(spells=spells, show_fields="all")
    declare(desk)
    desk.run("apply", "--yes", "--verify", code=0)
    desk.settled()
    desk.run("drift", code=0)
    forget(desk)
    plan = desk.run("plan", "--format", "json", code=0).json
    assert {risk["code"] for change in plan["changes"] for risk in change["risks"]} == {"already-exists"}
    desk.run("adopt", "--all", code=0)
    desk.settled()
    assert (len(desk.box.sessions()), len(desk.box.resources())) == (1, 1)


@pytest.mark.parametrize("spells", ["nfd", "nfc"])
def test_a_create_whose_answer_names_nothing_finds_its_object_in_another_form(desk, spells):
    desk.box.set_options(spells=spells, create_answer="none")
    declare(desk)
    desk.run("apply", "--yes", code=0)
    desk.settled()


@pytest.mark.parametrize(
    ("spells", "field", "stated", "stored"),
    [
        ("lower", "email", "Owner@Example.COM", "owner@example.com"),
        ("trim", "description", "Indoors ", "Indoors"),
        ("escape", "description", "R&B <club>", "R&amp;B &lt;club&gt;"),
        ("escape", "address", {"address1": "R&B Road"}, None),
    ],
)
def test_another_form_is_told_with_its_place_and_is_no_change_by_someone_else(desk, spells, field, stated, stored):
    desk.box.set_options(spells=spells)
    desk.declare("Resource", "court", {"name": "Court", field: stated})
    done = desk.run("apply", "--yes", code=0)
    path, words = (field, repr(stored)) if stored else ("address.address1", "'R&amp;B Road'")
    assert f"the server stores {path} as {words}" in done.out
    assert "write it so (manifests/resource-court.json:1)" in done.out
    desk.settled()
    plan = desk.run("plan", code=0)
    assert f"the server stores {path} as {words}" in plan.out + plan.err
    assert "changed outside" not in plan.out
    desk.run("drift", code=0)
    desk.box.clear_log()
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == []


def test_where_it_is_written_so_the_warning_ends(desk):
    desk.box.set_options(spells="lower")
    desk.declare("Resource", "court", {"name": "Court", "email": "Owner@Example.COM"})
    desk.run("apply", "--yes", code=0)
    desk.declare("Resource", "court", {"name": "Court", "email": "owner@example.com"})
    desk.box.clear_log()
    assert "the server stores" not in desk.run("apply", "--yes", code=0).out
    assert desk.calls() == []
    desk.settled()


def test_a_later_change_by_someone_else_is_a_change_although_only_the_case_differs(desk):
    desk.box.set_options(spells="lower")
    desk.declare("Resource", "court", {"name": "Court", "email": "Owner@Example.COM"})
    desk.run("apply", "--yes", code=0)
    (court,) = desk.box.resources()
    desk.box.edit_resource(court["id"], email="OWNER@example.com")
    desk.run("drift", code=2)
    desk.box.edit_resource(court["id"], email="owner@example.com", name="COURT")
    assert "changed outside" in desk.run("plan", "--detailed-exitcode", code=2).out
    desk.run("apply", "--yes", code=0)
    assert [item["name"] for item in desk.box.resources()] == ["Court"]


def test_a_value_that_is_no_other_form_is_still_a_failure(desk):
    desk.box.set_options(stores="description=Outdoors", spells="lower")
    desk.declare("Resource", "court", {"name": "Court", "email": "A@b.example", "description": "Indoors"})
    done = desk.run("apply", "--yes", code=3)
    assert "applied, but the server returns description 'Outdoors' instead of 'Indoors'" in done.out
    assert "email" not in done.out.partition("applied, but")[2].partition("\n")[0]
