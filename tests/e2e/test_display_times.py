"""Times are shown in the time zone in which a manifest states them, and objects as customers know them."""

import json

BLOCK = {"resource": "hall", "start": "2027-07-01T09:00", "end": "2027-07-01T10:00", "timezone": "Europe/London"}


def test_a_block_is_shown_in_its_manifest_s_own_time(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    desk.declare("Block", "closed", BLOCK)
    text = desk.run("plan", code=0).out
    assert "Thu 1 Jul 2027, 09:00 Europe/London" in text
    assert "UTC" not in text
    for form in ("markdown", "html"):
        assert "Thu 1 Jul 2027, 09:00 Europe/London" in desk.run("plan", "--format", form, code=0).out
    changes = desk.run("plan", "--format", "json", code=0).json["changes"]
    (start,) = [item["after"] for item in changes[0]["fields"] if item["path"] == "start"]
    assert start == "2027-07-01T08:00:00Z"
    desk.run("apply", "--yes", code=0)
    desk.declare("Block", "closed", {**BLOCK, "end": "2027-07-01T11:30"})
    assert "Thu 1 Jul 2027, 10:00 Europe/London → Thu 1 Jul 2027, 11:30 Europe/London" in desk.run("plan", code=0).out
    spec = {"resource": "hall", "start": "2027-07-01T09:00+01:00", "end": "2027-07-01T12:00+01:00"}
    desk.declare("Block", "closed", spec)
    assert "Thu 1 Jul 2027, 12:00 +01:00" in desk.run("plan", code=0).out


def test_an_hour_that_happens_twice_is_shown_with_its_offset(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    spec = {**BLOCK, "start": "2027-10-31T01:15+01:00", "end": "2027-10-31T01:15+00:00"}
    desk.declare("Block", "closed", spec)
    text = desk.run("plan", code=0).out
    assert "Sun 31 Oct 2027, 01:15+01:00 Europe/London" in text
    assert "Sun 31 Oct 2027, 01:15+00:00 Europe/London" in text


HALL_TITLE = "Block/closed · Hall, Thu 1 Jul 2027, 09:00–10:00"


def test_every_output_names_objects_as_customers_know_them(desk):
    desk.session(slots=[("2027-03-01", "11:00", 60), ("2027-03-08", "11:00", 60)])
    desk.declare("Resource", "hall", {"name": "Hall"})
    desk.declare("Block", "closed", BLOCK)
    yoga = 'Session/yoga "Yoga" · Mondays 11:00'
    for form in ("text", "markdown"):
        shown = desk.run("plan", "--format", form, code=0).out
        assert yoga in shown
        assert HALL_TITLE in shown
    page = desk.run("plan", "--format", "html", code=0).out
    assert "&#34;Yoga&#34; · Mondays 11:00" in page
    assert "Hall, Thu 1 Jul 2027, 09:00–10:00" in page
    changes = {item["address"]: item["title"] for item in desk.run("plan", "--format", "json", code=0).json["changes"]}
    assert changes == {
        "Block/closed": "Hall, Thu 1 Jul 2027, 09:00–10:00",
        "Resource/hall": '"Hall"',
        "Session/yoga": '"Yoga" · Mondays 11:00',
    }
    report = desk.run("apply", "--yes", "--format", "json", code=0).json
    assert {item["address"]: item["title"] for item in report["outcomes"]} == changes


def test_drift_and_a_deletion_show_a_block_in_the_time_of_its_project(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    desk.declare("Block", "closed", BLOCK)
    desk.declare("Block", "other", {**BLOCK, "start": "2027-08-01T09:00", "end": "2027-08-01T10:00"})
    desk.run("apply", "--yes", code=0)
    drift = desk.run("drift", "--format", "json", code=0).json
    assert {item["address"]: (item.get("title"), item.get("timezone")) for item in drift["objects"]}[
        "Block/closed"
    ] == (
        "Hall, Thu 1 Jul 2027, 09:00–10:00",
        "Europe/London",
    )
    desk.forget("Block", "closed")
    text = desk.run("plan", code=0).out
    assert HALL_TITLE in text
    assert "UTC" not in text


def test_a_report_says_what_changed_before_and_after(desk):
    desk.session(price=30)
    desk.run("apply", "--yes", code=0)
    desk.session(price=35, description="Bring a mat")
    desk.run("apply", "--yes", "--output", "r.json", "--output", "r.txt", code=0)
    document = json.loads((desk.folder / "r.json").read_text(encoding="utf-8"))
    (outcome,) = document["outcomes"]
    assert [(item["path"], item["before"], item["after"]) for item in outcome["fields"]] == [
        ("description", None, "Bring a mat"),
        ("price", "30.00", "35.00"),
    ]
    run = document["run"]
    assert run["started_at"] <= run["ended_at"]
    assert run["seconds"] >= 0
    assert (desk.folder / "r.txt").read_text(encoding="utf-8").count("30.00 → 35.00") == 1
