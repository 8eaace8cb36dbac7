"""Times are shown in the time zone in which a manifest states them."""

BLOCK = {"resource": "hall", "start": "2027-07-01T09:00", "end": "2027-07-01T10:00", "timezone": "Europe/London"}


def test_a_block_is_shown_in_its_manifest_s_own_time(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    desk.declare("Block", "closed", BLOCK)
    text = desk.run("plan", code=0).out
    assert "2027-07-01 09:00 Europe/London" in text
    assert "UTC" not in text
    for form in ("markdown", "html"):
        assert "2027-07-01 09:00 Europe/London" in desk.run("plan", "--format", form, code=0).out
    changes = desk.run("plan", "--format", "json", code=0).json["changes"]
    (start,) = [item["after"] for item in changes[0]["fields"] if item["path"] == "start"]
    assert start == "2027-07-01T08:00:00Z"
    desk.run("apply", "--yes", code=0)
    desk.declare("Block", "closed", {**BLOCK, "end": "2027-07-01T11:30"})
    assert "2027-07-01 10:00 Europe/London → 2027-07-01 11:30 Europe/London" in desk.run("plan", code=0).out
    spec = {"resource": "hall", "start": "2027-07-01T09:00+01:00", "end": "2027-07-01T12:00+01:00"}
    desk.declare("Block", "closed", spec)
    assert "2027-07-01 12:00 +01:00" in desk.run("plan", code=0).out


def test_an_hour_that_happens_twice_is_shown_with_its_offset(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    spec = {**BLOCK, "start": "2027-10-31T01:15+01:00", "end": "2027-10-31T01:15+00:00"}
    desk.declare("Block", "closed", spec)
    text = desk.run("plan", code=0).out
    assert "2027-10-31 01:15+01:00 Europe/London" in text
    assert "2027-10-31 01:15+00:00 Europe/London" in text
