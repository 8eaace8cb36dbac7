"""JSON: everything that `json.loads` reads is read, with its places, by the rules that hold for YAML."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.manifests.build import MAX_DEPTH
from reconciler.manifests.load import load_bytes, load_text


def only(text):
    loaded = load_text(text, "f.json")
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    assert len(loaded.documents) == 1
    return loaded.documents[0]


def complaints(text, path="f.json"):
    return [str(problem) for problem in load_text(text, path).problems]


@pytest.mark.parametrize(
    "value",
    [
        {"name": "A 😀"},
        {"name": "a\u2028b\u2029c\u0085d\x7f\ufeff"},
        {"k" * 5000: 1},
        {"tab\tin text": "and\nlines\r\n"},
        {"<<": {"a": 1}, "*a": "&b", "!x": "!!int 1", "#": "# no remark"},
        {"": "", "null": "null", "true": "1", "1": "true"},
        [{"a": [1, -2, 3.5, 1e3, True, False, None, [], {}]}],
        {"~": "~", "{{ x }}": "%YAML 1.1\n---\n"},
    ],
)
@pytest.mark.parametrize("options", [{}, {"ensure_ascii": False}, {"indent": "\t"}, {"separators": (",", ":")}])
def test_what_json_writes_is_read(value, options):
    assert only(json.dumps(value, **options)).data == value


def test_places_count_characters_as_they_are_written():
    text = '\n{\t"a": "\\ud83d\\ude00", "b": 1,\r\n\t"list": [\r  2,\n{"c": "\u2028"}, 3\n]\n}\n'
    locate = only(text).positions.locate
    assert str(locate(())) == "f.json:2:1"
    assert str(locate(("a",), key=True)) == "f.json:2:3"
    assert str(locate(("b",))) == f"f.json:2:{text.splitlines()[1].index('1') + 1}"
    assert str(locate(("list",))) == "f.json:3:10"
    assert str(locate(("list", 0))) == "f.json:4:3"
    assert str(locate(("list", 1, "c"))) == "f.json:5:7"
    assert str(locate(("list", 2))) == "f.json:5:13"


def test_standard_input_and_yaml_files_may_hold_json():
    assert load_bytes(b'\xef\xbb\xbf {\n\t"a": "\\ud83d\\ude00"}', "<stdin>").documents[0].data == {"a": "😀"}
    assert load_text('[\n\t"x"\n]', "f.yaml").documents[0].data == ["x"]


def test_numbers_follow_the_rules_of_yaml_manifests():
    assert only('{"a": 1e999, "b": 35.00, "c": 1e3, "d": -0}').data == {"a": "1e999", "b": 35.0, "c": 1000.0, "d": 0}


def test_duplicate_keys_name_both_places():
    assert complaints('{\n\t"a": 1,\n\t"b": {"\\u0061": 1, "a": 2}\n}') == [
        'f.json:3:21: the key "a" is given twice; the first is at f.json:3:8'
    ]


def test_the_bounds_hold():
    deep = "[\n\t" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)
    assert complaints(deep) == [f"f.json:{MAX_DEPTH + 1}:2: values are nested more than {MAX_DEPTH} levels deep"]
    assert complaints("[" * 200_000 + "]" * 200_000) == ["f.json:1:65: values are nested more than 64 levels deep"]
    assert "larger than" in str(load_bytes(b'{"a": 1}' + b" " * 10_000_000, "f.json").problems[0])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{\n\t"a": 1\n\t"b": 2\n}', "3:2: this is not valid JSON: expected a comma or }"),
        ('{\n\t"a" 1}', "2:6: this is not valid JSON: expected a colon after the key"),
        ('{\n\t"a": ["b" 1]}', "2:12: this is not valid JSON: expected a comma or ]"),
        ('{\n\t"a": @x}', "2:7: this is not valid JSON: expected a value"),
        ('[\n\t{"a": 1}', "2:10: this is not valid JSON: expected a comma or ]"),
        ('{\n\t"a": "\\ud83d"}', "2:7: this is not valid JSON: expected two escapes for a character above U+FFFF"),
        ('{\n\t"a": 1}\n}', "3:1: this is not valid JSON: expected nothing after the last bracket"),
    ],
)
def test_broken_json_is_reported_as_json(text, what):
    found = complaints(text)
    assert len(found) == 1
    assert what in found[0]


def test_yaml_in_brackets_stays_yaml():
    assert only("{a: 1, b: [x, y,],}").data == {"a": 1, "b": ["x", "y"]}
    assert only('{"a": 1} # remark').data == {"a": 1}
    loaded = load_text('{"a": 1}\n---\n{"b": [\n---\n{"c": 1}\n', "f.json")
    assert [document.data for document in loaded.documents] == [{"a": 1}, {"c": 1}]
    assert [str(problem) for problem in loaded.problems] == [
        "f.json:4:1: this is not valid JSON: expected a value or ]"
    ]
    deep = "[" * 65 + "]" * 65
    assert [document.data for document in load_text(f"{deep}\n---\n{{a: 1}}\n", "f.json").documents] == [{"a": 1}]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.lists(VALUES, max_size=3) | st.dictionaries(st.text(), VALUES, max_size=4),
    st.booleans(),
    st.sampled_from([None, 2, "\t"]),
)
@settings(max_examples=share_of(300), deadline=None)
def test_any_json_is_read_as_python_reads_it(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert only(text).data == json.loads(
        text, parse_float=lambda digits: math.nan if "inf" in digits else float(digits)
    )


PIECES = st.lists(
    st.sampled_from(
        ['"', '"a"', "\\", "\\ud83d", "\\ude00", "{", "}", "[", "]", ":", ",", "1", "-", "0", ".5", "e3", "true", "nul",
         "\t", "\n", "\r", " ", "\u2028", "\x00", "---\n", "#", "é"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.sampled_from("{["), PIECES)
@settings(max_examples=share_of(500), deadline=None)
def test_what_json_loads_refuses_is_not_taken_for_json(start, text):
    loaded = load_text(start + text, "f.json")
    try:
        value = json.loads(start + text, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        for problem in loaded.problems:
            assert "\n" not in str(problem)
        return
    if "\\ud" not in text and not loaded.problems:
        assert [document.data for document in loaded.documents] == [value]
    assert all(problem.code in {"duplicate-key", "json-syntax"} for problem in loaded.problems)


@pytest.mark.parametrize("start", ['{"a": 1}\n---\n', "a: 1\n---\n", "a: 1\n--- ", "# remark\na: 1\n---\t\n\n"])
def test_json_after_another_document_is_read_as_json(start):
    second = json.dumps({"b": "\N{BICYCLE} \N{SMILING FACE WITH SUNGLASSES}", "c": "\u2028"})
    loaded = load_text(start + second + "\n---\nd: 1\n", "f.yaml")
    assert not loaded.problems
    assert [document.data for document in loaded.documents] == [{"a": 1}, json.loads(second), {"d": 1}]
    lines = start.count("\n")
    assert loaded.documents[1].positions.locate(("b",)).line == lines + 1
    assert loaded.documents[2].positions.locate(("d",)).line == lines + 3
