"""The shipped schemas: valid, documented, and the quick check agrees with jsonschema."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from examples import share_of
from reconciler.errors import ReconcilerError
from reconciler.manifests.explain import schema_problems
from reconciler.model.objects import SourceRef
from reconciler.schema import acceptance, load_schema, schema_names, validator, whole_sentence

OURS = ("block", "booking_session", "envelope", "held_item", "project", "removed", "resource", "session", "slot")
KINDS = ("session", "resource", "block", "slot", "booking_session", "held_item", "removed")


def properties(schema, path=""):
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from properties(field, f"{path}.{name}")
        if isinstance(field.get("additionalProperties"), dict):
            yield from properties(field["additionalProperties"], f"{path}.{name}.*")


@pytest.mark.parametrize("name", OURS)
def test_schema_is_valid_and_documented(name):
    assert name in schema_names()
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:reconciler:schema:{name}"
    assert schema["title"]
    assert schema["description"]
    documented = list(properties(schema)) + list(properties({"properties": schema.get("$defs", {})}))
    for path, field in documented:
        if "complete_connection" in path:
            continue
        assert field.get("title"), path
        assert field.get("description", "").endswith("."), path
        assert field.get("examples"), path


@pytest.mark.parametrize("name", OURS)
def test_examples_are_valid(name):
    schema = load_schema(name)
    for path, field in properties(schema):
        check = validator(name).evolve(schema=field)
        for sample in field["examples"]:
            assert check.is_valid(sample), (path, sample)


@pytest.mark.parametrize("name", [*KINDS, "envelope"])
def test_every_object_is_closed(name):
    schema = load_schema(name)
    for path, field in [("", schema), *properties(schema)]:
        if field.get("type") == "object" and path != ".spec":
            assert "additionalProperties" in field, path


def test_the_file_ending_may_be_left_out_and_unknown_names_are_reported():
    assert load_schema("session") is not None
    assert load_schema("session.schema.json") == load_schema("session")
    with pytest.raises(ReconcilerError, match="nonesuch"):
        load_schema("nonesuch")


def test_an_outside_package_brings_its_own_file(tmp_path):
    file = tmp_path / "court.schema.json"
    file.write_text('{"type": "object", "patternProperties": {"^x": false}}', encoding="utf-8")
    assert acceptance(str(file))({})
    assert not acceptance(str(file))({"x": 1})
    assert validator(str(file)).is_valid({})
    assert not validator(str(file)).is_valid({"x": 1})


def names_of(value, path=""):
    """Yield the place and content of every rule about names."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        if key == "propertyNames":
            yield path, part
        yield from names_of(part, f"{path}/{key}")


@pytest.mark.parametrize("name", OURS)
def test_every_rule_about_names_says_what_it_expects(name):
    for path, rule in names_of(load_schema(name)):
        assert rule.get("errorMessage"), path


def worded(value, path=""):
    """Yield the place and content of every rule with a message."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        if isinstance(part, dict) and isinstance(part.get("errorMessage"), str):
            yield f"{path}/{key}", part
        yield from worded(part, f"{path}/{key}")


@pytest.mark.parametrize("name", OURS)
def test_a_message_that_is_a_whole_sentence_is_marked_as_one(name):
    for path, rule in [("", load_schema(name)), *worded(load_schema(name))]:
        assert whole_sentence(rule) is (";" in rule.get("errorMessage", "")), path


def patterned(value, path=""):
    """Yield (pointer, schema) of everything in a schema that has a pattern."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield path, value
        for key, inner in value.items():
            yield from patterned(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from patterned(inner, f"{path}/{index}")


TEXTS = (
    "", "1", "37", "35.00", "9:30", "23:59", "2027-03-01", "2027-03-01T09:00", "2027-03-01T09:00:00Z", "a", "court-1",
    "Session", "Session/x", "room1@example.com", "a@b.c, d@e.f", "BB_USERNAME", "sha256:" + "0" * 64,
    "hmac-sha256:" + "0" * 64, "0" * 40, "RC0301",
)  # fmt: skip


@pytest.mark.parametrize("name", schema_names())
def test_no_pattern_takes_blanks_around_a_value(name, tmp_path):
    for number, (pointer, schema) in enumerate(patterned(load_schema(name))):
        if schema["pattern"] == "/":
            continue  # the address of a problem: the name itself may be what is wrong
        file = tmp_path / f"{number}.schema.json"
        file.write_text(json.dumps({"pattern": schema["pattern"]}), encoding="utf-8")
        examples = [sample for sample in schema.get("examples", ()) if isinstance(sample, str)]
        good = [text for text in {*TEXTS, *examples} if validator(str(file)).is_valid(text)]
        assert good, (pointer, "no text fits: add one to TEXTS")
        for text in good:
            assert acceptance(str(file))(text), (pointer, text)
            for spoiled in (text + "\n", text + " ", " " + text, "\n" + text, text + "\r\n"):
                assert not acceptance(str(file))(spoiled), (pointer, spoiled)
                assert not validator(str(file)).is_valid(spoiled), (pointer, spoiled)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$|^b$", ["a", "b"], ["a\n", "b\n"]),
        (r"^\$$", ["$"], ["$\n", "$$"]),
        (r"^[$\]]$", ["$", "]"], ["$\n", "]\n", ""]),
        (r"^\\$", ["\\"], ["\\\n"]),
        ("b", ["abc", "b\n"], ["a"]),
    ],
)
def test_a_pattern_means_what_it_means_to_editors(tmp_path, pattern, good, bad):
    file = tmp_path / "x.schema.json"
    file.write_text(json.dumps({"pattern": pattern}), encoding="utf-8")
    for check in (acceptance(str(file)), validator(str(file)).is_valid):
        assert [text for text in (*good, *bad) if check(text)] == good


