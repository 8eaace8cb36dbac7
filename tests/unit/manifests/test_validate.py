"""One good sentence for each mistake, at its place."""

from __future__ import annotations

import json

import pytest
from manifest_fakes import KINDS, checked, kind, manifest_text
from msgspec.structs import replace

from reconciler.manifests.load import load_text
from reconciler.manifests.read import read_manifests
from reconciler.manifests.validate import validate
from reconciler.registry import kinds

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
        ('duration: "60"', '4:31: Session/x: duration is "60"; expected a whole number from 1 to 999999999'),
        ("price: 1.234", "4:28: Session/x: price is 1.234; expected an amount"),
        ("price: -1", "4:28: Session/x: price is -1; expected an amount"),
        ("price: 1000000", "price is 1000000; expected an amount"),
        ('price: "1.234"', "price is "),
        ("time: 25:00", 'time is "25:00"; the hour 25 does not exist; expected 00 to 23'),
        ("start_date: 2027-02-30", 'start_date is "2027-02-30"; this day does not exist'),
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


LEAVE_OUT = "leave the field out to leave it unmanaged"


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        (session("spaces: ~"), [LEAVE_OUT]),
        (manifest_text("Session", "x", "{group: ~}"), [None]),
        (session("repeat: custom, slots: [{date: ~, time: 9:30, duration: ~}]"), [None, LEAVE_OUT]),
        (manifest_text("BookingSession", "b", "{items: [{key: ~}]}"), [None]),
        (manifest_text("Session", "~", "{group: a}", labels="~"), [None, LEAVE_OUT]),
    ],
)
def test_only_an_optional_field_can_be_left_out(text, hints):
    _, problems = validate(load_text(text, "f.yaml").documents, kinds())
    assert [problem.hint for problem in problems if "is empty" in problem.summary] == hints


def test_each_field_beside_one_that_excludes_it_is_reported_at_its_place():
    item = "{key: a, slip: x, item_id: 3, start_time: '9:00'}"
    text = manifest_text("BookingSession", "b", f"{{items: [{{key: z, slip: y}}, {item}]}}")
    _, problems = validate(load_text(text, "f.yaml").documents, kinds())
    assert [(problem.where.column, problem.summary) for problem in problems] == [
        (53, "items[1]: item_id is given together with slip; expected only one of them"),
        (65, "items[1]: start_time is given together with slip, which contains it"),
    ]


@pytest.mark.parametrize(
    ("kind_name", "name", "members", "found"),
    [
        (
            "Session",
            "group: G, repeat: custom, slots",
            ("{date: 2027-03-01, time: '25:00'}", *["{date: 2027-03-02, time: '9:00'}"] * 2),
            [(67, 'slots[0].time is "25:00"'), (111, "slot 2027-03-02 09:00 is listed twice")],
        ),
        (
            "BookingSession",
            "items",
            ("{key: a}", *["{key: b, item_id: 1, start_date: 2027-03-02, end_date: 2027-03-01}"] * 2),
            [
                (16, "items[0]: the item is incomplete"),
                (81, "item b: end_date 2027-03-01 is before"),
                (100, "item b is listed twice"),
                (149, "item b: end_date 2027-03-01 is before"),
            ],
        ),
    ],
)
def test_a_broken_member_of_a_list_hides_no_mistake_of_the_others(kind_name, name, members, found):
    text = manifest_text(kind_name, "x", f"{{{name}: [{', '.join(members)}]}}")
    _, problems = validate(load_text(text, "f.yaml").documents, kinds())
    ordered = sorted(problems, key=lambda problem: problem.where.column)
    assert [problem.where.column for problem in ordered] == [column for column, _ in found]
    assert all(problem.summary.startswith(words) for problem, (_, words) in zip(ordered, found, strict=True))


def test_a_misspelt_field_is_not_missing_too():
    _, problems = checked(manifest_text("Session", "x", "{gruop: Yoga}"))
    assert len(problems) == 1
    assert 'unknown field "gruop"; did you mean "group"?' in problems[0]
    _, problems = checked(manifest_text("Session", "x", "{colour: red}"))
    assert len(problems) == 2


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
            '1:35: session/x: unknown kind "session"',
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
    assert ("did you mean" in problems[0].summary) is (hint is not None)


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ("disabled: No", "; did you mean false?"),
        ('disabled: "true"', "; did you mean true?"),
        ('repeat: "6"', "; did you mean 6?"),
        ('repeat: "12"', ""),
        ('repeat: "true"', ""),
    ],
)
def test_a_value_in_quotes_or_of_older_yaml_names_what_was_meant(fields, meant):
    _, [problem] = checked(session(fields))
    assert problem.partition("; did you")[1:] == meant.partition("; did you")[1:]


