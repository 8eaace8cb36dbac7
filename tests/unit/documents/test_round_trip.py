"""What was saved shows as what was made: the same bytes in every format."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import render_samples as samples
from rich.console import Console

from reconciler import redaction
from reconciler.documents import codec
from reconciler.documents.load import as_saved, beside, load_document, load_plan
from reconciler.documents.signature import content_digest
from reconciler.errors import ReconcilerError
from reconciler.model.change import FieldChange, SlotBookings
from reconciler.model.objects import Address
from reconciler.model.report import Verification
from reconciler.render import html, markdown, text


def said(write, *values, **options):
    stream = io.StringIO()
    write(Console(file=stream, width=80, color_system=None), *values, **options)
    return stream.getvalue()


def back(document):
    return load_document(codec.dumps(document))


def expired_plan():
    gone = samples.change("BookingSession/gala", "noop", "expired", expired=True, shown_id="ab12…")
    plan = samples.quiet_plan(2)
    return msgspec.structs.replace(plan, changes=(gone, *plan.changes))


GOLDEN = Path(__file__).parents[2] / "golden" / "render"

PLANS = {"rich": samples.rich_plan, "quiet": samples.quiet_plan, "empty": lambda: samples.quiet_plan(0)}
PLANS["expired"] = expired_plan


def plan_with_counts_below_zero():
    """A server may return them, and a plan that was saved must be readable."""
    touched = (SlotBookings(slot="1", when="2031-01-06 09:30", booked=-1, reserved=0),)
    plan = samples.quiet_plan(1)
    return msgspec.structs.replace(plan, changes=(msgspec.structs.replace(plan.changes[0], bookings=touched),))


PLANS["counts below zero"] = plan_with_counts_below_zero


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_was_read_back_shows_the_same(name):
    plan = msgspec.structs.replace(PLANS[name](), made_at="2027-02-01T09:00:00Z")
    saved = back(codec.plan_document(plan))
    again = saved.plan
    assert saved.intact
    assert saved.digest == codec.plan_digest(plan) == codec.plan_digest(again)
    assert codec.dumps(codec.plan_document(again)) == codec.dumps(codec.plan_document(plan))
    assert said(text.plan, again) == said(text.plan, plan)
    assert said(text.plan, again, look=text.Look(verbose=True)) == said(text.plan, plan, look=text.Look(verbose=True))
    assert markdown.plan(again) == markdown.plan(plan)
    assert html.plan(again, saved.digest) == html.plan(plan, saved.digest)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_is_kept_to_compare_it_is_as_its_document_and_shows_no_secret(name):
    values = {"words": ["open sesame-1"], "exact": [True, 1, "1", None]}
    change = FieldChange(path="note", before=values, after="open sesame-1", origin="manifest")
    plan = PLANS[name]()
    secret = samples.change("Block/a", "update", "is open sesame-1", fields=(change,))
    plan = msgspec.structs.replace(plan, changes=(secret, *plan.changes))
    with redaction.run():
        redaction.hide("open sesame-1")
        kept, read = as_saved(plan), back(codec.plan_document(plan))
    assert kept == read
    assert repr(kept) == repr(read)
    assert "sesame" not in repr(kept)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_to_apply_is_kept_as_text_and_has_the_same_changes_each_time(name):
    plan = PLANS[name]()
    hostile = FieldChange(path="note", before={"\ud800": [10**400, 1.0, 1, True]}, after="a\nb\u2028", origin="drift")
    changed = samples.change("Block/a", "update", "\ud800", fields=(hostile,))
    plan = msgspec.structs.replace(plan, changes=(changed, *plan.changes))
    text = codec.dump_plan(plan)
    kept, read = load_plan(text), load_document(text)
    assert not isinstance(kept.changes, tuple)
    assert kept.plan == kept.plan == read.plan
    assert repr(kept.plan) == repr(read.plan)
    assert codec.dump_plan(kept.plan) == text


def test_a_saved_plan_beside_a_new_one_is_the_same_and_shares_what_is_equal():
    price = FieldChange(path="price", before="7.50", after="8.50", origin="manifest")
    change = samples.change("Session/a", "update", "price", fields=(price,))
    plan = msgspec.structs.replace(samples.quiet_plan(0), changes=(change,))
    saved = load_plan(codec.dump_plan(plan))
    same, others = beside(saved, plan), beside(saved, msgspec.structs.replace(plan, changes=()))
    assert same == others == saved.plan
    assert same.changes[0].fields is change.fields
    assert others.changes[0].fields is not change.fields


def test_a_report_that_was_read_back_shows_the_same():
    report = samples.rich_report()
    reached = {outcome.address for outcome in report.outcomes}
    plan = samples.rich_plan()
    plan = msgspec.structs.replace(plan, changes=tuple(item for item in plan.changes if item.address in reached))
    saved = back(codec.report_document(report, plan))
    again = (saved.report, saved.plan)
    assert again[0] == report
    assert said(text.report, *again) == said(text.report, report, plan)
    assert markdown.report(*again) == markdown.report(report, plan)
    assert html.report(*again) == html.report(report, plan)
    assert codec.report_document(*again) == codec.report_document(report, plan)


def test_a_verified_report_reads_back_as_it_was():
    left = ((Address("Session", "yoga"), "price 30.00 → 35.00"),)
    verified = Verification(summary=samples.quiet_plan(0).summary, left=left)
    report = msgspec.structs.replace(samples.rich_report(), verified=verified)
    saved = back(codec.report_document(report, samples.rich_plan()))
    assert saved.report == report


def test_a_drift_that_was_read_back_shows_the_same():
    drift = samples.rich_drift()
    again = back(codec.drift_document(drift))
    assert again == drift
    assert said(text.drift, again) == said(text.drift, drift)


def test_moves_zones_and_texts_that_are_not_utf_8_read_back_as_they_were():
    change = samples.change(
        "Session/new", "noop", "moved", moved_from=Address("Session", "old"), zone="Europe/London", shown_id="\ud800x"
    )
    forgotten = samples.change("Session/x", "noop", "no longer managed", forget=True)
    plan = msgspec.structs.replace(samples.quiet_plan(0), changes=(change, forgotten), runs=7, targets={"a": "b"})
    saved = back(codec.plan_document(plan))
    assert codec.plan_document(saved.plan) == codec.plan_document(plan)
    assert saved.plan.changes[0].moved_from == change.moved_from
    assert (saved.plan.changes[0].zone, saved.plan.changes[0].shown_id) == ("Europe/London", "\ud800x")
    assert saved.plan.changes[1].forget
    assert (saved.plan.runs, saved.plan.targets) == (7, {"a": "b"})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"format_version": "1.0", "valid": True, "problems": []}, "expected the `changes` of a plan"),
        ({"format_version": "1.0", "objects": []}, "expected the `changes` of a plan"),
        ({"format_version": "1.0", "changes": [], "outcomes": []}, "expected the `changes` of a plan"),
        ({"format_version": "1.0", "outcomes": 3}, "this is not the report of an apply"),
        ({"format_version": "1.0", "objects": [{}], "coverage": {}}, "this is not a drift document"),
    ],
)
def test_what_is_no_document_is_refused_by_name(document, words):
    with pytest.raises(ReconcilerError) as caught:
        load_document(json.dumps(document))
    assert words in caught.value.message


def broken_report(change):
    document = json.loads(codec.dumps(codec.report_document(samples.rich_report(), samples.rich_plan())))
    change(document)
    return json.dumps(document)


def broken_drift(change):
    document = json.loads(codec.dumps(codec.drift_document(samples.rich_drift())))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (broken_report(lambda doc: doc["outcomes"][0].update(state="done")), "state 'done' is not one of applied"),
        (
            broken_report(lambda doc: doc["outcomes"][0].update(blocked_by="x")),
            "outcomes[0].blocked_by is 'x'; expected KIND/NAME",
        ),
        (broken_report(lambda doc: doc["outcomes"].pop()), "does not match its outcomes"),
        (broken_report(lambda doc: doc.update(interrupted="no")), "interrupted must be true or false, but is text"),
        (broken_report(lambda doc: doc["outcomes"][1].update(calls=1.5)), "a whole number, but is a number"),
        (broken_drift(lambda doc: doc["objects"][0].update(coverage={})), "coverage has no 'fields'"),
        (broken_drift(lambda doc: doc["objects"][0].update(status=None)), "status None is not one of changed"),
        (broken_drift(lambda doc: doc["objects"][-1]["fields"][0].pop("before")), "has no 'before'"),
    ],
)
def test_every_part_of_a_document_is_checked(text, words):
    with pytest.raises(ReconcilerError) as caught:
        load_document(text)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_document_as_deep_as_python_goes_is_refused_and_not_followed():
    document = json.loads(codec.dumps(codec.plan_document(samples.rich_plan())))
    deep = value = {}
    for _ in range(300):
        value["x"] = {}
        value = value["x"]
    document["changes"][0]["fields"][0]["after"] = deep
    with pytest.raises(ReconcilerError, match="nested too deeply"):
        load_document(json.dumps(document))


def test_an_edit_of_any_part_changes_the_digest():
    document = json.loads(codec.dumps(codec.plan_document(samples.rich_plan())))
    assert content_digest(document) == document["digest"]
    document["changes"][0]["reason"] = "harmless"
    assert content_digest(document) != document["digest"]


def places(value, path=()):
    if isinstance(value, (dict, list)):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key, (*path, key if isinstance(value, dict) else 0)
            yield from places(item, (*path, key if isinstance(value, dict) else 0))


@pytest.mark.parametrize("name", ["plan", "report", "drift"])
@pytest.mark.parametrize("odd", [None, 5, "x", True, ["x"], {"a": 1}], ids=repr)
def test_a_member_of_another_type_is_read_or_refused(name, odd):
    document = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    every = {path: (inside, key) for inside, key, path in places(document)}
    for inside, key in every.values():
        before, inside[key] = inside[key], odd
        with suppress(ReconcilerError):
            back(document)
        inside[key] = before
    assert len(every) > 50
