import pytest

from reconciler.kinds import block, resource
from reconciler.model.objects import Address, Manifest, Ref, SourceRef


class Nowhere:
    def locate(self, path, **_):
        return SourceRef("block.yaml", len(path), 1)


def manifest(name="closed", **spec):
    return Manifest(address=Address("Block", name), spec=spec, positions=Nowhere())


def test_every_field_of_a_resource_has_one_spelling():
    spec = {
        "name": "Court 1",
        "disabled": "true",
        "price": 35,
        "position": "3",
        "never_booked": 0,
        "count": 2.0,
        "address": {"postcode": "N1"},
        "address_id": 77,
    }
    once = resource.canonical(spec)
    assert once == {
        "name": "Court 1",
        "disabled": True,
        "price": "35.00",
        "position": 3,
        "never_booked": False,
        "count": 2,
        "address": {"postcode": "N1"},
        "address_id": "77",
    }
    assert resource.canonical(once) == once


def test_a_resource_is_known_by_its_reference_then_by_its_name():
    assert resource.identities({"name": "Court", "api_ref": "c1"}) == (("api_ref", "c1"), ("name", "Court"))
    assert resource.identities({"name": "Court", "api_ref": ""}) == (("name", "Court"),)
    assert resource.identities({}) == ()


@pytest.mark.parametrize(
    ("spec", "start"),
    [
        ({"start": "2027-01-10T09:00", "timezone": "Europe/London"}, "2027-01-10T09:00:00Z"),
        ({"start": "2027-07-10T09:00", "timezone": "Europe/London"}, "2027-07-10T08:00:00Z"),
        ({"start": "2027-07-10T09:00+02:00", "timezone": "Europe/London"}, "2027-07-10T07:00:00Z"),
        ({"start": "2027-07-10T09:00Z"}, "2027-07-10T09:00:00Z"),
        ({"start": "2027-10-31T01:30+01:00", "timezone": "Europe/London"}, "2027-10-31T00:30:00Z"),
    ],
)
def test_a_blocks_times_are_instants(spec, start):
    assert block.canonical(spec)["start"] == start


def test_a_blocks_resource_id_is_text():
    assert block.canonical({"resource_id": 12}) == {"resource_id": "12"}


def codes(**spec):
    return [item.code for item in block.check(manifest(**spec))]


@pytest.mark.parametrize("time", ["2027-03-28T01:30", "2027-10-31T01:30"])
def test_a_local_time_that_a_clock_change_skips_or_repeats_is_an_error(time):
    spec = {"start": time, "end": "2027-12-01T09:00", "timezone": "Europe/London"}
    assert codes(**spec) == ["bad-local-time"]


def test_a_repeated_hour_is_distinguished_by_its_offset():
    (problem,) = block.check(manifest(start="2027-10-31T01:30", end="2027-10-31T09:00", timezone="Europe/London"))
    assert "2027-10-31T01:30:00+01:00 or 2027-10-31T01:30:00+00:00" in problem.summary
    assert codes(start="2027-10-31T01:30+00:00", end="2027-10-31T09:00", timezone="Europe/London") == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"start": "2027-03-01T09:00", "end": "2027-03-01T10:00", "timezone": "Mars/Base"},
            ["unknown-timezone"],
        ),
        ({"start": "2027-03-01T09:00Z", "end": "2027-03-01T09:00Z"}, ["end-before-start"]),
        ({"start": "2027-03-01T09:00Z", "end": "2027-03-01T09:30+01:00"}, ["end-before-start"]),
        ({"start": "2027-03-01T09:00Z", "end": "2027-03-01T09:01Z"}, []),
        ({"start": "soon", "end": "2027-03-01T09:01Z"}, ["bad-local-time"]),
    ],
)
def test_what_is_wrong_with_a_blocks_times(spec, expected):
    assert codes(**spec) == expected


def test_an_instant_outside_of_utc_is_refused():
    with pytest.raises(ValueError, match="year"):
        block.canonical({"start": "0001-01-01T00:00+14:00"})


def together(*manifests):
    return [(item.severity, str(item.address)) for item in block.check_together(manifests)]


def hour(name, start, end, **more):
    return manifest(name, start=f"2027-03-01T{start}Z", end=f"2027-03-01T{end}Z", **{"resource": "court", **more})


def test_blocks_of_one_resource_that_overlap_are_warned_of():
    found = together(hour("b", "09:30", "11:00"), hour("a", "09:00", "10:00"))
    assert found == [("warning", "Block/b")]


def test_blocks_that_touch_or_are_of_another_resource_do_not_overlap():
    assert together(hour("a", "09:00", "10:00"), hour("b", "10:00", "11:00")) == []
    assert together(hour("a", "09:00", "10:00"), hour("b", "09:00", "10:00", resource="hall")) == []


def test_a_short_block_inside_a_long_one_does_not_hide_the_next_overlap():
    found = together(hour("a", "09:00", "12:00"), hour("b", "09:30", "10:00"), hour("c", "11:00", "13:00"))
    assert found == [("warning", "Block/b"), ("warning", "Block/c")]


def test_a_block_that_cannot_be_understood_does_not_hide_the_others():
    assert together(hour("a", "09:00", "10:00"), manifest("x", start="soon"), hour("b", "09:00", "10:00")) == [
        ("warning", "Block/b")
    ]


def test_a_block_is_known_by_resource_and_times_once_its_resource_has_an_id():
    times = {"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}
    assert block.identities({"resource_id": "7", **times}) == (("7", times["start"], times["end"]),)
    assert block.identities({"resource_id": Ref(Address("Resource", "court")), **times}) == ()
    assert block.identities(times) == ()