def test_what_breaks_its_kinds_rules_is_not_handed_on():
    manifests, problems = checked(manifest_text("Session", "x", "{group: forbidden}"))
    assert not manifests
    assert problems == ["f.yaml:4:15: Session/x: group is forbidden"]


def test_a_project_file_among_the_manifests_is_left_out():
    assert checked("apiVersion: reconciler/v1\nkind: Project\n") == ([], [])


HUGE = ["1" + "0" * 20, "9" * 400, "9" * 401, "7" * 5000, "1e25", "1e400", "-1e999"]


@pytest.mark.parametrize("digits", HUGE)
@pytest.mark.parametrize(
    ("kind_name", "spec", "field"),
    [
        ("Session", "group: g", "duration"),
        ("Session", "group: g", "price"),
        ("Session", "group: g", "repeat"),
        ("Resource", "name: r", "position"),
        ("Resource", "name: r", "address_id"),
        ("Block", "start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z", "resource_id"),
        ("BookingSession", "items: []", "on_expiry"),
    ],
)
def test_a_huge_number_is_one_problem_that_can_be_read(kind_name, spec, field, digits):
    known = {**KINDS, "BookingSession": kind("BookingSession", "checkfront", "booking_session")}
    text = manifest_text(kind_name, "x", f"{{{spec}, {field}: {digits}}}")
    (problem,) = validate(load_text(text, "f.yaml").documents, known)[1]
    assert problem.summary.startswith(f"{field} is {digits[:3] if len(digits) <= 400 else 'a number of'}")
    assert "; expected" in problem.summary
    assert len(problem.summary) < 260
    assert problem.hint is None


def test_a_hint_shows_no_shortened_number():
    text = manifest_text("Resource", "x", f"{{name: {'5' * 300}}}")
    (problem,) = validate(load_text(text, "f.yaml").documents, KINDS)[1]
    assert problem.hint == "write it in quotes to make it text"


@pytest.mark.parametrize(("written", "hint"), [("3.10", '"3.10"'), ("1e5", '"1e5"'), ("007", None), ("2.0", '"2.0"')])
def test_a_hint_keeps_the_spelling(written, hint):
    text = manifest_text("Resource", "x", f"{{name: {written}}}")
    problems = validate(load_text(text, "f.yaml").documents, KINDS)[1]
    if hint is None:
        assert not problems
    else:
        assert f"name is {written}; " in problems[0].summary
        assert problems[0].hint == f"write it in quotes to make it text: {hint}"


@pytest.mark.parametrize(
    ("written", "hint"), [("273", 'write it in quotes to make it text: "273"'), ("[273]", None), ("null", "leave")]
)
def test_an_id_in_an_annotation_is_text(written, hint):
    text = manifest_text("Resource", "x", "{name: Court}", annotations=f"{{distinct-from: {written}}}")
    (problem,) = validate(load_text(text, "f.yaml").documents, KINDS)[1]
    assert (problem.hint or "").startswith(hint or "")
    assert bool(problem.hint) == bool(hint)


