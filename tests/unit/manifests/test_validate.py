"""One good sentence for each mistake, at its place."""

from __future__ import annotations

import pytest
from manifest_fakes import KINDS, checked, manifest_text

from reconciler.manifests.load import load_text
from reconciler.manifests.validate import validate

SESSION = "{group: Yoga%s}"


def session(fields="", **metadata):
    return manifest_text("Session", "x", SESSION % (f", {fields}" if fields else ""), **metadata)


def test_a_good_manifest():
    manifests, problems = checked(session("price: 35.00, time: 9:30", labels="{a: b}", protect="true"))
    assert not problems
    assert str(manifests[0].address) == "Session/x"
    assert manifests[0].labels == {"a": "b"}
    assert manifests[0].protect is True
    assert str(manifests[0].where("price")) == "f.yaml:4:28"
    assert str(manifests[0].source) == "f.yaml:1:1"


def test_no_stays_a_string():
    manifests, problems = checked(manifest_text("Session", "x", "{group: No}"))
    assert not problems
    assert manifests[0].spec == {"group": "No"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ("pirce: 35", '4:21: Session/x: unknown field "pirce"; did you mean "price"?'),
        ("name: 123", "4:27: Session/x: name is 123; expected text of 1 to 50 characters"),
        (f"name: {'x' * 51}", "expected text of 1 to 50 characters"),
        ('duration: "60"', '4:31: Session/x: duration is "60"; expected a whole number of 1 or more'),
        ("price: 1.234", "4:28: Session/x: price is 1.234; expected an amount"),
        ("price: -1", "4:28: Session/x: price is -1; expected an amount"),
        ("price: 1000000", "price is 1000000; expected an amount"),
        ('price: "1.234"', "price is "),
        ("time: 25:00", 'time is "25:00"; expected a time of day as HH:MM'),
        ("start_date: 2027-02-30", 'start_date is "2027-02-30"; expected a calendar date'),
        ("repeat: weeky", 'did you mean "weekly"?'),
        ("repeat: 9", "repeat is 9; expected one of none, weekly"),
        ("repeat: true", "repeat is true; expected one of"),
        ("disabled: no", 'disabled is "no"; expected true or false'),
        ('time: "9:00\\n"', 'time is "9:00\\n"; expected a time of day as HH:MM'),
        ('price: "35\\n"', 'price is "35\\n"; expected an amount'),
        ('start_date: "2027-03-01\\n"', 'start_date is "2027-03-01\\n"; expected a calendar date'),
        ("spaces: ~", "spaces is empty; expected a whole number"),
        ("repeat: custom", "4:7: Session/x: slots is missing; repeat is custom"),
        ("repeat: 6", "slots is missing; repeat is custom"),
        ("slots: [{date: 2027-03-01, time: 9:30}]", "4:21: Session/x: slots is given, but repeat is not custom"),
        (
            "repeat: weekly, slots: [{date: 2027-03-01, time: 9:30}]",
            "4:21: Session/x: slots is given, but repeat is not custom",
        ),
        ("repeat: weeky, slots: [{date: 2027-03-01, time: 9:30}]", 'repeat is "weeky"'),
        ("repeat: custom, slots: [{date: 2027-03-01}]", "slots[0].time is missing; expected a time of day"),
        ("repeat: custom, slots: [{date: 2027-03-01, time: 9:30, tme: 1}]", 'unknown field "tme" in slots[0]'),
        ("repeat: custom, slots: []", "slots is an empty list; expected a list of slots"),
    ],
)
def test_one_mistake_one_sentence(fields, sentence):
    manifests, problems = checked(session(fields))
    assert not manifests
    assert len(problems) == 1, problems
    assert sentence in problems[0]


