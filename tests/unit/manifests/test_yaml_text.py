"""Every value is read back as it was written: by our loader, and by a plain YAML 1.1 loader."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.manifests.load import load_text
from reconciler.manifests.template import render
from reconciler.manifests.yaml_text import Digits, entry, unwritable

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
ODD_TEXT = st.text(st.sampled_from(" \t\n\r:#-'\"\\{}[]%&*!|>@`,?01aNoé\x85\u2028\ufeff\u200d🕺"), max_size=30)


def written(value) -> str:
    return "".join(f"{line}\n" for line in entry("key", value, 0))


def ours(text: str):
    loaded = load_text(text, "some.yaml")
    assert loaded.problems == ()
    (document,) = loaded.documents
    rendered, problems = render(document, {}) if document.templated else (document, [])
    assert problems == []
    return rendered.data["key"]


@given(st.one_of(ANY_TEXT, ODD_TEXT))
@settings(max_examples=share_of(500))
@example("{{ values.x }}")
@example('a {{ b }} \\ " \n {% raw %} {# c #}')
@example("line\n  indented\n\nlast ")
@example("  first\nsecond\n")
@example("\n")
@example("ends with two\n\n")
@example("- a\n- b\n")
@example("---\n...\n")
def test_every_text_is_read_back(text):
    assert unwritable(text) is None
    assert ours(written(text)) == text
    assert ours(written({"inner": [{"a": text}, text]})) == {"inner": [{"a": text}, text]}
    if "{{" not in text:
        assert yaml.safe_load(written(text)) == {"key": text}


@pytest.mark.parametrize(
    "text",
    ["11:00", "9:30", "2027-03-01", "No", "yes", "on", "y", "N", "null", "~", "1e5", "0x1F", "010", "1_000", "12:30:45",
     "=", "<<", ".inf", "-1", "+5", "1.5", "", " ", "# no", "a: b", "a #b", "ends:", "*alias", "&anchor", "!tag", "- a",
     "2031-01-06T08:00:00Z", "true", "False", "0o17", "?", "[a]", "{a: b}", "%TAG", "@at", "`tick", "'", '"'],
)  # fmt: skip
def test_what_a_loader_would_take_for_something_else_is_quoted(text):
    assert written(text).removeprefix("key: ")[0] in "'\""
    assert yaml.safe_load(written(text)) == {"key": text}
    assert ours(written(text)) == text


@pytest.mark.parametrize(
    "text", ["Yoga", "Кулинарный класс", "瞑想クラス", "Kids' Club", "a-b_c", "http://x/y", "Zumba 🕺", "l'été (1)"]
)
def test_plain_words_stay_plain(text):
    assert written(text) == f"key: {text}\n"


def test_values_look_as_a_person_would_write_them():
    value = {
        "price": Digits("35.00"),
        "text": "One.\n\nTwo.\n",
        "flag": True,
        "none": {},
        "slots": [{"date": "2031-01-06", "time": "09:30", "duration": 60}],
        "items": [{"key": "room", "params": {"guests": 2}}],
    }
    assert written(value) == (
        "key:\n"
        "  price: 35.00\n"
        "  text: |\n"
        "    One.\n"
        "\n"
        "    Two.\n"
        "  flag: true\n"
        "  none: {}\n"
        "  slots:\n"
        "    - {date: '2031-01-06', time: '09:30', duration: 60}\n"
        "  items:\n"
        "    - key: room\n"
        "      params:\n"
        "        guests: 2\n"
    )


@pytest.mark.parametrize("value", ["\ud800", {"a": ["x\udfff"]}, {"\ud800": 1}, "{{" + "x" * 10_000])
def test_what_no_file_can_hold_is_reported(value):
    assert unwritable(value)