REAL = kinds()
ODD = {
    "Session": ({"group": "g"}, ["\0", "\x01", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff", "\ud83d", "\udc00"]),
    "Resource": ({"name": "r"}, ["\0", "\ud83d", "\udfff"]),
    "BookingSession": ({"items": []}, ["\0", "\ud800"]),
}


def with_text(kind_name, path, text):
    """Return a document in which a text, or a key, is as if a template had rendered it."""
    data = {
        "apiVersion": "reconciler/v1",
        "kind": kind_name,
        "metadata": {"name": "x"},
        "spec": dict(ODD[kind_name][0]),
    }
    place = data
    for step in path[:-1]:
        place = place.setdefault(step, {})
    place[path[-1]] = "@"
    (document,) = load_text(json.dumps(data), "f.json").documents
    place[path[-1]] = text
    return replace(document, data=data)


@pytest.mark.parametrize(
    ("kind_name", "path", "shown_path"),
    [
        ("Session", ("spec", "description"), "description"),
        ("Session", ("spec", "group"), "group"),
        ("Session", ("metadata", "labels", "a"), "metadata.labels.a"),
        ("Resource", ("spec", "address", "address1"), "address.address1"),
        ("Resource", ("spec", "api_ref"), "api_ref"),
        ("BookingSession", ("metadata", "annotations", "note"), "metadata.annotations.note"),
    ],
)
def test_a_character_that_cannot_be_sent_is_reported(kind_name, path, shown_path):
    for odd in ODD[kind_name][1]:
        manifests, problems = validate([with_text(kind_name, path, f"G{odd}H")], REAL)
        assert not manifests
        (problem,) = problems
        assert problem.summary.startswith(f'{shown_path} is "G\\')
        assert f"contains U+{ord(odd):04X}, which cannot be sent" in problem.summary
        assert problem.summary.isprintable()
    for fine in "\t\n\r\x7f\x85\u200b\ufffd\U0001f600\U0001fffe":
        assert validate([with_text(kind_name, path, f"G{fine}H")], REAL)[1] == []


def test_control_characters_that_json_can_carry_are_accepted_there():
    assert validate([with_text("Resource", ("spec", "description"), "a\x0bb\uffff")], REAL)[1] == []


def test_a_key_with_such_a_character_is_reported():
    text = manifest_text("Session", "x", "{group: g}", labels='{"a\\0b": c}')
    (problem,) = validate(load_text(text, "f.yaml").documents, REAL)[1]
    assert problem.summary.startswith('the key "a\\x00b" contains U+0000')


def test_such_a_character_in_an_escape_or_template_is_reported_at_its_place(tmp_path):
    (tmp_path / "m.yaml").write_text(
        manifest_text("Session", "x", '{group: "a\\vb", name: "{{ values.n }}", description: "{{ \'\\x01\' }} x"}'),
        "utf-8",
    )
    checked_ones = read_manifests(["m.yaml"], root=tmp_path, kinds=REAL, values={"n": "a\x1fb"}, project_root=tmp_path)
    assert [str(problem).partition(",")[0] for problem in checked_ones.problems] == [
        'm.yaml:4:15: Session/x: group is "a\\x0bb"; it contains U+000B',
        'm.yaml:4:29: Session/x: name is "a\\x1fb"; it contains U+001F',
        'm.yaml:4:60: Session/x: description is "\\x01 x"; it contains U+0001',
    ]


@pytest.mark.parametrize(
    ("kind_name", "spec", "words"),
    [
        ("Session", "{group: g, end_date: 2027-06-31}", 'end_date is "2027-06-31"; this day does not exist, because'),
        ("Session", "{group: g, time: 27:15}", 'time is "27:15"; the hour 27 does not exist'),
        (
            "Session",
            "{group: g, repeat: custom, slots: [{date: 2100-02-29, time: 9:30}]}",
            'slots[0].date is "2100-02-29"; this day does not exist, because',
        ),
        (
            "Session",
            "{group: g, repeat: custom, slots: [{date: 2100-02-28, time: 24:00}]}",
            'slots[0].time is "24:00"; the hour 24 does not exist; write 00:00 of the next day',
        ),
        ("BookingSession", "{items: [{key: a, item_id: 1, start_date: 2027-09-31, end_date: 2027-10-01}]}", "this day"),
        (
            "BookingSession",
            "{items: [{key: a, item_id: 1, start_date: 2027-09-30, end_date: 2027-10-01, end_time: 9:99}]}",
            'items[0].end_time is "9:99"; the minute 99 does not exist',
        ),
        (
            "Block",
            "{resource_id: 1, start: 2027-03-01T09:00-12:30, end: 2027-03-02T09:00Z}",
            'start is "2027-03-01T09:00-12:30"; the offset -12:30 does not exist; offsets go from -12:00 to +14:00',
        ),
        (
            "Block",
            "{resource_id: 1, start: 2027-03-01T09:00Z, end: 2027-03-01T24:00Z}",
            'end is "2027-03-01T24:00Z"; the hour 24 does not exist; write 00:00 of the next day',
        ),
    ],
)
def test_a_day_or_time_that_does_not_exist_is_named(kind_name, spec, words):
    (problem,) = validate(load_text(manifest_text(kind_name, "x", spec), "f.yaml").documents, REAL)[1]
    assert words in problem.summary


def test_the_last_day_of_an_allowance_exists():
    text = manifest_text("Session", "x", "{group: g}", annotations="{allow-booked-until: 2027-11-31}")
    (problem,) = validate(load_text(text, "f.yaml").documents, REAL)[1]
    assert "this day does not exist, because November 2027 has 30 days" in problem.summary