@pytest.mark.parametrize("price", ["0", "0.07", "35.1", "35.10", "999999.99", '"35"', '"35.00"', "29.99", "4.35"])
def test_prices_with_two_decimals_are_exact(price):
    assert not checked(session(f"price: {price}"))[1]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("{start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}", "resource is missing; expected resource"),
        ("{resource: c, resource_id: 3, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}", "together with resource"),
        ("{resource_id: 3, start: 2027-03-01T09:00, end: 2027-03-01T10:00Z}", "timezone is missing"),
        ("{resource_id: 3, start: 2027-03-01T09:00Z, end: 2027-03-01 10:00}", "timezone is missing"),
        ("{resource_id: 3, start: 2027-03-01T09:00Z, end: 2027-13-01T10:00Z}", "end is "),
        ("{resource_id: 3, start: tomorrow, end: 2027-03-01T10:00Z}", 'start is "tomorrow"; expected a date-time'),
        (
            "{resource_id: 3, start: 2027-03-01T09:00, end: 2027-03-01T10:00, timezone: Europe/Lodnon}",
            'did you mean "Europe/London"?',
        ),
    ],
)
def test_blocks(spec, sentence):
    _, problems = checked(manifest_text("Resource", "c", "{name: C}"), manifest_text("Block", "b", spec))
    assert len(problems) == 1, problems
    assert sentence in problems[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- 1", "1:1: the document is a list; expected a mapping"),
        ("a: 1", "it has none of apiVersion, kind, metadata, spec"),
        ("{apiVersion: reconciler/v2, kind: Session, metadata: {name: x}, spec: {group: a}}", "apiVersion is"),
        ("{apiVersion: reconciler/v1, kind: Sesion, metadata: {name: x}, spec: {}}", 'did you mean "Session"?'),
        (
            "{apiVersion: reconciler/v1, kind: session, metadata: {name: x}, spec: {}}",
            '1:35: unknown kind "session"',
        ),
        ("{apiVersion: reconciler/v1, kind: session, metadata: {name: x}, spec: {}}", 'did you mean "Session"?'),
        ("{apiVersion: reconciler/v1, kind: 3, metadata: {name: x}, spec: {}}", "kind is 3; expected a kind such as"),
        (
            '{apiVersion: reconciler/v1, kind: Session, metadata: {name: "x\\n"}, spec: {group: a}}',
            '1:61: metadata.name is "x\\n"; expected at most 63 lowercase letters',
        ),
        ("{apiVersion: reconciler/v1, kind: Session, metadata: {name: X_}, spec: {group: a}}", "metadata.name is"),
        ("{apiVersion: reconciler/v1, kind: Session, spec: {group: a}}", "metadata is missing"),
        ("{apiVersion: reconciler/v1, kind: Session, metadata: {name: x}, spec: []}", "spec is an empty list"),
        (
            "{apiVersion: reconciler/v1, kind: Session, metadata: {name: x, labels: {a: 1}}, spec: {group: a}}",
            "metadata.labels.a is 1; expected text",
        ),
    ],
)
def test_envelope(text, sentence):
    manifests, problems = checked(text)
    assert not manifests
    assert len(problems) == 1, problems
    assert "\n" not in problems[0]
    assert sentence in problems[0]


def test_two_objects_with_one_address_name_both_places():
    manifests, problems = checked(session(), session("spaces: 3"))
    assert len(manifests) == 1
    assert problems == ["f.yaml:8:18: Session/x: is declared twice; the first is at f.yaml:3:18"]


def test_references_must_exist_but_may_point_to_a_faulty_object():
    block = manifest_text("Block", "b", "{resource: curt-1, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}")
    _, problems = checked(manifest_text("Resource", "court-1", "{name: C}"), block)
    assert problems == [
        'f.yaml:9:18: Block/b: resource names Resource/curt-1, which is not declared; did you mean "court-1"?'
    ]
    _, problems = checked(manifest_text("Resource", "curt-1", "{nam: C, name: C}"), block)
    assert len(problems) == 1
    assert "unknown field" in problems[0]


def test_a_reference_that_is_no_name_stays_on_one_line():
    block = manifest_text("Block", "b", '{resource: "a\\nb", start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}')
    _, problems = checked(block)
    assert len(problems) == 1
    assert problems[0].startswith('f.yaml:4:18: Block/b: resource names "Resource/a\\nb", which is not declared; ')


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("yes", "write true"),
        ("On", "write true"),
        ("TRUE", "write true"),
        ("no", "write false"),
        ("off", "write false"),
        ("False", "write false"),
        ('"true"', "remove the quotes"),
        ("maybe", None),
        ("3", None),
    ],
)
def test_booleans_of_other_formats_are_reported_with_ours(written, hint):
    loaded = load_text(session(f"disabled: {written}"), "f.yaml")
    _, problems = validate(loaded.documents, KINDS)
    assert [problem.hint for problem in problems] == [hint]


def test_what_breaks_its_kinds_rules_is_not_handed_on():
    manifests, problems = checked(manifest_text("Session", "x", "{group: forbidden}"))
    assert not manifests
    assert problems == ["f.yaml:4:15: Session/x: group is forbidden"]


def test_a_project_file_among_the_manifests_is_left_out():
    assert checked("apiVersion: reconciler/v1\nkind: Project\n") == ([], [])