SCALARS = st.sampled_from(
    [
        None, True, False, 0, 1, 6, 8, 9, -1, 1.0, 1.5, 35.1, 35.123, 0.07, 999999.99, 1000000, 1e300, "",
        "6", "custom",
        "weekly", "event", "none", "35.00", "35.001", "2027-03-01", "2027-02-30", "9:30", "24:00",
        "a@b.c", "court-1", "9:30\n", "2027-03-01\n", "35.00\n", "6\n", "a@b.c\n", "", " ",
        "2027-03-01T09:00", "2027-03-01T09:00:00Z", "2027-13-01T09:00Z", "Europe/London", "Europe/Lodnon",
        "x" * 51, "é", "\u0669:\u0663\u0660", "\u0663\u0665.00", "a@b.c\ufeff", "a\x85b@b.c", "a\u2028@b.c", "9:30\r",
        "court\u2028", "a\0b",
        "😀" * 50, "😀" * 51, "e\u0301" * 25, "e\u0301" * 26, "\ud800", "\ud83d\ude00", "\ufeff", "\x1c",
        -0.0, 2**53 + 1, 10**30, -(10**400), float(2**53), 1e400, -1e400, float("nan"), 1e-7, 0.1 + 0.2, 35.10, 36.0,
        [], {}, [{"date": "2027-03-01", "time": "9:30"}], [{"date": "2027-03-01"}], {"address1": "x"}, {"zip": "x"},
        [[]], [{}, {}], [1, 1.0], [1, True], ["a", "a"], {"": 1}, {"a\n": 1}, {"\ud800": 1},
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "integer"}, {"type": "number"}, {"type": "string"}, {"type": ["number", "string"], "maximum": 5},
        {"type": "integer", "minimum": 0}, {"type": "number", "exclusiveMinimum": 0},
        {"type": "number", "maximum": 2**53}, {"const": 1}, {"const": 0}, {"enum": [0, "0"]}, {"enum": [False]},
        {"enum": [2**53 + 1]}, {"const": [0]}, {"const": {"a": 1}}, {"uniqueItems": True}, {"maxLength": 1},
        {"minLength": 2}, {"type": "number", "maxDecimals": 2}, {"required": ["a"]},
        {"additionalProperties": False, "properties": {"a": {}}}, {"propertyNames": {"pattern": "^a$"}},
        *({"pattern": text} for text in (r"^\d+$", r"^\w+$", r"^\s+$", r"^\S+$", r"^[^@\s]+$", "^.$", "a$", "^[.$]$")),
        *({"format": name} for name in ("date", "time-of-day", "iso-date-time", "iana-timezone")),
    ],
    ids=json.dumps,
)  # fmt: skip
def test_both_validators_read_odd_values_alike(tmp_path, rule):
    file = tmp_path / "rule.schema.json"
    file.write_text(json.dumps(rule), encoding="utf-8")
    accepts, check = acceptance(str(file)), validator(str(file))
    texts = [chr(code) for code in (*range(0x180), 0x661, *range(0x2000, 0x2070), 0x3000, 0xFEFF, 0x212A, 0x1F600)]
    numbers = [
        0,
        -0.0,
        False,
        1,
        1.0,
        True,
        5,
        5.5,
        2**53,
        2**53 + 1,
        float(2**53),
        10**30,
        1e30,
        -(10**400),
        35.1,
        1e-7,
    ]
    numbers += [float("inf"), float("-inf"), float("nan")] if "type" in rule else []
    texts += [
        "ab",
        "a\n",
        "b\na",
        "a\nb",
        "12\n",
        "e\u0301",
        "\ud800",
        "2027-02-29",
        "2027-0\u0661-01",
        "9:30",
        "24:00",
    ]
    lists = [[number] for number in numbers] + [[one, other] for one in numbers[:10] for other in numbers[:10]]
    lists += [[[1], [True]], [{"a": 1}, {"a": 1.0}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], ["é", "e\u0301"]]
    mappings = [{"a": 1}, {"a": True}, {"a": None}, {"a\n": 1}, {"a\0": 1}, {"\ud800": 1}, {}]
    differing = [item for item in (*numbers, *texts, *lists, *mappings, None) if accepts(item) != check.is_valid(item)]
    assert differing == []


