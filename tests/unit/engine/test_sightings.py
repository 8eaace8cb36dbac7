"""What drift remembers of each field: when a change began, when it ended, and when two sides fight."""

from __future__ import annotations

import json

import pytest

from reconciler import redaction
from reconciler.engine.ignore import judge
from reconciler.engine.sightings import KEPT, PATHS, brief, dated, fight, observed, repaired
from reconciler.model.change import Change, FieldChange
from reconciler.model.objects import Address, Record, SourceRef
from reconciler.model.report import Drifted
from reconciler.model.sighting import DriftedField, Sighting
from reconciler.settings import DriftIgnore

YOGA = Address("Session", "yoga")


def record(run_id="r1"):
    return {YOGA: Record(address=YOGA, connection="s", target="t", remote_id="1", fields={}, written_by=run_id)}


def changed(**fields):
    return Drifted(
        address=YOGA,
        status="changed" if fields else "in_sync",
        fields=tuple(
            DriftedField(path=path, before=old, after=new, origin="drift")
            for path, (old, new) in sorted(fields.items())
        ),
    )


def days(*steps):
    """Return the sightings after steps: (day, run that applied last, fields that differ)."""
    known = {}
    for day, run_id, fields in steps:
        known = observed(known, [changed(**fields)], record(run_id), f"2027-01-{day:02}T00:00:00Z")
    return known[YOGA]


OUTSIDE = {"price": ("10.00", "12.00")}


def test_a_change_begins_once_and_ends_when_it_is_no_longer_there():
    (seen,) = days((1, "r1", OUTSIDE), (2, "r1", OUTSIDE), (3, "r1", {}), (4, "r1", {}))["price"]
    assert (seen.since[8:10], seen.until[8:10]) == ("01", "03")


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        ([(1, "r1", OUTSIDE)], None),
        ([(1, "r1", OUTSIDE), (2, "r2", {})], None),
        ([(1, "r1", OUTSIDE), (2, "r2", {}), (3, "r2", OUTSIDE)], 3),
        ([(1, "r1", OUTSIDE), (2, "r1", {}), (3, "r1", OUTSIDE)], None),
        ([(1, "r1", OUTSIDE), (2, "r1", {}), (3, "r1", OUTSIDE), (4, "r2", {}), (5, "r2", OUTSIDE)], 3),
        ([(1, "r1", OUTSIDE), (2, "r2", {}), (3, "r2", OUTSIDE), (4, "r3", {}), (5, "r3", OUTSIDE)], 5),
    ],
)
def test_a_fight_needs_an_apply_between_two_changes_from_outside(steps, changes):
    found = fight(days(*steps)["price"])
    assert (found.changes if found else None) == changes


def test_an_apply_notes_what_no_check_saw():
    change = Change(
        address=YOGA, connection="s", action="update", reason="", record=record("r1")[YOGA],
        fields=(FieldChange(path="price", before="12.00", after="10.00", origin="drift"),
                FieldChange(path="name", before="a", after="b", origin="manifest")),
    )  # fmt: skip
    found = repaired({}, [change], "2027-01-02T00:00:00Z")[YOGA]
    assert found == {
        "price": (
            Sighting(
                since="2027-01-02T00:00:00Z", until="2027-01-02T00:00:00Z", applied="10.00", live="12.00", run_id="r1"
            ),
        )
    }


def test_an_object_that_could_not_be_read_keeps_what_is_known():
    known = {YOGA: days((1, "r1", OUTSIDE))}
    assert observed(known, [Drifted(address=YOGA, status="unknown")], record(), "2027-01-02T00:00:00Z") == {}


def test_what_is_kept_is_bounded():
    steps = [(1 + number % 28, f"r{number}", OUTSIDE if number % 2 else {}) for number in range(60)]
    assert len(days(*steps)["price"]) == KEPT
    many = {f"f{number:03}": ("a", "b") for number in range(PATHS + 20)}
    assert len(days((1, "r1", many))) == PATHS


def test_what_is_kept_is_short_and_has_no_credential():
    redaction.hide("super-secret-value")
    assert "super-secret-value" not in json.dumps(brief({"note": "it is super-secret-value"}))
    assert len(brief("x" * 5000)) == 200
    assert brief(["a", 1, None]) == ["a", 1, None]


def test_ignored_changes_have_no_day_of_the_object():
    known = days((1, "r1", OUTSIDE))
    rule = DriftIgnore(address="Session/*", field="price", reason="x", where=SourceRef("reconciler.yaml", 1))
    (item,) = judge([changed(**OUTSIDE)], [rule], "2027-01-02").objects
    found = dated(item, known)
    assert (found.status, found.since, found.fields[0].since is not None) == ("ignored", None, True)


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("price", "price", True),
        ("price", "prices", False),
        ("address", "address.postcode", True),
        ("address.post*", "address.postcode", True),
        ("slots", "slots[2027-03-08 11:00]", True),
        ("slots[2027-03-*", "slots[2027-03-08 11:00].time", True),
        ("slots[2027-04-*", "slots[2027-03-08 11:00].time", False),
        ("*", "price", True),
    ],
)
def test_an_entry_covers_a_path_and_what_is_below_it(pattern, path, covered):
    rule = DriftIgnore(address="Session/yoga", field=pattern, reason="x", where=SourceRef("reconciler.yaml", 1))
    (item,) = judge([changed(**{path: (1, 2)})], [rule], "2027-01-02").objects
    assert (item.status == "ignored") is covered
