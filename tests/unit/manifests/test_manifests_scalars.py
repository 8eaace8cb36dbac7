"""Scalars without quotes are read by the rules of JSON, and any value is shown on one line."""

import pytest

from reconciler.manifests.scalars import plain_scalar, shown, tagged_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("11:00", "11:00"), ("No", "No"), ("2027-03-01", "2027-03-01"), ("010", "010"), ("0x1F", "0x1F"),
        ("1_0", "1_0"), ("35", 35), ("-1", -1), ("35.50", 35.5), ("1e3", 1000.0), ("true", True), ("null", None),
        ("", None), ("~", None), ("1e999", "1e999"), ("9" * 401, "9" * 401),
    ],
)  # fmt: skip
def test_only_what_json_reads_as_another_type_is_not_text(text, value):
    found = plain_scalar(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "tag", "value"), [("35", "str", "35"), ("35", "float", 35.0), ("null", "null", None)])
def test_a_tag_names_the_type(text, tag, value):
    found = tagged_scalar(text, tag)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "tag"), [("hunter2", "int"), ("1.5", "int"), ("true", "int"), ("1", "bool")])
def test_a_tag_that_does_not_fit_is_refused_without_the_value(text, tag):
    with pytest.raises(ValueError, match=f"!!{tag}") as caught:
        tagged_scalar(text, tag)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "empty"), (True, "true"), (35, "35"), ({"a": 1}, "a mapping"), ([1], "a list"), ([], "an empty list"),
        ("two\nlines\x1b", '"two\\nlines\\x1b"'), ("\ud800", '"\\ud800"'), ("x" * 70, '"' + "x" * 59 + '…"'),
    ],
)  # fmt: skip
def test_a_value_is_shown_on_one_line(value, words):
    assert shown(value) == words