@pytest.mark.parametrize("name", schema_names())
def test_no_schema_uses_what_the_validators_read_differently(name):
    text = json.dumps(load_schema(name))
    assert "patternProperties" not in text
    for pointer, rule in patterned(load_schema(name)):
        assert not re.search(r"\\[bBpPuxk]|\(\?|\[[^\]]*\\[SDW]", rule["pattern"]), pointer


@pytest.mark.parametrize("name", schema_names())
def test_both_validators_read_the_patterns_of_a_schema_alike(name, tmp_path):
    for number, (pointer, rule) in enumerate(patterned(load_schema(name))):
        file = tmp_path / f"{number}.schema.json"
        file.write_text(json.dumps({"pattern": rule["pattern"]}), encoding="utf-8")
        accepts, check = acceptance(str(file)), validator(str(file))
        examples = [sample for sample in rule.get("examples", ()) if isinstance(sample, str)]
        odd = ("\n", "\r", "\x1c", "\x85", "\xa0", "\u2028", "\ufeff", "\u0663", "é", "\0", "😀", "\u017f", "\u212a")
        for text in {*TEXTS, *examples}:
            for spoiled in (*(text + char for char in odd), *(text[:1] + char + text[1:] for char in odd)):
                assert accepts(spoiled) == check.is_valid(spoiled), (pointer, spoiled)


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=share_of(250), deadline=None)
def test_quick_check_agrees_with_jsonschema(name, data):
    fields = [*load_schema(name)["properties"], "unknown"]
    value = data.draw(st.dictionaries(st.sampled_from(fields), SCALARS, max_size=5) | SCALARS)
    assert acceptance(name)(value) == validator(name).is_valid(value)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "provider": st.sampled_from(["bookingbug-sessions", "bookingbug-admin", "checkfront", "other", 3]),
            "base_url": st.just("https://x"),
            "company_id": st.sampled_from([1, "1"]),
            "access": st.sampled_from(["public", "admin", "x"]),
            "on_behalf": st.just("x"),
            "auth": st.none()
            | st.dictionaries(
                st.sampled_from(["username", "password", "app_id", "auth_token", "email", "key", "secret"]), st.none()
            ),
        },
    )
)
@settings(max_examples=share_of(300), deadline=None)
def test_quick_check_agrees_on_connections(value):
    name = "project#/$defs/complete_connection"
    assert acceptance(name)(value) == validator(name).is_valid(value)


PLACES = SimpleNamespace(locate=lambda path, *, key=False: SourceRef("/".join(map(str, (*path, *["key"] * key))), 1))


VALID = {
    "session": {"name": "Yoga", "group": "Classes"},
    "resource": {"name": "Court"},
    "envelope": {"apiVersion": "reconciler/v1", "kind": "Session", "metadata": {"name": "x"}, "spec": {}},
}


@pytest.mark.parametrize("name", ["session", "resource", "envelope"])
def test_a_value_that_only_one_validator_accepts_is_an_error(monkeypatch, name):
    assert schema_problems(name, VALID[name], PLACES) == []
    monkeypatch.setattr("reconciler.manifests.explain.acceptance", lambda _: lambda _: False)
    (problem,) = schema_problems(name, VALID[name], PLACES, base=("spec",))
    assert (problem.code, problem.severity) == ("schema-disagreement", "error")
    assert f"one validator of the schema {name}" in problem.summary
    assert problem.where == SourceRef("spec", 1)


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        ({"properties": {"a": {"pattern": r"\bé"}}}, {"a": "aé"}, "a breaks its rule 'pattern' for one validator"),
        ({"additionalProperties": False, "patternProperties": {"^a$": {}}}, {"a\n": 1}, "'additionalProperties' for"),
        ({"type": "object"}, {1: 2}, "the document cannot be read for one validator"),
    ],
)
def test_the_rule_that_validators_read_differently_is_named(tmp_path, rule, value, words):
    file = tmp_path / "rule.schema.json"
    file.write_text(json.dumps(rule), encoding="utf-8")
    assert validator(str(file)).is_valid(value)
    (problem,) = schema_problems(str(file), value, PLACES)
    assert words in problem.summary
    assert problem.hint


def test_what_only_the_compiled_validator_refused_is_no_longer_valid():
    """Python counts no byte order mark among the blanks; JavaScript and Rust do."""
    (problem,) = schema_problems("resource", {"name": "Court", "email": "a\ufeffb@example.com"}, PLACES)
    assert "expected an email address" in problem.summary
