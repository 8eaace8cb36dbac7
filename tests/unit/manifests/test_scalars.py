"""Scalars without quotes: JSON's numbers and words, everything else is text."""

import pytest

from reconciler.manifests.scalars import SPECIAL_STARTS, plain_scalar, shown, tagged_scalar


@pytest.mark.parametrize(
    "text",
    ["11:00", "No", "on", "yes", "2027-03-01", "010", "1_000", "0x10", "0o7", ".5", "1.", "+1", "-", "Null", "TRUE"],
)
def test_what_yaml_1_1_would_convert_is_text(text):
    assert plain_scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("~", None), ("null", None), ("true", True), ("false", False), ("0", 0), ("-12", -12)],
)
def test_words_and_whole_numbers_of_json_are_values(text, value):
    assert plain_scalar(text) is value or plain_scalar(text) == value
    assert type(plain_scalar(text)) is type(value)


def test_a_number_with_decimals_is_a_float_and_one_beyond_all_floats_is_text():
    assert plain_scalar("35.50") == 35.5
    assert plain_scalar("1e3") == 1000.0
    assert plain_scalar("1e999") == "1e999"
    assert plain_scalar("9" * 401) == "9" * 401


def test_only_what_begins_like_a_value_can_be_one():
    for text in ("", "~", "null", "true", "false", "-1", *map(str, range(10))):
        assert not text or text[0] in SPECIAL_STARTS


@pytest.mark.parametrize(("text", "tag"), [("x", "int"), ("1.5", "int"), ("true", "int"), ("1", "bool"), ("0", "null")])
def test_a_tag_that_promises_something_else_is_refused_without_the_value(text, tag):
    with pytest.raises(ValueError, match=f"!!{tag}") as caught:
        tagged_scalar("hunter2" if text == "x" else text, tag)
    assert "hunter2" not in str(caught.value)


def test_a_tag_converts_what_it_can():
    assert tagged_scalar("12", "str") == "12"
    assert isinstance(tagged_scalar("12", "float"), float)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "empty"),
        (True, "true"),
        ({}, "a mapping"),
        ([], "an empty list"),
        ([1], "a list"),
        (35, "35"),
        ("a\nb", r'"a\nb"'),
    ],
)
def test_a_value_in_a_message_takes_one_line(value, text):
    assert shown(value) == text


def test_a_long_value_in_a_message_is_cut():
    assert len(shown("x" * 500)) == 62
